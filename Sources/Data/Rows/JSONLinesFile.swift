// A file of JSON objects, one a line: training rows, corpora, queries. Only finds the lines; an object is parsed when it is
// asked for, so that ranks and threads can share the work and an error names the row's own line.
// Lines of white space alone are no rows and are passed over; line numbers count them.

import Files

/// The rows of a `.jsonl` or `.jsonl.gz` file, by index.
package struct JSONLinesFile: Sendable {
    /// Path of the file.
    package let path: String
    private let text: TextFile
    /// The line of each row, counted from 0.
    private let lines: [Int]

    /// Opens a file and finds its rows.
    /// - Throws: `UserError` as `TextFile`
    package init(path: String) throws(UserError) {
        let text = try TextFile(path: path)
        self.path = path
        self.text = text
        lines = text.lines.indices.filter { line in !text.line(line).allSatisfy(isJSONBlank) }
    }

    /// Number of rows, without blank lines.
    package var count: Int { lines.count }

    /// The line of a row, counted from 1.
    package func lineNumber(ofRow row: Int) -> Int { lines[row] + 1 }

    /// The rows in ranges of at most so many bytes of text each, and of at least one row.
    package func rounds(ofBytes limit: Int) -> [Range<Int>] {
        lines.map { text.lines[$0].count }.ranges(filledUpTo: limit)
    }

    /// Parses a row.
    /// - Throws: `UserError` `.content` when the line is not one JSON object, naming file, line and column
    package func row(_ row: Int) throws(UserError) -> JSONLine {
        try JSONLine(of: text, line: lines[row], path: path)
    }
}

/// One row of a JSON lines file: its values by key, and where each stands, for what is said about them.
package struct JSONLine {
    private struct Member {
        let value: JSONValue
        /// Offset of the value's first byte in the line.
        let offset: Int
    }

    private var members: [ExactString: Member] = [:]
    private let scanner: JSONScanner
    /// Keeps the bytes that the scanner points into.
    private let text: TextFile

    fileprivate init(of text: TextFile, line: Int, path: String) throws(UserError) {
        var scanner = JSONScanner(text.line(line), path: path, firstLine: line + 1)
        try scanner.beginObject()
        while let key = try scanner.nextKey()?.string {
            guard members[ExactString(key)] == nil else { throw scanner.fault("the key \"\(key)\" stands twice in this row; remove one") }
            _ = try scanner.peek()
            let offset = scanner.tokenStart
            members[ExactString(key)] = Member(value: try scanner.readValue(), offset: offset)
        }
        try scanner.expectEnd()
        self.scanner = scanner
        self.text = text
    }

    /// The value of a key, nil when it is absent or null.
    package subscript(key: String) -> JSONValue? {
        guard let value = members[ExactString(key)]?.value, !value.isNull else { return nil }
        return value
    }

    /// The text under a key, nil when it is absent or null.
    /// - Throws: `UserError` `.content` when the value is no string
    package func text(_ key: String) throws(UserError) -> String? {
        guard let value = self[key] else { return nil }
        guard let text = value.stringValue else { throw fault(at: key, "\"\(key)\" is \(value.kind.rawValue); it must be a string") }
        return text
    }

    /// An error about this row, placed at the value of `key`, or at the row's begin when there is no such key.
    package func fault(at key: String? = nil, _ message: String) -> UserError {
        scanner.fault(message, at: key.flatMap { members[ExactString($0)]?.offset } ?? 0)
    }
}

/// Space, tab, carriage return, line feed: RFC 8259, section 2.
private func isJSONBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
}
