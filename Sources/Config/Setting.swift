// One key of a configuration, declared once: its name, the type of its value, what may stand there, its default and its meaning.
// Reading and the error at its place take the declaration itself, so a wrong name or a wrong type does not compile. The reader,
// the resolved configuration, the comparison on resume and the documentation see all keys alike, as AnySetting.

import Files

/// A key, and what may stand under it.
///
///     package static let epochs = Setting<Int>("training.epochs", .count(from: 1), .value(3), "Passes over the data.")
///
///     let epochs = values[TrainingSettings.epochs]  // an Int
///     throw values.error(at: TrainingSettings.epochs, "...")
package struct Setting<Value: Sendable>: AnySetting {
    package let key: String
    package let aliases: [String]
    package let mayDifferOnResume: Bool
    package let meaning: String
    let form: SettingForm<Value>
    let initial: SettingDefault<Value>

    /// Declares a key.
    ///
    /// - Parameters:
    ///   - key: `section.name`, or the name alone at the top
    ///   - aliases: spellings of Hugging Face and PEFT, in the same section, that mean exactly this
    ///   - mayDifferOnResume: whether a resumed run may have another value than the run had
    ///   - meaning: one line for the documentation
    package init(
        _ key: String, _ form: SettingForm<Value>, _ initial: SettingDefault<Value>, aliases: [String] = [],
        mayDifferOnResume: Bool = false, _ meaning: String
    ) {
        self.key = key
        self.form = form
        self.initial = initial
        self.aliases = aliases
        self.mayDifferOnResume = mayDifferOnResume
        self.meaning = meaning
    }

    package var formInWords: String { form.inWords }

    package var defaultValue: SettingValue? {
        switch initial {
        case .required: nil
        case .value(let value), .absent(let value, _): settingValue(value)
        }
    }

    package var defaultInWords: String {
        switch initial {
        case .required: "required"
        case .absent(_, let words): words
        case .value(let value): valueInWords(value)
        }
    }

    /// A value as one would write it.
    package func valueInWords(_ value: Value) -> String {
        switch form.json(of: value) {
        case .string(let text): text
        case let json: String(decoding: json.serialized(pretty: false), as: UTF8.self)
        }
    }

    package var defaultIsAValue: Bool {
        if case .value = initial { true } else { false }
    }

    package func decode(_ node: YAMLNode, spelling: String) throws(UserError) -> SettingValue {
        settingValue(try form.decode(node, key: spelling))
    }

    func settingValue(_ value: Value) -> SettingValue {
        SettingValue(typed: TypedValue(value: value), json: form.json(of: value))
    }
}

extension Setting where Value: RawRepresentable<String> {
    /// The text of a `--set` that chooses a value: `system.compute_dtype=float32`.
    package func assignment(_ value: Value) -> String { "\(key)=\(valueInWords(value))" }
}

/// What holds where a key is not given.
package enum SettingDefault<Value: Sendable>: Sendable {
    /// The key must be given.
    case required
    /// This value holds.
    case value(Value)
    /// This value holds; the words say what it does.
    case absent(Value, words: String)

    /// Nothing is set; the words say what happens then.
    package static func absent<Wrapped>(_ words: String) -> Self where Value == Wrapped? {
        .absent(nil, words: words)
    }
}

/// The value of a setting, with its type kept for the setting and hidden from others.
package struct SettingValue: Sendable {
    /// A `TypedValue` of the setting's type.
    let typed: any Sendable
    /// The value as the resolved configuration shows it.
    package let json: JSONValue
}

/// Keeps an optional from being looked through when its type is asked for.
struct TypedValue<Value: Sendable>: Sendable {
    let value: Value
}

/// A setting whatever the type of its value.
package protocol AnySetting: Sendable, CustomStringConvertible {
    /// The name with its section: `section.name`, or the name alone at the top.
    var key: String { get }
    /// Further spellings of the name, in the same section.
    var aliases: [String] { get }
    /// Whether a resumed run may have another value than the run had.
    var mayDifferOnResume: Bool { get }
    /// What the setting does, in one line for the documentation.
    var meaning: String { get }
    /// The values that may stand there, as in "must be ...".
    var formInWords: String { get }
    /// The value where none is given; nil where one must be given.
    var defaultValue: SettingValue? { get }
    /// The default as the documentation prints it.
    var defaultInWords: String { get }
    /// Whether the words of the default are a value that one could write.
    var defaultIsAValue: Bool { get }
    /// The value of a node; errors name the key as it was spelled and the node's place.
    func decode(_ node: YAMLNode, spelling: String) throws(UserError) -> SettingValue
}

extension AnySetting {
    /// The key, so that sentences can name a setting by its declaration.
    package var description: String { key }

    /// Name of the section, empty for a key at the top.
    package var section: String {
        key.contains(".") ? String(key.prefix { $0 != "." }) : ""
    }

    /// The key without its section.
    package var name: String {
        section.isEmpty ? key : String(key.dropFirst(section.count + 1))
    }

    /// Key and aliases, with their section.
    package var spellings: [String] {
        [key] + aliases.map { section.isEmpty ? $0 : "\(section).\($0)" }
    }

    /// The default as a resolved configuration shows it; null where there is none.
    package var defaultJSON: JSONValue { defaultValue?.json ?? .null }

    /// The value in a resolved configuration; the default when it is not there.
    package func json(in resolved: JSONValue) -> JSONValue {
        let section = section.isEmpty ? resolved : resolved[section]
        return section?[name] ?? defaultJSON
    }
}
