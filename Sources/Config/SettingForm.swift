// What values a setting takes: from a node of the YAML tree to a typed value, and from there to the resolved configuration.
// A value comes out in one form only, whatever the spelling. Components declare forms of their own beside those of this folder.

import Files

/// The values that a setting takes, and how they are written.
package struct SettingForm<Value: Sendable>: Sendable {
    /// Reads a node, named by the key as the user spelled it; nil where the node is of another kind.
    package typealias Reading = @Sendable (_ node: YAMLNode, _ key: String) throws(UserError) -> Value?

    /// The values in words, as in "must be ..." and in the documentation.
    package let inWords: String
    private let hint: @Sendable (YAMLNode) -> String
    private let encode: @Sendable (Value) -> JSONValue
    private let read: Reading

    /// Declares a form.
    ///
    /// - Parameters:
    ///   - hint: what is added to the error for a node of another kind
    ///   - encode: the value as the resolved configuration shows it; reading that gives the value again
    ///   - read: the value of a node; nil where the node is of another kind
    package init(
        _ inWords: String, hint: @escaping @Sendable (YAMLNode) -> String = { _ in "" }, encode: @escaping @Sendable (Value) -> JSONValue,
        read: @escaping Reading
    ) {
        self.inWords = inWords
        self.hint = hint
        self.encode = encode
        self.read = read
    }

    /// The value as the resolved configuration shows it.
    package func json(of value: Value) -> JSONValue { encode(value) }

    /// The value of a node.
    ///
    /// - Parameter key: as the user spelled it, for errors
    /// - Throws: `UserError` with the node's place: another type, out of range
    package func decode(_ node: YAMLNode, key: String) throws(UserError) -> Value {
        guard let value = try read(node, key) else {
            throw node.place.error("\(key) must be \(inWords), but is \(node.inWords)\(hint(node))")
        }
        return value
    }
}

extension SettingForm {
    /// The form, or null (or, where Hugging Face has such a number, that) for "not set".
    package static func optional<Wrapped>(_ form: SettingForm<Wrapped>, orNumber off: Int? = nil) -> Self where Value == Wrapped? {
        Self(
            form.inWords + ", or `null`" + (off.map { " or `\($0)`" } ?? ""), hint: form.hint,
            encode: { $0.map(form.encode) ?? .null },
            read: { (node, key) throws(UserError) -> Wrapped?? in
                switch node.content {
                case .scalar(.null): return .some(nil)
                case .scalar(.integer(let value)) where value == off: return .some(nil)
                default: return try form.read(node, key).map { .some($0) }
                }
            })
    }

    /// The form, or a word for "not set".
    package static func either<Wrapped>(_ form: SettingForm<Wrapped>, orWord word: String) -> Self where Value == Wrapped? {
        Self(
            form.inWords + ", or `\(word)`", hint: form.hint, encode: { $0.map(form.encode) ?? .string(word) },
            read: { (node, key) throws(UserError) -> Wrapped?? in
                if case .scalar(.text(word)) = node.content { return .some(nil) }
                return try form.read(node, key).map { .some($0) }
            })
    }

    /// One of the names, each with its value; `others` are further spellings.
    private static func choice(
        names: [(name: String, value: Value)], others: [String: Value], encode: @escaping @Sendable (Value) -> JSONValue
    ) -> Self {
        Self(
            names.map { "`\($0.name)`" }.joined(separator: " or "),
            hint: { node in
                guard case .scalar(.text(let text)) = node.content else { return "" }
                return NearestName.of(text, among: names.map(\.name)).map { "; did you mean \($0)?" } ?? ""
            }, encode: encode,
            read: { node, _ in
                guard case .scalar(let scalar) = node.content else { return nil }
                return names.first { $0.name == scalar.asChoice }?.value ?? others[scalar.asChoice]
            })
    }

    /// One of the cases by its raw value, or a word for "not set", which stands first in words.
    package static func choice<Case: RawRepresentable<String> & Sendable>(orWord word: String, _ cases: [Case]) -> Self
    where Value == Case? {
        choice(names: [(word, nil)] + cases.map { ($0.rawValue, $0) }, others: [:]) { .string($0?.rawValue ?? word) }
    }
}

extension SettingForm where Value: RawRepresentable<String> {
    /// One of the cases by its raw value; `others` are further spellings.
    package static func choice(_ cases: [Value], others: [String: Value] = [:]) -> Self {
        choice(names: cases.map { ($0.rawValue, $0) }, others: others) { .string($0.rawValue) }
    }
}

extension YAMLScalar {
    /// What a choice is compared with: Hugging Face spells some choices as `true`.
    fileprivate var asChoice: String {
        switch self {
        case .text(let text): text
        case .boolean(let value): "\(value)"
        default: ""
        }
    }
}
