// A YAML document as a tree in which every node knows its line and column, and the plain scalars of YAML 1.2's core schema.
// Made by YAMLDocument, read by SettingForm. Under the core schema `1e-4` is a number, `yes` and `1_000` are texts, `010` is ten.

import Files

/// Where something was written: a place in a file, or a `--set` on the command line, which has no lines.
package struct YAMLPlace: Sendable, Equatable, CustomStringConvertible {
    /// File, or `--set key`.
    package let path: String
    /// Counted from 1; nil for `--set`.
    package let line: Int?
    /// Counted from 1, in characters; nil for `--set`.
    package let column: Int?

    /// A fault of the configuration at this place.
    package func error(_ message: String) -> UserError {
        UserError(.configuration, path, line: line, column: column, message)
    }

    /// As in front of an error: `path:line:column`.
    package var description: String {
        [path, line.map(String.init), column.map(String.init)].compactMap { $0 }.joined(separator: ":")
    }
}

/// A value with the place where it begins.
package struct YAMLNode: Sendable {
    /// A scalar, a list or a mapping.
    package enum Content: Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    /// A key of a mapping with its value.
    package struct Entry: Sendable {
        /// The key as it was written.
        package let key: String
        /// Where the key begins.
        package let place: YAMLPlace
        /// The value under the key.
        package let value: YAMLNode
    }

    /// What the node is.
    package let content: Content
    /// Where the node begins.
    package let place: YAMLPlace

    /// The value in words for an error, long texts cut.
    package var inWords: String {
        switch content {
        case .scalar(let scalar): scalar.inWords
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// A scalar as YAML's core schema resolves it; what stands in quotes is a text.
package enum YAMLScalar: Sendable, Equatable {
    case null
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case text(String)

    /// Resolves an unquoted scalar by the core schema (YAML 1.2.2, section 10.3.2).
    ///
    /// An integer beyond 64 bits becomes a number, so that it fails a range and not a type.
    package init(plain text: String) {
        switch text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE": self = .boolean(true)
        case "false", "False", "FALSE": self = .boolean(false)
        case ".nan", ".NaN", ".NAN": self = .number(.nan)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": self = .number(.infinity)
        case "-.inf", "-.Inf", "-.INF": self = .number(-.infinity)
        default: self = Self.integer(in: text) ?? Self.number(in: text) ?? .text(text)
        }
    }

    private static func integer(in text: String) -> YAMLScalar? {
        let utf8 = Array(text.utf8)
        if utf8.starts(with: Array("0x".utf8)) || utf8.starts(with: Array("0o".utf8)) {
            guard utf8.count > 2, utf8[2] != UInt8(ascii: "+"), utf8[2] != UInt8(ascii: "-") else { return nil }
            return Int(text.dropFirst(2), radix: utf8[1] == UInt8(ascii: "x") ? 16 : 8).map { .integer($0) }
        }
        return Int(text).map { .integer($0) }
    }

    /// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`, and nothing else that strtod would take.
    private static func number(in text: String) -> YAMLScalar? {
        var rest = text.utf8[...]
        func skipDigits() -> Int {
            let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }.count
            rest = rest.dropFirst(digits)
            return digits
        }
        func skip(_ allowed: String) -> Bool {
            guard let first = rest.first, allowed.utf8.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        _ = skip("+-")
        let whole = skipDigits()
        let fraction = skip(".") ? skipDigits() : 0
        guard whole + fraction > 0 else { return nil }
        if skip("eE") {
            _ = skip("+-")
            guard skipDigits() > 0 else { return nil }
        }
        return rest.isEmpty ? Double(text).map { .number($0) } : nil
    }

    /// The scalar in words for an error, long texts cut.
    package var inWords: String {
        switch self {
        case .null: "empty"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let value): "the text \(Self.quoted(value))"
        }
    }

    /// In quotes on one line: control characters escaped, long texts cut.
    package static func quoted(_ text: String) -> String {
        String(reflecting: text.count > 60 ? "\(text.prefix(57))..." : text)
    }
}
