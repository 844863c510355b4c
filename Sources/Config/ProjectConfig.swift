// project_config.yaml as a type: validated, immutable, the same on every rank since every rank decodes the same bytes.
// Each component receives its own section. What only the model or the data can refute is refused later, through `error(at:)`.

import Files

/// The configuration of a run.
///
///     let config = try ProjectConfig.decode(yaml: bytes, path: "project_config.yaml", overrides: ["loss.temperature=0.05"])
///     let optimizer = AdamW(learningRate: config.training.learningRate, ...)
package struct ProjectConfig: Sendable {
    package let baseModelPath: String
    package let data: DataConfig
    package let training: TrainingConfig
    package let lora: LoRAConfig
    package let loss: LossConfig
    package let system: SystemConfig

    /// Sentences for the user about what was accepted but does nothing.
    package let notices: [String]
    /// What `--set` changed, for the start-up table.
    package let overrides: [Override]

    private let values: SettingValues
    private let givenKeys: Set<String>
    private let places: [String: YAMLPlace]

    package struct Override: Sendable, Equatable {
        /// The canonical key, whatever the spelling.
        package let key: String
        package let text: String
    }

    /// Decodes the bytes of a configuration file. Reads nothing else.
    ///
    /// - Parameters:
    ///   - path: named in errors
    ///   - overrides: the `key=value` of each `--set`, in order
    /// - Throws: `UserError(.configuration)` with file, line and column, or `--set key`
    package static func decode(yaml: [UInt8], path: String, overrides: [String]) throws(UserError) -> ProjectConfig {
        let reader = try ConfigurationReader(root: try YAMLDocument.parse(yaml, path: path), path: path, overrides: overrides)
        var notices = reader.notices
        let values = try SettingValues(reader, notices: &notices)
        return ProjectConfig(
            values: values, notices: notices, overrides: reader.overrides, givenKeys: Set(reader.given.keys), places: reader.places)
    }

    private init(
        values: SettingValues, notices: [String], overrides: [Override], givenKeys: Set<String>, places: [String: YAMLPlace]
    ) {
        self.values = values
        self.notices = notices
        self.overrides = overrides
        self.givenKeys = givenKeys
        self.places = places
        baseModelPath = values.text("base_model_path")
        data = DataConfig(values)
        training = TrainingConfig(values)
        lora = LoRAConfig(values)
        loss = LossConfig(values)
        system = SystemConfig(values)
    }

    /// Whether the file or a `--set` gives the key, so that its value is no default.
    package func isGiven(_ key: String) -> Bool {
        givenKeys.contains(key)
    }

    /// The error for a setting that fits the schema but not the model or the data, at the place where it was written. Of a
    /// setting that is a mapping, `key.entry` is an entry.
    package func error(_ code: UserError.Code = .configuration, at key: String, _ message: String) -> UserError {
        guard let place = places[key] else { preconditionFailure("no setting is named \(key)") }
        return UserError(code, place.path, line: place.line, column: place.column, message)
    }

    /// The same run with the shape of the adapters that it continues.
    ///
    /// - Parameter targetModules: nil where the configuration chooses the same linears
    package func adoptingAdapter(rank: Int, alpha: Double, targetModules: TargetModules?) -> ProjectConfig {
        var values = values
        values["lora.r"] = .integer(Int64(rank))
        values["lora.alpha"] = .number(alpha)
        if let targetModules {
            values["lora.target_modules"] = targetModules.json
            values["lora.layers_to_transform"] = .null
        }
        return ProjectConfig(values: values, notices: notices, overrides: overrides, givenKeys: givenKeys, places: places)
    }

    /// Every setting with its value, by section, for run.json.
    package func resolved() -> JSONValue {
        values.bySection()
    }

    /// What may not differ between a run and its continuation, and does: `training.seed: 42 in the run, 43 now`.
    ///
    /// Where the run adopted the shape of existing adapters, compare after `adoptingAdapter`, as run.json holds what was adopted.
    /// - Parameters:
    ///   - resolved: the configuration of the run, as its records hold it. A setting that it lacks had its default.
    ///   - exceptions: keys that are not compared
    package func differencesForbiddenOnResume(from resolved: JSONValue, except exceptions: Set<String> = []) -> [String] {
        ConfigurationSchema.settings.filter { !$0.mayDifferOnResume && !exceptions.contains($0.key) }.compactMap { setting in
            let now = values[setting.key]
            let before = SettingValues.value(of: setting, in: resolved)
            return SettingValues.areEqual(before, now) ? nil : "\(setting.key): \(before.inOneLine) in the run, \(now.inOneLine) now"
        }
    }
}

extension JSONValue {
    fileprivate var inOneLine: String { String(decoding: serialized(pretty: false), as: UTF8.self) }
}
