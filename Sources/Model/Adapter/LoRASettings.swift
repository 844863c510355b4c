// The section `lora` of project_config.yaml: what is adapted, and how adapters begin and end.

import Config
import Files

/// The keys of `lora`. What each means is said in its declaration, where the documentation takes it from.
package enum LoRASettings {
    package static let rank = Setting<Int>(
        "lora.r", .count(from: 1), .value(32), aliases: ["lora_r", "lora_rank"], "Rank of the adapters.")
    package static let alpha = Setting<Double>(
        "lora.alpha", .number(.above(0)), .value(32.0), aliases: ["lora_alpha"],
        "An adapter's output is multiplied by alpha / r.")
    package static let dropout = Setting<Double>(
        "lora.dropout", .number(.halfOpen(0, 1)), .value(0.1), aliases: ["lora_dropout"],
        "Share of an adapter's inputs set to 0 in training.")
    package static let targetModules = Setting<TargetModules>(
        "lora.target_modules", .targetModules, .value(.published), aliases: ["lora_target_modules"],
        "Linears with an adapter, by PEFT's rules. The vision tower never has one.")
    package static let layers = Setting<[Int]?>(
        "lora.layers_to_transform", .optional(.layers), .absent("all layers"),
        "Decoder layers with an adapter, counted from 0; nothing is computed backwards below the lowest.")
    package static let initialization = Setting<Adapter.Initialization>(
        "lora.init", .choice([.gaussian]), .value(.gaussian), aliases: ["init_lora_weights"],
        "Start of fresh adapters: A normal with deviation 1/r, B zero.")
    package static let tasks = Setting<[String]?>(
        "lora.tasks", .optional(.names), .absent("the model's `task_names`"),
        "Tasks to create adapters for.")
    package static let startFrom = Setting<LoRAConfig.StartFrom>(
        "lora.start_from", .adapterStart, .value(.automatic),
        "`auto`: the model's own adapters when it has some. `fresh`: new ones. A path: those of a published or PEFT folder, or a checkpoint. "
            + "By task: each from its own folder, the others fresh.")
    package static let saveFormat = Setting<LoRAConfig.SaveFormat>(
        "lora.save_format", .choice([.published, .peft, .both]), .value(.both),
        "Final adapters in one file as published, or one plain PEFT folder for each trained task.")
    package static let savePrecision = Setting<LoRAConfig.SavePrecision>(
        "lora.save_dtype", .choice([.bfloat16, .float32]), .value(.bfloat16),
        "Numbers of the final adapters; checkpoints are float32.")

    /// The section as the schema takes it.
    package static let section = SettingSection([
        rank, alpha, dropout, targetModules, layers, initialization, tasks, startFrom, saveFormat, savePrecision,
    ])
}
