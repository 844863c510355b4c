// What a cell of a table may hold, whatever file it came from.

/// One cell. CSV gives texts and nulls alone; JSON and Parquet give all kinds but for bytes, which only Parquet has.
package enum TableValue: Sendable {
    case null
    case text(String)
    case integer(Int64)
    case double(Double)
    case bool(Bool)
    case bytes([UInt8])
    case list([TableValue])
    /// Values with names: a JSON object, or a struct of Parquet, such as the `bytes` and `path` of an image.
    case record(TableRecord)

    /// The text, or nil when this is something else.
    package var textValue: String? { if case .text(let value) = self { value } else { nil } }
    /// The whole number, or nil when this is something else.
    package var integerValue: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// The truth value, or nil when this is something else.
    package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The bytes, or nil when this is something else.
    package var bytesValue: [UInt8]? { if case .bytes(let value) = self { value } else { nil } }
    /// The elements, or nil when this is no list.
    package var listValue: [TableValue]? { if case .list(let value) = self { value } else { nil } }
    /// The named values, or nil when this is no record.
    package var recordValue: TableRecord? { if case .record(let value) = self { value } else { nil } }
    /// Whether there is no value here.
    package var isNull: Bool { if case .null = self { true } else { false } }

    /// The number, whole or not, or nil when this is none. A text is none, even when it is written in digits.
    package var numberValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// What it is, in words for messages: "a text", "a list".
    package var kind: String {
        switch self {
        case .null: "nothing"
        case .text: "a text"
        case .integer: "a whole number"
        case .double: "a number"
        case .bool: "true or false"
        case .bytes: "bytes"
        case .list: "a list"
        case .record: "an object"
        }
    }
}

/// Values with names, in their order. Rows of one table share the array of their names.
package struct TableRecord: Sendable {
    /// The names, which differ in their bytes.
    package let names: [String]
    /// One value a name.
    package let values: [TableValue]

    /// Creates a record of as many values as names, which differ.
    package init(names: [String], values: [TableValue]) {
        self.names = names
        self.values = values
    }

    /// The value of a name, compared byte for byte, or nil when there is no such name.
    package subscript(_ name: String) -> TableValue? {
        for i in names.indices where names[i].utf8.elementsEqual(name.utf8) { return values[i] }
        return nil
    }
}
