// The training files with the prompts and the tokenizer that turn their texts into tokens.

import Model
import Tensor

/// All rows of `data.train`, by number, in file order.
package struct TrainingSource: Sendable {
    package let files: [PairFile]
    package let taskNames: [String]
    /// Whether every fifth row is kept for evaluation (see HeldOutRows).
    package let holdsOut: Bool
    private let processor: TextProcessor
    /// Prompts of a file's rows by task.                           [files][tasks]
    private let prompts: [[(anchor: String, candidate: String)]]
    /// Number of the first row of each file.
    private let starts: [Int]

    /// - Parameters:
    ///   - prompts: what stands before a file's anchors and candidates, for a task
    package init(
        files: [PairFile], taskNames: [String], processor: TextProcessor, holdsOut: Bool = false,
        prompts: (_ file: Int, _ task: String) -> (anchor: String, candidate: String)
    ) {
        self.files = files
        self.taskNames = taskNames
        self.processor = processor
        self.holdsOut = holdsOut
        self.prompts = files.indices.map { file in taskNames.map { prompts(file, $0) } }
        starts = files.indices.map { files[..<$0].reduce(0) { $0 + $1.count } }
    }

    package var rowCount: Int { files.reduce(0) { $0 + $1.count } }

    /// Equal prompt texts have equal numbers.
    package var promptNumbers: PromptNumbers {
        let texts = Array(Set(prompts.joined().flatMap { [$0.anchor, $0.candidate] }.map { Array($0.utf8) }))
        let numbers = prompts.map { file in
            file.map { pair in (texts.firstIndex(of: Array(pair.anchor.utf8))!, texts.firstIndex(of: Array(pair.candidate.utf8))!) }
        }
        return PromptNumbers(anchor: { numbers[$0][$1].0 }, candidate: { numbers[$0][$1].1 })
    }

    /// Reads and tokenizes rows on all threads.
    ///
    /// - Throws: the error of the first bad row
    func summaries(_ rows: Range<Int>, dropsEqualNegatives: Bool) throws(UserError) -> RowIndex {
        var results = [Result<(RowSummary, truncated: Int, dropped: Int)?, UserError>?](repeating: nil, count: rows.count)
        results.withUnsafeMutableBufferPointer { results in
            nonisolated(unsafe) let results = results
            Threads.run(rows.count, grain: 32) { block in
                for place in block {
                    results[place] = Result { () throws(UserError) in
                        try summary(ofRow: rows.lowerBound + place, dropsEqualNegatives)
                    }
                }
            }
        }
        var index = RowIndex()
        for result in results {
            guard let (summary, truncated, dropped) = try result!.get() else { continue }
            index.rows.append(summary)
            index.truncated += truncated
            index.droppedNegatives += dropped
        }
        return index
    }

    /// The tokens of a text, prompt included, cut at the limit.
    package func tokens(of row: RowSummary, _ text: RowText) throws(UserError) -> [Int32] {
        let content = try files[row.file].row(row.row)
        let prompt = prompts[row.file][row.task]
        switch text {
        case .anchor: return processor.encode(content.anchor, prefix: prompt.anchor).ids
        case .positive: return processor.encode(content.positive, prefix: prompt.candidate).ids
        case .negative(let place): return processor.encode(content.negatives[place], prefix: prompt.candidate).ids
        }
    }

    /// The same for many texts, on all threads.
    func tokens(of texts: [(row: RowSummary, text: RowText)]) throws(UserError) -> [[Int32]] {
        var results = [Result<[Int32], UserError>?](repeating: nil, count: texts.count)
        results.withUnsafeMutableBufferPointer { results in
            nonisolated(unsafe) let results = results
            Threads.run(texts.count, grain: 4) { block in
                for place in block {
                    results[place] = Result { () throws(UserError) in try tokens(of: texts[place].row, texts[place].text) }
                }
            }
        }
        var lists: [[Int32]] = []
        for result in results { lists.append(try result!.get()) }
        return lists
    }

    /// - Returns: nil for a row that is held out
    private func summary(ofRow number: Int, _ dropsEqualNegatives: Bool) throws(UserError) -> (RowSummary, truncated: Int, dropped: Int)? {
        let file = starts.lastIndex { $0 <= number }!
        let row = number - starts[file]
        let content = try files[file].row(row)
        if holdsOut && HeldOutRows.contain(anchor: content.anchor) { return nil }
        let task = taskNames.firstIndex(of: content.task)!
        let prompt = prompts[file][task]
        var truncated = 0
        func summarize(_ text: [UInt8], _ prefix: String) throws(UserError) -> InputSummary {
            let (ids, isTruncated) = processor.encode(text, prefix: prefix)
            guard !ids.isEmpty else {
                throw UserError(
                    .content, files[file].path, line: files[file].lineNumber(ofRow: row),
                    "a text of this row gives no token; write words that the tokenizer knows, or remove the row")
            }
            truncated += isTruncated ? 1 : 0
            return InputSummary(content: ContentHash(of: text), tokens: Int32(ids.count))
        }
        let places = content.negatives.indices.filter { !dropsEqualNegatives || content.negatives[$0] != content.positive }
        let anchor = try summarize(content.anchor, prompt.anchor)
        let positive = try summarize(content.positive, prompt.candidate)
        var negatives: [InputSummary] = []
        for place in places { negatives.append(try summarize(content.negatives[place], prompt.candidate)) }
        let summary = RowSummary(
            file: file, row: row, task: task, anchor: anchor, positive: positive, negatives: negatives, negativePlaces: places)
        return (summary, truncated, content.negatives.count - places.count)
    }
}
