// The section `lora` as a type.

import Config

/// `lora`: what is adapted, and how adapters begin and end.
package struct LoRAConfig: Sendable {
    /// Rank of the factors.
    package let rank: Int
    /// An adapter's output is multiplied by alpha / rank.
    package let alpha: Double
    /// Share of an adapter's inputs that are set to 0 in training.
    package let dropout: Double
    /// The linears with an adapter, whatever their layer.
    package let targetModules: TargetModules
    /// Decoder layers with adapters, ascending; nil: all.
    package let layers: [Int]?
    /// Tasks to create; nil: all that the model names.
    package let tasks: [String]?
    /// Where adapters begin.
    package let startFrom: StartFrom
    /// How the final adapters are laid out in files.
    package let saveFormat: SaveFormat
    /// Numbers of the final adapters.
    package let savePrecision: SavePrecision

    /// Where adapters begin.
    package enum StartFrom: Sendable, Equatable {
        /// The model's own adapters when it has some, else fresh ones.
        case automatic
        /// New adapters.
        case fresh
        /// The adapters of a folder.
        case path(String)
        /// Each task from a folder of its own; tasks that are not named are fresh.
        case byTask(TaskValues<TaskStart>)
    }

    /// A folder with adapters, and which of them.
    package struct TaskStart: Sendable, Equatable {
        /// The folder's path.
        package let path: String
        /// The task whose adapter it is; nil: that of the same task, or the one of a plain PEFT folder.
        package let task: String?
    }

    /// One file as published, one plain PEFT folder for each trained task, or both.
    package enum SaveFormat: String, Sendable { case published, peft, both }
    /// Numbers of the final adapters.
    package enum SavePrecision: String, Sendable { case bfloat16, float32 }

    /// Whether the linear at `modulePath` carries an adapter. The projector belongs to no layer.
    package func adapts(_ modulePath: String) -> Bool {
        guard targetModules.matches(modulePath) else { return false }
        guard let layers, let layer = DecoderModule.layer(ofPath: modulePath) else { return true }
        return layers.contains(layer)
    }

    /// Takes the values of the section.
    package init(_ values: SettingValues) {
        rank = values[LoRASettings.rank]
        alpha = values[LoRASettings.alpha]
        dropout = values[LoRASettings.dropout]
        targetModules = values[LoRASettings.targetModules]
        layers = values[LoRASettings.layers]
        tasks = values[LoRASettings.tasks]
        startFrom = values[LoRASettings.startFrom]
        saveFormat = values[LoRASettings.saveFormat]
        savePrecision = values[LoRASettings.savePrecision]
    }
}
