// The rows of a file one after another, for whoever needs each only once: no more of the file is in memory than the row at hand.

import Files
import Tables

/// One pass over the rows of a table or of JSON lines, in their order. Not safe to share between threads.
package final class RowStream {
    private let reader: TableReader
    private let readsNumbers: Bool

    /// Opens a file at its first row.
    ///
    /// - Parameter path: a name that says what the file is, as `TableFormat` knows it
    /// - Throws: `UserError` `.missing`, `.inputOutput`, or `.content` for a file that is damaged or of a format that is not read
    package init(path: String) throws(UserError) {
        let file = try TableFile(path: path)
        reader = try file.reader()
        readsNumbers = file.format == .csv || file.format == .tsv
    }

    /// The next row, or what is wrong with it; nil at the end.
    ///
    /// - Throws: `UserError` when the file cannot be read on
    package func next() throws(UserError) -> Result<RowObject, UserError>? {
        do throws(UserError) {
            guard let row = try reader.next() else { return nil }
            // Images that stand in the rows are refused: a pass keeps nothing.
            return .success(RowObject(try row.withoutBytes(nil), readsNumbers: readsNumbers))
        } catch {
            guard reader.canGoOn else { throw error }
            return .failure(error)
        }
    }

    /// Passes over the next row, whatever is wrong within it.
    ///
    /// - Returns: whether there was a row
    /// - Throws: `UserError` when the file cannot be read on
    package func pass() throws(UserError) -> Bool { try reader.pass() }

    /// About how many bytes the row takes that was last read or passed over; the same either way.
    package var rowBytes: Int { reader.rowBytes }

    /// The tables that a path, a folder or a pattern with `*`, `?` and `[ ]` means, in the order of the bytes of their paths.
    ///
    /// - Throws: `UserError` `.missing` when nothing is meant, `.content` when a folder holds tables of several formats
    package static func files(_ pattern: String) throws(UserError) -> [String] { try TableGlob.files(pattern) }

    /// The tables in a folder, of whatever formats, in the order of the bytes of their names.
    ///
    /// - Throws: `UserError` `.missing` when there is none
    package static func allFiles(inFolder folder: String) throws(UserError) -> [String] { try TableGlob.tables(in: folder) }
}
