// A file of rows: training rows, corpora, queries. JSON lines, or a table in any format that `Tables` reads.
//
// Of JSON lines only the lines are found; an object is parsed when it is asked for, so that ranks and threads can share the work.
// A table is read once, since its rows can only be read in turn; images among its cells are written into a store and leave memory.
// An error names the row's own line, or its number.

import Files
import Tables
import Tensor

/// The rows of a file, by index.
package struct RowFile: Sendable {
    private enum Content: Sendable {
        /// Row → line, counted from 0. Lines of white space alone are no rows and are passed over.
        case lines(TextFile, [Int])
        case table([TableRow], readsNumbers: Bool)
    }

    /// The file.
    package let path: String
    private let content: Content

    /// Finds the rows of a file, which is known by its name and its first bytes.
    ///
    /// - Parameter store: where a table's images are written; nil: nowhere, and a row that needs one is refused
    /// - Throws: `UserError` `.missing`, `.inputOutput`, or `.content` for a file that is damaged or of a format that is not read;
    ///   `.output` when an image cannot be written
    package init(path: String, store: ImageStore? = nil) throws(UserError) {
        self.path = path
        guard try TableFormat.holdsLines(path) else {
            let table = try TableFile(path: path)
            let reader = try table.reader()
            var rows: [TableRow] = []
            while let row = try reader.next() { rows.append(try row.withoutBytes(store)) }
            content = .table(rows, readsNumbers: table.format == .csv || table.format == .tsv)
            return
        }
        let text = try TextFile(path: path)
        content = .lines(text, text.lines.indices.filter { line in !text.line(line).allSatisfy(isJSONBlank) })
    }

    /// Whether a name is that of a file of rows: JSON lines or a table, plain or packed.
    package static func isNamed(_ path: String) -> Bool { TableFormat.isTable(path) }

    /// The endings of such names, for messages; each may be followed by `.gz` or `.zst`.
    package static let endings = TableFormat.endings.joined(separator: ", ")

    /// Number of rows.
    package var count: Int {
        switch content {
        case .lines(_, let lines): lines.count
        case .table(let rows, _): rows.count
        }
    }

    /// The line on which a row begins, counted from 1; in Parquet, which has no lines, the row's number.
    package func lineNumber(ofRow row: Int) -> Int {
        switch content {
        case .lines(_, let lines): lines[row] + 1
        case .table(let rows, _): rows[row].place.line ?? rows[row].place.row
        }
    }

    /// The rows in ranges of at most so many bytes of text each, and of at least one row.
    package func rounds(ofBytes limit: Int) -> [Range<Int>] {
        switch content {
        case .lines(let text, let lines): lines.map { text.lines[$0].count }.ranges(filledUpTo: limit)
        case .table(let rows, _): rows.map { $0.record.values.reduce(0) { $0 + $1.textBytes } }.ranges(filledUpTo: limit)
        }
    }

    /// One row.
    ///
    /// - Throws: `UserError` `.content` when a line is not one JSON object, naming file, line and column
    package func row(_ row: Int) throws(UserError) -> RowObject {
        switch content {
        case .lines(let text, let lines): try RowObject(of: text, line: lines[row], path: path)
        case .table(let rows, let readsNumbers): RowObject(rows[row], readsNumbers: readsNumbers)
        }
    }
}

extension TableFormat {
    /// Whether a file is read line by line as JSON: it is named so, or has a name that says nothing.
    ///
    /// - Throws: `UserError` `.content` when its first bytes, or its name, are those of a format that is not read
    fileprivate static func holdsLines(_ path: String) throws(UserError) -> Bool {
        let name = path.lowercased()
        if name.hasSuffix(".jsonl") || name.hasSuffix(".jsonl.gz") {
            try refuseForeign(path)
            return true
        }
        if isTable(path) { return false }
        try refuseForeign(path)
        return true
    }
}

extension TableValue {
    /// Bytes of its texts.
    fileprivate var textBytes: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .list(let values): values.reduce(0) { $0 + $1.textBytes }
        default: 8
        }
    }
}

/// Space, tab, carriage return, line feed: RFC 8259, section 2.
private func isJSONBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
}
