// One row of a file as its readers ask for it: values by key, and where each stands, for what is said about them.

import Files
import Tables

/// The values of a row by key.
package struct RowObject {
    private enum Origin {
        /// A line of JSON; the text keeps the bytes that the scanner points into. Offsets are those of the values' first bytes.
        case line(JSONScanner, TextFile, offsets: [ExactString: Int])
        case table(TablePlace, readsNumbers: Bool)
    }

    /// The keys with a value, in the order of the row.
    package private(set) var keys: [String] = []
    private var values: [ExactString: JSONValue] = [:]
    private let origin: Origin

    /// Parses a line, counted from 0.
    init(of text: TextFile, line: Int, path: String) throws(UserError) {
        var scanner = JSONScanner(text.line(line), path: path, firstLine: line + 1)
        var offsets: [ExactString: Int] = [:]
        try scanner.beginObject()
        while let key = try scanner.nextKey()?.string {
            let exact = ExactString(key)
            guard offsets[exact] == nil else { throw scanner.fault("the key \"\(key)\" stands twice in this row; remove one") }
            _ = try scanner.peek()
            offsets[exact] = scanner.tokenStart
            let value = try scanner.readValue()
            guard !value.isNull else { continue }
            values[exact] = value
            keys.append(key)
        }
        try scanner.expectEnd()
        origin = .line(scanner, text, offsets: offsets)
    }

    /// Takes the cells of a table's row.
    ///
    /// - Parameter readsNumbers: whether a number is written as text, as in CSV; there an empty cell is no value
    init(_ row: TableRow, readsNumbers: Bool) {
        for (name, value) in zip(row.record.names, row.record.values) where !value.isNull && !(readsNumbers && value.textValue == "") {
            values[ExactString(name)] = JSONValue(value)
            keys.append(name)
        }
        origin = .table(row.place, readsNumbers: readsNumbers)
    }

    /// The value of a key, nil when it is absent or null.
    package subscript(key: String) -> JSONValue? {
        values[ExactString(key)]
    }

    /// Gives the value of a key another key, where no value stands under that one.
    package mutating func rename(_ key: String, to other: String) {
        guard self[other] == nil, let value = values.removeValue(forKey: ExactString(key)) else { return }
        values[ExactString(other)] = value
        keys = keys.map { $0.utf8.elementsEqual(key.utf8) ? other : $0 }
    }

    /// The text under a key, nil when it is absent or null.
    ///
    /// - Throws: `UserError` `.content` when the value is no text
    package func text(_ key: String) throws(UserError) -> String? {
        guard let value = self[key] else { return nil }
        guard let text = value.stringValue else { throw fault(at: key, "\"\(key)\" is \(value.kind.rawValue); it must be a string") }
        return text
    }

    /// The number under a key, nil when it is absent or null. In CSV and TSV a number is written as text.
    ///
    /// - Throws: `UserError` `.content` when the value is no number
    package func number(_ key: String) throws(UserError) -> Double? {
        guard let value = self[key] else { return nil }
        if let number = value.numberValue { return number }
        if case .table(_, readsNumbers: true) = origin {
            if let number = value.stringValue.flatMap(Double.init) { return number }
            throw fault(at: key, "\"\(key)\" is no number; write it with digits, and a point before decimals")
        }
        throw fault(at: key, "\"\(key)\" is \(value.kind.rawValue); it must be a number, without quotes")
    }

    /// An error about this row, placed at the value of `key`, or at the row's begin when there is no such key.
    package func fault(at key: String? = nil, _ message: String) -> UserError {
        switch origin {
        case .line(let scanner, _, let offsets): scanner.fault(message, at: key.flatMap { offsets[ExactString($0)] } ?? 0)
        case .table(let place, _): place.fault(message)
        }
    }
}

extension JSONValue {
    /// A cell as JSON would have it. Bytes, which JSON lacks, become an object, so that nobody takes them for text.
    fileprivate init(_ value: TableValue) {
        self =
            switch value {
            case .null: .null
            case .text(let text): .string(text)
            case .integer(let number): .integer(number)
            case .double(let number): .number(number)
            case .bool(let value): .bool(value)
            case .bytes: .object(JSONObject())
            case .list(let values): .array(values.map(JSONValue.init))
            case .record(let record):
                .object(zip(record.names, record.values).reduce(into: JSONObject()) { $0[$1.0] = JSONValue($1.1) })
            }
    }
}
