// A file of training rows, as an entry of `data.train` names it. Rows are parsed when asked for: the plan needs only their
// number, and ranks check and tokenize the rows by shares.

import Files
import Tensor

/// The rows of a `.jsonl` or `.jsonl.gz` file, each with anchor, positive, negatives, task and score.
package struct PairFile: Sendable {
    private let file: RowFile
    private let task: String
    private let knownTasks: [String]
    private let scoreRange: ClosedRange<Double>?
    /// The rule by which the images of the rows are found.
    package let images: ImageFolder

    /// Opens a file of training rows.
    /// - Parameters:
    ///   - task: the task of rows that name none
    ///   - knownTasks: the model's; a row with another is refused
    ///   - scoreRange: what scores may be; nil: any finite number
    ///   - imageBase: the folder that images must lie in; nil: the file's own
    /// - Throws: `UserError` when the file is missing, unreadable or holds no row; the rows themselves are looked at by `row`
    package init(
        path: String, task: String, knownTasks: [String], scoreRange: ClosedRange<Double>? = nil, imageBase: String? = nil
    ) throws(UserError) {
        file = try RowFile(path: path)
        self.task = task
        self.knownTasks = knownTasks
        self.scoreRange = scoreRange
        images = try ImageFolder(dataFile: path, base: imageBase)
        guard file.count > 0 else {
            throw UserError(.content, path, "the file holds no rows; each line is one: {\"query\": \"...\", \"positive\": \"...\"}")
        }
    }

    /// The path as it was given.
    package var path: String { file.path }

    /// Number of rows, without blank lines.
    package var count: Int { file.count }

    /// The line of a row, counted from 1.
    package func lineNumber(ofRow row: Int) -> Int { file.lineNumber(ofRow: row) }

    /// The rows in ranges of at most so many bytes of text each, and of at least one row.
    func rounds(ofBytes limit: Int) -> [Range<Int>] { file.rounds(ofBytes: limit) }

    /// Reads and checks a row. May be called from several threads.
    ///
    /// - Throws: `UserError` for a row that cannot be trained on, naming file, line and column
    package func row(_ row: Int) throws(UserError) -> TrainingRow {
        try TrainingRow(file.row(row), fileTask: task, knownTasks: knownTasks, scoreRange: scoreRange, images: images)
    }

    /// Reads and checks some rows on all threads.
    ///
    /// - Throws: `UserError` of the first that cannot be trained on
    package func rows(_ numbers: [Int]) throws(UserError) -> [TrainingRow] {
        let results = Threads.map(numbers.count, grain: 32) { place in Result { () throws(UserError) in try row(numbers[place]) } }
        var rows: [TrainingRow] = []
        for result in results { rows.append(try result.get()) }
        return rows
    }

    /// All rows as pairs to rank, each with the folder of its images.
    ///
    /// - Throws: `UserError` of the first row that cannot be used, and for a row with a score: its second text is no passage to be found
    package func allPairs() throws(UserError) -> [(row: TrainingRow, images: ImageFolder)] {
        var rows: [(row: TrainingRow, images: ImageFolder)] = []
        for row in try self.rows(Array(0..<count)) { rows.append((row, images)) }
        guard let graded = rows.firstIndex(where: { $0.row.score != nil }) else { return rows }
        throw UserError(
            .content, path, line: lineNumber(ofRow: graded),
            "this row has a \"score\", and evaluation on pairs ranks positives; name a file of pairs without scores, or a BEIR folder")
    }
}
