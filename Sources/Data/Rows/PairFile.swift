// A file of training rows, as an entry of `data.train` names it. Rows are parsed when asked for: the plan needs only their
// number, and ranks check and tokenize the rows by shares.

import Files
import Tensor

/// The rows of a file, each with anchor, positives, negatives, task and score.
package struct PairFile: Sendable {
    private let file: RowFile
    private let passages: PassageFile?
    /// How the rows are read.
    package let rules: RowRules
    /// The rule by which the images of the rows are found.
    package let images: ImageFolder

    /// Opens a file of training rows.
    /// - Parameters:
    ///   - rules: how the rows are read
    ///   - imageBase: the folder that images must lie in; nil: the file's own
    ///   - passages: the file of texts that rows name by their ids; nil: rows hold their texts
    ///   - store: where images that stand in the rows themselves are written; nil: nowhere, and such a row is refused
    /// - Throws: `UserError` when a file is missing, unreadable or holds no row; the rows themselves are looked at by `examples`
    package init(
        path: String, _ rules: RowRules, imageBase: String? = nil, passages: String? = nil, store: ImageStore? = nil
    ) throws(UserError) {
        file = try RowFile(path: path, store: store)
        self.rules = rules
        images = try ImageFolder(dataFile: path, base: imageBase, store: store)
        guard file.count > 0 else {
            throw UserError(.content, path, "the file holds no rows; each line is one: {\"query\": \"...\", \"positive\": \"...\"}")
        }
        self.passages = try passages.map { path throws(UserError) in try PassageFile(path: path) }
    }

    /// The path as it was given.
    package var path: String { file.path }

    /// Number of rows, without blank lines.
    package var count: Int { file.count }

    /// The line of a row, counted from 1.
    package func lineNumber(ofRow row: Int) -> Int { file.lineNumber(ofRow: row) }

    /// The rows in ranges of at most so many bytes of text each, and of at least one row.
    func rounds(ofBytes limit: Int) -> [Range<Int>] { file.rounds(ofBytes: limit) }

    /// Reads and checks a row: one example for each of its positives. May be called from several threads.
    ///
    /// - Returns: the examples, and which keys were read
    /// - Throws: `UserError` `.content` for a row that cannot be trained on, naming file, line and column
    package func read(_ row: Int) throws(UserError) -> (examples: [TrainingRow], layout: RowLayout) {
        let object = try file.row(row)
        let layout = try RowLayout(object, rules)
        return (try TrainingRow.examples(of: object, layout, rules, images: images, passages: passages), layout)
    }

    /// The examples of a row, at least one. May be called from several threads.
    ///
    /// - Throws: `UserError` as `read` does
    package func examples(ofRow row: Int) throws(UserError) -> [TrainingRow] { try read(row).examples }

    /// Reads and checks some rows on all threads.
    ///
    /// - Returns: the examples of each row                          [numbers][...]
    /// - Throws: `UserError` of the first that cannot be trained on
    package func examples(ofRows numbers: [Int]) throws(UserError) -> [[TrainingRow]] {
        let results = Threads.map(numbers.count, grain: 32) { place in
            Result { () throws(UserError) in try examples(ofRow: numbers[place]) }
        }
        var rows: [[TrainingRow]] = []
        for result in results { rows.append(try result.get()) }
        return rows
    }

    /// Reads some rows on all threads, without those that cannot be trained on.
    ///
    /// - Returns: the examples of each row that can be used            [...][...]
    func examplesThatCanBeUsed(ofRows numbers: [Int]) -> [[TrainingRow]] {
        Threads.map(numbers.count, grain: 32) { index in try? examples(ofRow: numbers[index]) }.compactMap(\.self)
    }

    /// Reads and checks all rows on all threads, and takes part in the report instead of ending at the first bad row.
    ///
    /// - Returns: number and examples of each row that can be used, and what is to be said of the rows
    package func allExamples() -> (rows: [(number: Int, examples: [TrainingRow])], report: RowReport) {
        let results = Threads.map(count, grain: 32) { row in Result { () throws(UserError) in try read(row) } }
        var (rows, report): ([(number: Int, examples: [TrainingRow])], RowReport) = ([], RowReport())
        for (row, result) in results.enumerated() {
            switch result {
            case .success(let (examples, layout)):
                report.keys.add(layout)
                if examples.count > 1 { report.rowsWithSeveralPositives += 1 }
                rows.append((row, examples))
            case .failure(let error): report.add(RowReport.BadRow(row: row, line: lineNumber(ofRow: row), error))
            }
        }
        return (rows, report)
    }

    /// The examples of all rows as pairs to rank, each with the folder of its images.
    ///
    /// - Throws: `UserError` of the first row that cannot be used, with the number of the others; of a key that may be misspelt; and
    ///   for a row with a score: its second text is no passage to be found
    package func allPairs() throws(UserError) -> [(row: TrainingRow, images: ImageFolder)] {
        let (rows, report) = allExamples()
        if let error = report.badRowError(path: path) { throw error }
        try report.keys.check(path: path, rules)
        if let graded = rows.first(where: { $0.examples[0].score != nil }) {
            throw UserError(
                .content, path, line: lineNumber(ofRow: graded.number),
                "this row has a \"score\", and evaluation on pairs ranks positives; name a file of pairs without scores, or a BEIR folder")
        }
        return rows.flatMap(\.examples).map { ($0, images) }
    }
}
