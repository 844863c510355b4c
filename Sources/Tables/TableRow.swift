// A row of a table and where it stands in its file.

import Files

/// One row: its values by name, and its place for messages.
package struct TableRow: Sendable {
    /// Where the row stands.
    package let place: TablePlace
    /// The values. Of CSV and Parquet they stand in the order of the projection, of JSON in the order of the row's own keys.
    package let record: TableRecord

    /// Creates a row.
    package init(place: TablePlace, record: TableRecord) {
        self.place = place
        self.record = record
    }

    /// The value of a column, or nil when the row has no such column.
    package subscript(_ name: String) -> TableValue? { record[name] }
}

/// Where a row stands: its file, its number, and the line on which it begins where the file has lines.
package struct TablePlace: Sendable, Equatable {
    /// The file.
    package let path: String
    /// The row's number in its file, counted from 1.
    package let row: Int
    /// The line on which the row begins, counted from 1; nil in Parquet, which has none.
    package let line: Int?

    /// An error at this row, and at a column of it where one is given.
    package func fault(_ message: String, column: String? = nil, code: UserError.Code = .content) -> UserError {
        let start = [line == nil ? "row \(row)" : nil, column.map { "column \(quoted($0))" }].compactMap { $0 }.joined(separator: ", ")
        return UserError(code, path, line: line, start.isEmpty ? message : "\(start): \(message)")
    }
}
