// What the plan knows of every row: its task, and the content and length of its texts. Read from mapped token indexes row by
// row, so that every rank can plan every step without reading a text, and a start does not depend on the number of rows.

import Model
import Tensor

/// A text of a row as the plan sees it.
package struct InputSummary: Sendable, Equatable {
    package let content: ContentHash
    /// Prompt included, after truncation.
    package let tokens: Int32
}

/// A row as the plan sees it.
package struct RowSummary: Sendable, Equatable {
    /// Index of its file in `data.train`, and of the row in the file.
    package let file: Int
    package let row: Int
    /// Index among the model's tasks.
    package let task: Int
    package let anchor: InputSummary
    package let positive: InputSummary
    /// Hard negatives that are used; `negativePlaces` are their indices in the row.
    package let negatives: [InputSummary]
    package let negativePlaces: [Int]
    /// The grade of a graded row.
    package var score: Float? = nil
}

/// The rows of all training files in order, without those held out.
package struct RowIndex: RandomAccessCollection, Sendable {
    /// One a file of `data.train`.
    let files: [TokenIndex]
    /// Number of the first row of each file.
    private let starts: [Int]

    package let startIndex = 0
    package let endIndex: Int

    init(_ files: [TokenIndex]) {
        self.files = files
        starts = files.indices.map { files[..<$0].reduce(0) { $0 + $1.header.rows } }
        endIndex = files.reduce(0) { $0 + $1.header.rows }
    }

    package subscript(row: Int) -> RowSummary {
        let file = file(ofRow: row)
        return files[file].summary(ofRow: row - starts[file], file: file)
    }

    /// Texts that were cut at the limit of tokens.
    package var truncated: Int { files.reduce(0) { $0 + $1.header.truncated } }
    /// Hard negatives left out because they equal their row's positive.
    package var droppedNegatives: Int { files.reduce(0) { $0 + $1.header.droppedNegatives } }
    /// Whether rows are kept for evaluation.
    package var holdsOut: Bool { files.contains(where: \.header.holdsOut) }

    /// [tasks]
    package var rowsByTask: [Int] {
        files.dropFirst().reduce(files[0].header.rowsByTask) { sums, file in zip(sums, file.header.rowsByTask).map { $0 + $1 } }
    }

    /// The task of each row.                                       [rows]
    package var tasks: [Int] {
        var tasks: [Int] = []
        tasks.reserveCapacity(count)
        for file in files {
            for row in 0..<file.header.rows { tasks.append(file.task(ofRow: row)) }
        }
        return tasks
    }

    /// Of all texts of a row.
    func tokenCount(ofRow row: Int) -> Int {
        let file = file(ofRow: row)
        return files[file].tokenCount(ofRow: row - starts[file])
    }

    /// The tokens of a text, prompt included, cut at the limit.
    ///
    /// - Throws: `UserError` `.inputOutput` when they are damaged
    package func tokens(ofRow row: Int, _ text: RowText) throws(UserError) -> [Int32] {
        let file = file(ofRow: row)
        return try files[file].tokens(ofRow: row - starts[file], text)
    }

    /// The same for planned inputs.
    func tokens(of inputs: [PlannedInput]) throws(UserError) -> [[Int32]] {
        var lists: [[Int32]] = []
        for input in inputs { lists.append(try tokens(ofRow: input.row, input.text)) }
        return lists
    }

    private func file(ofRow row: Int) -> Int { starts.lastIndex { $0 <= row }! }
}
