// One pass over the rows of a table.

import Files

/// What gives the rows of one format.
protocol TableRowSource: AnyObject {
    /// The next row, or nil at the end.
    func next() throws(UserError) -> TableRow?
    /// The names of the columns, as far as they are known.
    var names: [String] { get }
}

/// One pass over the rows of a file, in their order. Not safe to share between threads.
package final class TableReader {
    private let source: any TableRowSource

    init(_ source: any TableRowSource) { self.source = source }

    /// The next row, or nil at the end.
    ///
    /// - Throws: `UserError` `.content` with the row's place when it is not what its format asks for. Nothing follows an error.
    package func next() throws(UserError) -> TableRow? { try source.next() }

    /// Every column of the file, wanted or not: in JSON those that were met so far, complete once `next` has given nil.
    package var names: [String] { source.names }
}
