// Errors of Parquet files: the file, the column, and what was found.

import Files

/// Where in a Parquet file something is read, for errors.
final class ParquetPlace: Sendable {
    let path: String
    /// The column's dotted path, or nil outside columns.
    let column: String?

    init(_ path: String, column: String? = nil) {
        self.path = path
        self.column = column
    }

    /// The file breaks a rule of its format.
    func damaged(_ what: String) -> UserError {
        UserError(.content, path, "\(start)its Parquet data are damaged: \(what); copy or download the file again")
    }

    /// The file is right, and holds what is not read.
    func refused(_ what: String) -> UserError { UserError(.content, path, "\(start)\(what)") }

    private var start: String { column.map { "column \(quoted($0)): " } ?? "" }
}

/// What a file may ask for. Files of common tools stay far below.
enum ParquetLimits {
    /// Bytes of the footer.
    static let footer = 256 << 20
    /// Elements of the schema, all levels together.
    static let schemaElements = 100_000
    /// Levels of groups within groups.
    static let depth = 32
    /// Bytes of a page, packed or not.
    static let page = 1 << 30
    /// Bytes of a dictionary page, whose values are kept while its row group is read.
    static let dictionary = 256 << 20
    /// Bytes of one text or byte array.
    static let value = 256 << 20
    /// Elements of all lists of one row.
    static let elementsOfRow = 1 << 24
}
