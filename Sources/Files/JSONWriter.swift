// JSON trees to text: records, manifests, headers. Escapes as Python's and Rust's writers do with UTF-8 output:
// only quotes, backslashes and control characters, the latter as \b \t \n \f \r or \u00xx.

extension JSONValue {
    /// The value as UTF-8, without a final newline.
    ///
    /// - Parameters:
    ///   - pretty: one member a line, indented by two blanks; else without any blank
    ///   - sortedKeys: in the order of their bytes; else as they stand
    ///
    /// A Double is written in the shortest form that reads back as the same Double; it must be finite.
    package func serialized(pretty: Bool = false, sortedKeys: Bool = false) -> [UInt8] {
        var writer = JSONWriter(pretty: pretty, sortedKeys: sortedKeys)
        writer.append(self, indentation: 0)
        return writer.bytes
    }
}

/// Appends values to bytes.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private let pretty: Bool
    private let sortedKeys: Bool

    init(pretty: Bool = false, sortedKeys: Bool = false) {
        self.pretty = pretty
        self.sortedKeys = sortedKeys
    }

    /// Appends a value.
    /// - Parameter indentation: levels around the value
    mutating func append(_ value: JSONValue, indentation: Int) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(String(value))
        case .number(let value):
            precondition(value.isFinite, "JSON has no \(value)")
            append("\(value)")
        case .string(let value): appendQuoted(value)
        case .array(let elements): appendArray(elements, indentation)
        case .object(let object): appendObject(object, indentation)
        }
    }

    mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func appendQuoted(_ text: String) {
        let digits: StaticString = "0123456789abcdef"
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x08: append("\\b")
            case 0x09: append("\\t")
            case 0x0A: append("\\n")
            case 0x0C: append("\\f")
            case 0x0D: append("\\r")
            case 0..<0x20:
                append("\\u00")
                bytes += [digits.utf8Start[Int(byte >> 4)], digits.utf8Start[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func appendArray(_ elements: [JSONValue], _ indentation: Int) {
        guard !elements.isEmpty else { return append("[]") }
        append("[")
        for (i, element) in elements.enumerated() {
            beginMember(isFirst: i == 0, indentation + 1)
            append(element, indentation: indentation + 1)
        }
        endMembers(indentation)
        append("]")
    }

    private mutating func appendObject(_ object: JSONObject, _ indentation: Int) {
        guard !object.entries.isEmpty else { return append("{}") }
        let entries = sortedKeys ? object.entries.sorted { ExactString($0.key) < ExactString($1.key) } : object.entries
        append("{")
        for (i, entry) in entries.enumerated() {
            beginMember(isFirst: i == 0, indentation + 1)
            appendQuoted(entry.key)
            append(pretty ? ": " : ":")
            append(entry.value, indentation: indentation + 1)
        }
        endMembers(indentation)
        append("}")
    }

    private mutating func beginMember(isFirst: Bool, _ indentation: Int) {
        if !isFirst { append(",") }
        endMembers(indentation)
    }

    private mutating func endMembers(_ indentation: Int) {
        guard pretty else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: 2 * indentation))
    }
}

/// A name from a file, for a message: in quotes, on one line, not longer than a line.
package func quoted(_ name: String) -> String {
    var writer = JSONWriter()
    writer.appendQuoted(name.unicodeScalars.count > 120 ? String(name.unicodeScalars.prefix(120)) + "…" : name)
    return String(decoding: writer.bytes, as: UTF8.self)
}
