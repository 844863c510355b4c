// What a run leaves for others to load: its adapters, in the layouts that the configuration names.

import Comm
import Model
import Project
import Tensor

/// Writes the adapters of a run that has ended.
struct FinalAdapters {
    private let lora: LoRAConfig
    private let description: AdapterFile.Description

    init(_ setup: TrainingSetup) {
        lora = setup.config.lora
        description = setup.adapterDescription
    }

    /// Writes all tasks in the published layout into the folder `adapters`, and each trained task in PEFT's into a folder of its own. The
    /// run's folder itself holds none: PEFT would load the published layout from there onto a plain model as nothing, with a warning.
    ///
    /// Collective: rank 0 writes, and what it cannot write is heard by all.
    /// - Throws: `UserError` `.output`
    func write(_ state: TrainingState, to folder: RunFolder, _ world: Communicator) throws {
        try world.together { () -> Void in
            guard world.rank == 0 else { return }
            let element: Tensor.Element = lora.savePrecision == .bfloat16 ? .bfloat16 : .float32
            if lora.saveFormat != .peft { try AdapterFile.writePublished(state.adapters, description, as: element, to: folder.adapters) }
            guard lora.saveFormat != .published else { return }
            for adapter in state.trainedAdapters {
                try AdapterFile.writePEFT(adapter, description, as: element, to: folder.peft(task: adapter.task))
            }
        }
    }
}
