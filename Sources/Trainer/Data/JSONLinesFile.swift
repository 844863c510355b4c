// A file of JSON objects, one a line: training rows, corpora, queries. Only finds the lines; an object is parsed when it is
// asked for, so that ranks and threads can share the work and an error names the row's own line.
// Lines of white space alone are no rows and are passed over; line numbers count them.

import Tensor

/// The rows of a `.jsonl` or `.jsonl.gz` file, by index.
package struct JSONLinesFile: Sendable {
    package let path: String
    private let text: TextFile
    /// Row → line, counted from 0.
    private let lines: [Int]

    package init(path: String) throws(UserError) {
        let text = try TextFile(path: path)
        self.path = path
        self.text = text
        lines = text.lines.indices.filter { line in !text.line(line).allSatisfy(isJSONWhitespace) }
    }

    package var count: Int { lines.count }

    /// Counted from 1.
    package func lineNumber(ofRow row: Int) -> Int { lines[row] + 1 }

    /// - Throws: when the line is not one JSON object, naming file, line and column
    package func row(_ row: Int) throws(UserError) -> JSONLine {
        try JSONLine(text.line(lines[row]), path: path, number: lineNumber(ofRow: row))
    }
}

/// One row of a JSON lines file: its object, and where the parts of it stand, for what is said about them.
package struct JSONLine {
    package let object: JSONObject
    private let bytes: UnsafeRawBufferPointer
    private let path: String
    private let number: Int

    /// - Parameter bytes: the line, without its end; they must outlive this value
    fileprivate init(_ bytes: UnsafeRawBufferPointer, path: String, number: Int) throws(UserError) {
        let value: JSONValue
        do {
            value = try JSONValue.parse(bytes, path: path)
        } catch {
            // The parser has seen one line and takes it for the first.
            throw UserError(error.code, path, line: number, column: error.column, error.message)
        }
        guard case .object(let object) = value else {
            throw UserError(.content, path, line: number, column: 1, "the line is not a JSON object; each line holds one: {...}")
        }
        self.object = object
        self.bytes = bytes
        self.path = path
        self.number = number
    }

    /// The value of a key, nil when it is absent or null.
    package subscript(key: String) -> JSONValue? {
        guard let value = object[key] else { return nil }
        if case .null = value { return nil }
        return value
    }

    /// The text under a key, nil when it is absent or null.
    package func text(_ key: String) throws(UserError) -> String? {
        guard let value = self[key] else { return nil }
        guard case .string(let text) = value else {
            throw fault(at: key, "\"\(key)\" is \(value.kind); it must be a string")
        }
        return text
    }

    /// An error about this row, placed at the value of `key`, or at the row when there is no such key.
    package func fault(at key: String? = nil, _ message: String) -> UserError {
        let place = key.flatMap { key in object.entries.firstIndex { $0.key.utf8.elementsEqual(key.utf8) } }
        return UserError(.content, path, line: number, column: place.map(column(ofValue:)) ?? 1, message)
    }

    /// The column of the object's n-th value, in characters from 1: what follows the colon after the n-th comma of the
    /// outermost braces. The line has been parsed, so only strings and nesting must be told apart.
    private func column(ofValue place: Int) -> Int {
        var depth = 0
        var commas = 0
        var inString = false
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\\") where inString: index += 1
            case UInt8(ascii: "\""): inString.toggle()
            case _ where inString: break
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ",") where depth == 1: commas += 1
            case UInt8(ascii: ":") where depth == 1 && commas == place:
                let value = bytes[(index + 1)...].firstIndex { !isJSONWhitespace($0) } ?? index
                return String(decoding: bytes[..<value], as: UTF8.self).unicodeScalars.count + 1
            default: break
            }
            index += 1
        }
        return 1
    }
}

extension JSONValue {
    /// What it is, in the words of an error message.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

/// Space, tab, carriage return, line feed: RFC 8259, section 2.
private func isJSONWhitespace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
}
