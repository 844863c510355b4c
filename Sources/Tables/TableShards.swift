// Several files that are one table: shards, one after another, with the same columns.

import Files

/// The shards of a table. Only their footers or headers are read here; no shard stays open.
///
///     let shards = try TableShards("data/train-*.parquet")
///     let reader = shards.reader(.columns(["question", "answer"]))
///     while let row = try reader.next() { print(row.place) }
package struct TableShards: Sendable {
    /// The files in the order in which they are read.
    package let paths: [String]
    /// The format of all of them.
    package let format: TableFormat
    /// The columns of the first; the others have the same in any order. Empty for JSON.
    package let columns: [TableColumn]
    /// The rows of all files where they say it (Parquet), else nil.
    package let rowCount: Int?

    /// Finds the files and checks that they agree.
    ///
    /// - Parameter pattern: a file, a folder or a pattern, as `TableGlob.files` reads it
    /// - Throws: `UserError` `.missing`, `.inputOutput` or `.content`, naming two shards and the column in which they differ
    package init(_ pattern: String) throws(UserError) { try self.init(paths: try TableGlob.files(pattern)) }

    /// Checks that these files agree.
    ///
    /// - Parameter paths: one or more
    /// - Throws: as the other `init`
    package init(paths: [String]) throws(UserError) {
        precondition(!paths.isEmpty, "shards: no path")
        self.paths = paths
        let first = try TableFile(path: paths[0])
        (format, columns) = (first.format, first.columns)
        var rows = first.rowCount
        for path in paths.dropFirst() {
            let other = try TableFile(path: path)
            try Self.check(other, against: first)
            // Both numbers lie below 2⁶², as the footer checks.
            rows = rows.flatMap { sum in other.rowCount.map { (sum &+ $0).magnitude > UInt(Int.max / 2) ? Int.max / 2 : sum + $0 } }
        }
        rowCount = rows
    }

    /// A reader of the rows of all shards from the first one on.
    package func reader(_ projection: TableProjection = .all) -> TableShardReader { TableShardReader(paths, projection) }

    private static func check(_ other: TableFile, against first: TableFile) throws(UserError) {
        guard other.format == first.format else {
            throw UserError(
                .content, other.path, "is \(other.format.rawValue) where \(first.path) is \(first.format.rawValue); shards have one format")
        }
        for column in first.columns {
            guard let same = other.columns.first(where: { $0.name.utf8.elementsEqual(column.name.utf8) }) else {
                throw UserError(
                    .content, other.path, "has no column \(quoted(column.name)), which \(first.path) has; shards must have the same columns"
                )
            }
            guard same.type == column.type else {
                throw UserError(
                    .content, other.path,
                    "column \(quoted(column.name)) holds \(same.type) where \(first.path) holds \(column.type); "
                        + "shards must have the same columns")
            }
        }
        for column in other.columns where !first.columns.contains(where: { $0.name.utf8.elementsEqual(column.name.utf8) }) {
            throw UserError(
                .content, other.path, "has the column \(quoted(column.name)), which \(first.path) lacks; shards must have the same columns")
        }
    }
}

/// One pass over the rows of several files. Not safe to share between threads.
package final class TableShardReader {
    private var paths: ArraySlice<String>
    private let projection: TableProjection
    private var reader: TableReader?

    init(_ paths: [String], _ projection: TableProjection) {
        self.paths = paths[...]
        self.projection = projection
    }

    /// The next row, of this shard or the next one that has any, or nil at the end of the last.
    ///
    /// - Throws: `UserError` as `TableFile` and `TableReader` do
    package func next() throws(UserError) -> TableRow? {
        while true {
            if let row = try reader?.next() { return row }
            guard let path = paths.popFirst() else { return nil }
            reader = try TableFile(path: path).reader(projection)
        }
    }
}
