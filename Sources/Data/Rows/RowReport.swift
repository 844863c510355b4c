// What was found while the rows of a file were read: their keys, and the rows that cannot be used. Kept with the file's tokens, so
// that a later run that does not read the rows again says the same.

import Files

/// What is to be said of the rows of a file. Sums of any split of the rows are the same.
package struct RowReport: Sendable, Equatable {
    /// The keys of the rows.
    package var keys = KeyCensus()
    /// Number of rows that cannot be used.
    package private(set) var badRows = 0
    /// Number of rows with several positives, each of which became several examples.
    package var rowsWithSeveralPositives = 0
    /// The first of the rows that cannot be used, at most ten: number in the file and what is wrong, in the order of the file.
    package private(set) var firstBad: [BadRow] = []

    /// A row that cannot be used.
    package struct BadRow: Sendable, Equatable {
        /// Number of the row in its file, counted from 0.
        package let row: Int
        /// The line, counted from 1; of a table without lines the row's number.
        package let line: Int
        /// The column of the fault, counted from 1; nil when it has none.
        package let column: Int?
        /// What is wrong with it, without its place.
        package let message: String

        /// Notes why a row cannot be used.
        package init(row: Int, line: Int, _ error: UserError) {
            (self.row, self.line, column, message) = (row, error.line ?? line, error.column, error.message)
        }

        fileprivate init(row: Int, line: Int, column: Int?, message: String) {
            (self.row, self.line, self.column, self.message) = (row, line, column, message)
        }
    }

    /// Number of bad rows that are named.
    static let named = 10

    /// Creates an empty report.
    package init() {}

    /// Notes a row that cannot be used.
    package mutating func add(_ bad: BadRow) {
        badRows += 1
        firstBad = (firstBad + [bad]).firstOnes
    }

    /// Adds what was found in other rows of the file.
    package mutating func add(_ other: RowReport) {
        keys.add(other.keys)
        badRows += other.badRows
        rowsWithSeveralPositives += other.rowsWithSeveralPositives
        firstBad = (firstBad + other.firstBad).firstOnes
    }

    // MARK: - What is said

    /// The error for rows that cannot be used: the first, and how many more there are.
    package func badRowError(path: String) -> UserError? {
        guard let first = firstBad.first else { return nil }
        let more = badRows - 1
        let others =
            more == 0
            ? ""
            : "; \(Figures.count(more)) more \(more == 1 ? "row" : "rows") of this file cannot be used either (shoal inspect lists them; "
                + "data.on_bad_row: skip leaves them out)"
        return UserError(.content, path, line: first.line, column: first.column, first.message + others)
    }

    /// The rows that were left out, for a notice; nil when there is none.
    package func badRowSentence(path: String, rows: Int) -> String? {
        guard badRows > 0 else { return nil }
        let lines = firstBad.map { "\($0.line)" }.joined(separator: ", ")
        let more = badRows > firstBad.count ? ", …" : ""
        return
            "\(Figures.count(badRows, "row")) of \(Figures.count(rows)) in \(path) left out, because they cannot be used (lines \(lines)\(more); "
            + "the first: \(firstBad[0].message))"
    }

    // MARK: - As JSON, between ranks and in a token index

    /// The report as an object.
    package var json: JSONValue {
        let bad = firstBad.map { bad in
            JSONValue.array([
                .integer(Int64(bad.row)), .integer(Int64(bad.line)), bad.column.map { .integer(Int64($0)) } ?? .null, .string(bad.message),
            ])
        }
        return [
            "keys": keys.json, "bad rows": .integer(Int64(badRows)), "several positives": .integer(Int64(rowsWithSeveralPositives)),
            "first bad": .array(bad),
        ]
    }

    /// The report of an object that `json` has made; nil for anything else.
    package init?(_ json: JSONValue) {
        guard case .object(let object) = json, let keys = object["keys"].flatMap(KeyCensus.init),
            case .integer(let bad)? = object["bad rows"],
            case .integer(let several)? = object["several positives"], case .array(let first)? = object["first bad"]
        else { return nil }
        self.keys = keys
        (badRows, rowsWithSeveralPositives) = (Int(bad), Int(several))
        for entry in first {
            guard case .array(let parts) = entry, parts.count == 4, case .integer(let row) = parts[0], case .integer(let line) = parts[1],
                case .string(let message) = parts[3]
            else { return nil }
            let column: Int? = if case .integer(let column) = parts[2] { Int(column) } else { nil }
            firstBad.append(BadRow(row: Int(row), line: Int(line), column: column, message: message))
        }
    }
}

extension [RowReport.BadRow] {
    /// The first ten in the order of the file.
    fileprivate var firstOnes: Self { Array(sorted { $0.row < $1.row }.prefix(RowReport.named)) }
}
