// A table as users have it: Parquet, CSV, TSV, a JSON array or JSON lines, plain or packed with gzip or Zstandard.

import Files

/// A table, opened and recognised; its rows are read by readers, each from the start.
///
///     let table = try TableFile(path: "train.parquet")
///     let reader = try table.reader(.columns(["question", "answer"]))
///     while let row = try reader.next() { print(row.place, row["question"]) }
///
/// Safe to share between threads: nothing changes after `init`.
package final class TableFile: Sendable {
    /// The file.
    package let path: String
    /// What the file is.
    package let format: TableFormat
    /// The columns in their order. JSON has no list of its columns, so there it is empty; a reader notes them on the way.
    package let columns: [TableColumn]
    /// The number of rows where the file says it (Parquet), else nil.
    package let rowCount: Int?
    private let file: MappedFile
    private let packing: TablePacking
    private let footer: ParquetFooter?

    /// Opens a table and reads its footer or header.
    ///
    /// - Throws: `UserError` `.missing`, `.inputOutput`, or `.content` when the file is damaged, not read, or under a wrong name
    package init(path: String) throws(UserError) {
        self.path = path
        file = try MappedFile(path: path)
        packing = try TablePacking.of(file)
        let (stem, _) = TablePacking.ofName(path)
        if packing == .none {
            format = try TableFormat.of(stem: stem, start: file.bytes, path: path)
        } else {
            let stream = try ByteStream(file, packing)
            _ = try stream.fill { UserError(.content, path, "cannot be unpacked") }
            format = try TableFormat.of(stem: stem, start: stream.rest, path: path)
        }
        switch format {
        case .parquet:
            guard packing == .none else {
                let command = packing == .gzip ? "gunzip" : "unzstd"
                throw UserError(
                    .content, path, "is Parquet packed once more as a whole; Parquet packs its own columns: unpack it with \(command)")
            }
            let footer = try ParquetFooter(file)
            self.footer = footer
            rowCount = footer.rowCount
            columns = footer.columns
        case .csv, .tsv:
            footer = nil
            rowCount = nil
            let reader = try SeparatedReader(try ByteStream(file, packing), isTabbed: format == .tsv)
            columns = reader.names.map { TableColumn(name: $0, type: "text", refusal: nil) }
        case .jsonArray, .jsonLines:
            (footer, rowCount, columns) = (nil, nil, [])
        }
    }

    /// A reader of the rows from the first one on.
    ///
    /// - Throws: `UserError` `.content` when a wanted column is not there or of a type that is not read
    package func reader(_ projection: TableProjection = .all) throws(UserError) -> TableReader {
        switch format {
        case .parquet:
            let footer = footer!
            let places = try projection.places(in: columns, path: path)
            for place in places {
                guard let refusal = columns[place].refusal else { continue }
                throw UserError(.content, path, "column \(quoted(columns[place].name)) \(refusal); leave it out, or write it as text")
            }
            return TableReader(try ParquetReader(file, footer, places))
        case .csv, .tsv:
            let source = try SeparatedReader(try ByteStream(file, packing), isTabbed: format == .tsv)
            source.project(try projection.places(in: columns, path: path))
            return TableReader(source)
        case .jsonArray:
            let source = try JSONArrayReader(try ByteStream(file, packing))
            source.project(projection)
            return TableReader(source)
        case .jsonLines:
            let source = try JSONLinesReader(try ByteStream(file, packing))
            source.project(projection)
            return TableReader(source)
        }
    }

    /// Checks that the file is still the one that was opened.
    ///
    /// - Throws: `UserError` `.inputOutput` when the file was changed or replaced since it was opened
    package func checkUnchanged() throws(UserError) { try file.checkUnchanged() }
}
