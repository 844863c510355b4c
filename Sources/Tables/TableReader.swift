// One pass over the rows of a table.

import Files

/// What gives the rows of one format.
protocol TableRowSource: AnyObject {
    /// The next row, or nil at the end.
    func next() throws(UserError) -> TableRow?
    /// The names of the columns, as far as they are known.
    var names: [String] { get }
    /// Whether the last error was that of one row, after which `next` gives the row that follows.
    var canGoOn: Bool { get }
}

extension TableRowSource {
    /// Where rows have no ends of their own, nothing follows an error.
    var canGoOn: Bool { false }
}

/// One pass over the rows of a file, in their order. Not safe to share between threads.
package final class TableReader {
    private let source: any TableRowSource
    /// About how much the row takes that was last read or passed over, in bytes: of JSON lines its line, elsewhere its texts, and 0
    /// when it was bad. The same whether it was read or passed over.
    package private(set) var rowBytes = 0

    init(_ source: any TableRowSource) { self.source = source }

    /// The next row, or nil at the end.
    ///
    /// - Throws: `UserError` `.content` with the row's place when it is not what its format asks for. Unless `canGoOn` nothing follows
    package func next() throws(UserError) -> TableRow? {
        rowBytes = 0
        if let lines = source as? JSONLinesReader {
            defer { rowBytes = lines.lineBytes }
            return try lines.next()
        }
        let row = try source.next()
        rowBytes = row?.record.values.reduce(0) { $0 + $1.textBytes } ?? 0
        return row
    }

    /// Passes over the next row, whatever is wrong within it. Of JSON lines only the end of the line is looked for.
    ///
    /// - Returns: whether there was a row
    /// - Throws: `UserError` when the file cannot be read on
    package func pass() throws(UserError) -> Bool {
        if let lines = source as? JSONLinesReader {
            defer { rowBytes = lines.lineBytes }
            return try lines.pass()
        }
        do throws(UserError) { return try next() != nil } catch {
            guard canGoOn else { throw error }
            return true
        }
    }

    /// Whether the last error was that of one row, after which `next` gives the row that follows.
    package var canGoOn: Bool { source.canGoOn }

    /// Every column of the file, wanted or not: in JSON those that were met so far, complete once `next` has given nil.
    package var names: [String] { source.names }
}

extension TableValue {
    /// Bytes of its texts.
    fileprivate var textBytes: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        case .list(let values): values.reduce(0) { $0 + $1.textBytes }
        case .record(let record): record.values.reduce(0) { $0 + $1.textBytes }
        default: 8
        }
    }
}
