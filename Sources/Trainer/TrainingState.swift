// What a run changes from step to step, and what a checkpoint keeps of it.

import Comm
import Files
import Model

/// The adapters, their moments, and the candidates that they are still compared with.
package struct TrainingState: Sendable {
    /// One a task, in the order of the model's tasks.
    package var adapters: [Adapter]
    /// Moments of the tasks that have been trained.
    package var optimizers: [AdamW?]
    /// Candidates of earlier steps of each task; empty where none are remembered.
    package var banks: [MemoryBank]
    /// Updates made.
    package var step = 0

    package init(adapters: [Adapter]) {
        self.adapters = adapters
        optimizers = Array(repeating: nil, count: adapters.count)
        banks = Array(repeating: MemoryBank(), count: adapters.count)
    }

    /// SHA-256 of the adapters.
    var fingerprint: [UInt8] {
        var hash = SHA256()
        for adapter in adapters { hash.update(adapter.values.span.bytes) }
        return hash.finalize()
    }

    /// One update of a task's adapter, in place: the moments are as large as the adapter, twice.
    ///
    /// - Returns: whether the adapter is still finite; if not, the state is of no use any more
    mutating func update(task: Int, _ gradient: [Float], _ configuration: AdamW.Configuration, learningRate: Double) -> Bool {
        if optimizers[task] == nil { optimizers[task] = AdamW(configuration, count: gradient.count) }
        guard optimizers[task]!.update(&adapters[task].values, gradient, learningRate: learningRate) else { return false }
        step += 1
        return true
    }
}

extension TrainingState {
    /// Makes every rank hold all of the memory banks, whatever part of them it held.
    ///
    /// Collective.
    mutating func gatherBanks(_ world: Communicator) throws {
        for task in banks.indices { try banks[task].gather(world) }
    }

    /// The same with all of the memory banks on rank 0, which writes them down.
    ///
    /// Collective.
    func collected(_ world: Communicator) throws -> TrainingState {
        var state = self
        for task in banks.indices { state.banks[task] = try banks[task].collected(world) }
        return state
    }
}

extension Communicator {
    /// Throws on every rank when the ranks hold different adapters after the same steps: a host computes or transfers wrongly.
    ///
    /// Collective.
    func requireSameAdapters(_ state: TrainingState) throws {
        try requireSame(state.fingerprint) { differing, reference in
            UserError(
                .diverged,
                "after step \(state.step) the adapters differ between ranks: \(differing) from \(reference); "
                    + "one of these hosts computes or transfers wrongly: start again without it")
        }
    }
}
