// What the plan knows of every row: its task, and the content and length of its inputs. Read from mapped token indexes row by
// row, so that every rank can plan every step without reading a text or image, and a start does not depend on the number of rows.

import Files

/// A text or image of a row as the plan sees it.
package struct InputSummary: Sendable, Equatable {
    /// Hash of the content.
    package let content: ContentHash
    /// Number of tokens, prompt included, after truncation.
    package let tokens: Int32
    /// Whether it is an image.
    package var isImage = false
    /// Hash of the row's own prompt; 0 for the file's prompt.
    package var ownPrompt: Int64 = 0
}

/// A row as the plan sees it.
package struct RowSummary: Sendable, Equatable {
    /// Index of the row's file in `data.train`.
    package let file: Int
    /// Number of the row in its file, counted from 0.
    package let row: Int
    /// Index of the row's task among the model's tasks.
    package let task: Int
    /// What is searched with.
    package let anchor: InputSummary
    /// What should be found.
    package let positive: InputSummary
    /// The hard negatives that are used; `negativePlaces` are their indices in the row.
    package let negatives: [InputSummary]
    /// The index in the row of each of `negatives`.
    package let negativePlaces: [Int]
    /// The grade of a graded row; nil: the row is not graded.
    package var score: Float?
    /// A teacher's scores of the positive, then of `negatives`; empty: none.
    package var teacherScores: [Float] = []
}

/// The task of a row and whether it is graded, which all rows of a batch have in common.
package struct RowKind: Hashable, Sendable {
    /// Index of the rows' task among the model's tasks.
    package let task: Int
    /// Whether the rows are graded.
    package let isGraded: Bool

    /// Creates the kind of rows of a task.
    package init(task: Int, isGraded: Bool = false) {
        self.task = task
        self.isGraded = isGraded
    }
}

/// The rows of all training files in order, without those held out.
package struct RowIndex: RandomAccessCollection, Sendable {
    /// The token indexes, one a file of `data.train`.
    package let files: [TokenIndex]
    /// Number of the first row of each file.
    private let starts: [Int]

    /// The first row.
    package let startIndex = 0
    /// Number of rows.
    package let endIndex: Int

    /// Creates the index over some files, their rows one after the other.
    package init(_ files: [TokenIndex]) {
        self.files = files
        starts = files.indices.map { files[..<$0].reduce(0) { $0 + $1.header.rows } }
        endIndex = files.reduce(0) { $0 + $1.header.rows }
    }

    /// Lengths and contents of a row.
    package subscript(row: Int) -> RowSummary {
        let file = file(ofRow: row)
        return files[file].summary(ofRow: row - starts[file], file: file)
    }

    /// Number of texts that were cut at the limit of tokens.
    package var truncated: Int { files.reduce(0) { $0 + $1.header.truncated } }
    /// Number of hard negatives left out because they equal their row's positive.
    package var droppedNegatives: Int { files.reduce(0) { $0 + $1.header.droppedNegatives } }
    /// Number of rows left out because of an image that cannot be used.
    package var skippedRows: Int { files.reduce(0) { $0 + $1.header.skippedRows } }
    /// Whether any row has an image.
    package var hasImages: Bool { files.contains { $0.header.hasImages } }
    /// Whether rows are kept for evaluation.
    package var holdsOut: Bool { files.contains(where: \.header.holdsOut) }

    /// Number of rows of each task.                                 [tasks]
    package var rowsByTask: [Int] { sum(\.rowsByTask) }
    /// Number of graded rows of each task.                          [tasks]
    package var gradedByTask: [Int] { sum(\.gradedByTask) }

    /// The kind of each row.                                       [rows]
    package var kinds: [RowKind] {
        var kinds: [RowKind] = []
        kinds.reserveCapacity(count)
        for file in files {
            for row in 0..<file.header.rows { kinds.append(file.kind(ofRow: row)) }
        }
        return kinds
    }

    /// The first row without a score, as it is counted in its training file; nil when all have one.
    package var firstUngraded: (file: Int, row: Int)? {
        for (number, file) in files.enumerated() where file.header.gradedByTask != file.header.rowsByTask {
            let row = (0..<file.header.rows).first { !file.kind(ofRow: $0).isGraded }!
            return (number, file.number(ofRow: row))
        }
        return nil
    }

    /// Number of rows of which a teacher has scored several candidates, so that there is something to learn of it.
    package var taughtRows: Int {
        files.reduce(0) { sum, file in
            sum + (0..<file.header.rows).count { file.hasTeacherScores(ofRow: $0) && file.negativeCount(ofRow: $0) > 0 }
        }
    }

    /// The first row with neither a score nor a teacher's scores, as it is counted in its training file; nil when there is none.
    package var firstUntaught: (file: Int, row: Int)? {
        for (number, file) in files.enumerated() {
            let row = (0..<file.header.rows).first { !file.kind(ofRow: $0).isGraded && !file.hasTeacherScores(ofRow: $0) }
            if let row { return (number, file.number(ofRow: row)) }
        }
        return nil
    }

    /// Number of tokens of all inputs of a row, and of its images alone.
    package func tokenCount(ofRow row: Int) -> (all: Int, images: Int) {
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

    /// An image of a row.
    package func image(ofRow row: Int, _ text: RowText) -> ImageFile {
        let file = file(ofRow: row)
        return files[file].image(ofRow: row - starts[file], text)
    }

    /// The ids or images that planned inputs stand for.             [inputs]
    ///
    /// - Throws: `UserError` `.inputOutput` when tokens are damaged
    package func encoded(_ inputs: [PlannedInput]) throws(UserError) -> [EncodedInput] {
        var encoded: [EncodedInput] = []
        for input in inputs {
            encoded.append(
                input.isImage
                    ? .image(image(ofRow: input.row, input.text)) : .text(try tokens(ofRow: input.row, input.text)))
        }
        return encoded
    }

    private func sum(_ counts: (TokenIndexHeader) -> [Int]) -> [Int] {
        files.dropFirst().reduce(counts(files[0].header)) { sums, file in zip(sums, counts(file.header)).map { $0 + $1 } }
    }

    /// The last file that starts at the row or before it, by halving: a data set may have thousands of shards.
    private func file(ofRow row: Int) -> Int {
        var (low, high) = (0, starts.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if starts[middle] <= row { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
