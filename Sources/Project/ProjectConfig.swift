// project_config.yaml as a type: validated, immutable, the same on every rank since every rank decodes the same bytes.
// Each component receives its own section. What only the model or the data can refute is refused later, through `error(at:)`.

import Config
import Data
import Files
import Loss
import Model

/// The configuration of a run.
///
///     let config = try ProjectConfig.decode(yaml: bytes, path: "project_config.yaml", overrides: ["loss.temperature=0.05"])
///     let optimizer = AdamW(learningRate: config.training.learningRate, ...)
package struct ProjectConfig: Sendable {
    /// Folder of the checkpoint.
    package let baseModelPath: String
    /// What is trained and evaluated on.
    package let data: DataConfig
    /// The run, its optimizer and its schedule.
    package let training: TrainingConfig
    /// What is adapted, and how adapters begin and end.
    package let lora: LoRAConfig
    /// What is minimised, over which pool.
    package let loss: LossConfig
    /// Arithmetic, threads and memory.
    package let system: SystemConfig

    private let values: SettingValues

    /// Sentences for the user about what was accepted but does nothing.
    package var notices: [String] { values.notices }
    /// What `--set` changed, for the start-up table.
    package var overrides: [SettingValues.Override] { values.overrides }

    /// Decodes the bytes of a configuration file. Reads nothing else.
    ///
    /// - Parameters:
    ///   - path: named in errors
    ///   - overrides: the `key=value` of each `--set`, in order
    /// - Throws: `UserError(.configuration)` with file, line and column, or `--set key`
    package static func decode(yaml: [UInt8], path: String, overrides: [String]) throws(UserError) -> ProjectConfig {
        var values = try SettingValues(yaml: yaml, path: path, overrides: overrides, schema: ProjectSettings.schema)
        try ProjectSettings.join(&values)
        return ProjectConfig(values)
    }

    private init(_ values: SettingValues) {
        self.values = values
        baseModelPath = values[ProjectSettings.baseModelPath]
        data = DataConfig(values)
        training = TrainingConfig(values)
        lora = LoRAConfig(values)
        loss = LossConfig(values)
        system = SystemConfig(values)
    }

    /// Whether the file or a `--set` gives the setting, so that its value is no default.
    package func isGiven(_ setting: any AnySetting) -> Bool { values.isGiven(setting) }

    /// The error for a setting that fits the schema but not the model or the data, at the place where it was written.
    ///
    /// - Parameter entry: of a setting that is a mapping, the entry that is wrong
    package func error(
        _ code: UserError.Code = .configuration, at setting: any AnySetting, entry: String? = nil, _ message: String
    ) -> UserError {
        values.error(code, at: setting, entry: entry, message)
    }

    /// The same run with the shape of the adapters that it continues.
    ///
    /// - Parameter targetModules: nil where the configuration chooses the same linears
    package func adoptingAdapter(rank: Int, alpha: Double, targetModules: TargetModules?) -> ProjectConfig {
        var values = values
        values[LoRASettings.rank] = rank
        values[LoRASettings.alpha] = alpha
        if let targetModules {
            values[LoRASettings.targetModules] = targetModules
            values[LoRASettings.layers] = nil
        }
        return ProjectConfig(values)
    }

    /// Every setting with its value, by section, for run.json.
    package func resolved() -> JSONValue { values.resolved() }

    /// Settings that may not differ between a run and its continuation, and do: `training.seed: 42 in the run, 43 now`.
    ///
    /// Where the run adopted the shape of existing adapters, compare after `adoptingAdapter`, as run.json holds what was adopted.
    /// - Parameters:
    ///   - resolved: the configuration of the run, as its records hold it. A setting that it lacks had its default.
    ///   - exceptions: settings that are not compared
    package func differencesForbiddenOnResume(from resolved: JSONValue, except exceptions: [any AnySetting] = []) -> [String] {
        values.differencesForbiddenOnResume(from: resolved, except: exceptions)
    }
}
