// The value of every setting: given, else its default. Components make their sections of it, and check and join what they must;
// run.json shows it. Who reads a setting names its declaration.

import Files

/// The values of a configuration, with the places where they were written.
///
///     let values = try SettingValues(yaml: bytes, path: "project_config.yaml", overrides: [], schema: schema)
///     let epochs = values[TrainingSettings.epochs]
package struct SettingValues: Sendable {
    /// What a `--set` gave.
    package struct Override: Sendable, Equatable {
        /// The canonical key, whatever the spelling.
        package let key: String
        /// The value as it was written.
        package let text: String
    }

    private let schema: ConfigurationSchema
    private var values: [String: SettingValue] = [:]
    private let given: [String: GivenSetting]
    private let sectionPlaces: [String: YAMLPlace]
    private let begin: YAMLPlace
    /// Sentences for the user about what was accepted but does nothing.
    package private(set) var notices: [String]
    /// What `--set` changed, in its order.
    package let overrides: [Override]

    /// Reads the bytes of a configuration file.
    ///
    /// - Parameters:
    ///   - path: named in errors
    ///   - overrides: the `key=value` of each `--set`, in order; the last of a key wins
    /// - Throws: `UserError(.configuration)` with file, line and column, or `--set key`
    package init(yaml: [UInt8], path: String, overrides: [String], schema: ConfigurationSchema) throws(UserError) {
        let reader = try ConfigurationReader(schema, root: try YAMLDocument.parse(yaml, path: path), overrides: overrides)
        self.schema = schema
        given = reader.given
        sectionPlaces = reader.sectionPlaces
        begin = YAMLPlace(path: path, line: 1, column: 1)
        notices = reader.notices
        self.overrides = reader.overrides
        for setting in schema.settings {
            guard let value = given[setting.key]?.value ?? setting.defaultValue else {
                throw error(at: setting, "\(setting) is missing; add it")
            }
            values[setting.key] = value
        }
    }

    // MARK: - Values

    /// The value of a setting.
    package subscript<Value>(_ setting: Setting<Value>) -> Value {
        get {
            guard let stored = values[setting.key]?.typed as? TypedValue<Value> else {
                preconditionFailure("\(setting) is in no section of the schema")
            }
            return stored.value
        }
        set { values[setting.key] = setting.settingValue(newValue) }
    }

    /// Gives a setting its default.
    package mutating func reset(_ setting: any AnySetting) { values[setting.key] = setting.defaultValue }

    /// The value that the file or a `--set` gives; nil where the default holds.
    package func given<Value>(_ setting: Setting<Value>) -> Value? {
        (given[setting.key]?.value.typed as? TypedValue<Value>)?.value
    }

    /// Whether the file or a `--set` gives the setting.
    package func isGiven(_ setting: any AnySetting) -> Bool { given[setting.key] != nil }

    /// Whether the file or a `--set` gives the setting another value than its default.
    package func changesDefault(_ setting: any AnySetting) -> Bool {
        given[setting.key].map { !Self.areEqual($0.value.json, setting.defaultJSON) } ?? false
    }

    // MARK: - Places

    /// Where a setting was written; else where its section begins; else the file's begin.
    package func place(of setting: any AnySetting) -> YAMLPlace {
        given[setting.key]?.place ?? sectionPlaces[setting.section.isEmpty ? setting.key : setting.section] ?? begin
    }

    /// An error at a setting's place.
    ///
    /// - Parameter entry: of a setting that is a mapping, the entry at whose place the error is
    package func error(
        _ code: UserError.Code = .configuration, at setting: any AnySetting, entry: String? = nil, _ message: String
    ) -> UserError {
        let place = entry.flatMap { given[setting.key]?.entries[$0] } ?? place(of: setting)
        return UserError(code, place.path, line: place.line, column: place.column, message)
    }

    /// Adds a sentence for the user, with a setting's place.
    package mutating func note(at setting: any AnySetting, _ message: String) {
        notices.append("\(place(of: setting)): \(message)")
    }

    // MARK: - The resolved configuration

    /// Every setting with its value, by section.
    package func resolved() -> JSONValue {
        var top = JSONObject()
        for setting in schema.settings where setting.section.isEmpty { top[setting.name] = json(setting) }
        for section in schema.sections {
            var object = JSONObject()
            for setting in schema.settings where setting.section == section { object[setting.name] = json(setting) }
            top[section] = .object(object)
        }
        return .object(top)
    }

    /// Settings that may not differ between a run and its continuation, and do: `training.seed: 42 in the run, 43 now`.
    ///
    /// - Parameters:
    ///   - resolved: the configuration of the run, as its records hold it. A setting that it lacks had its default.
    ///   - exceptions: settings that are not compared
    package func differencesForbiddenOnResume(from resolved: JSONValue, except exceptions: [any AnySetting]) -> [String] {
        let free = Set(exceptions.map(\.key))
        return schema.settings.filter { !$0.mayDifferOnResume && !free.contains($0.key) }.compactMap { setting in
            let (before, now) = (setting.json(in: resolved), json(setting))
            return Self.areEqual(before, now) ? nil : "\(setting): \(before.inOneLine) in the run, \(now.inOneLine) now"
        }
    }

    /// Whether two values are equal, numbers by value and not by spelling: 16 is 16.0. A member that is absent is as good as null.
    package static func areEqual(_ a: JSONValue, _ b: JSONValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.integer, .number), (.number, .integer), (.number, .number): a.numberValue == b.numberValue
        case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
        case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy(areEqual)
        case (.object(let a), .object(let b)):
            (a.entries + b.entries).allSatisfy { areEqual(a[$0.key] ?? .null, b[$0.key] ?? .null) }
        default: false
        }
    }

    private func json(_ setting: any AnySetting) -> JSONValue {
        guard let value = values[setting.key] else { preconditionFailure("\(setting) is in no section of the schema") }
        return value.json
    }
}

extension JSONValue {
    fileprivate var inOneLine: String { String(decoding: serialized(pretty: false), as: UTF8.self) }
}
