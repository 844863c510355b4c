// The training files with the prompts and the tokenizer that turn their texts into tokens.

import Model
import Tensor

/// What `data.train` says, and what becomes of a row.
package struct TrainingSource: Sendable {
    package struct File: Sendable {
        package let path: String
        /// Of rows that name none.
        package let task: String
        /// What scores may be; nil: any finite number.
        let scoreRange: ClosedRange<Double>?
        /// What stands before anchors, and before positives and negatives.     [tasks]
        let prompts: [(anchor: String, candidate: String)]
    }

    package let files: [File]
    package let taskNames: [String]
    private let processor: TextProcessor
    private let dropsEqualNegatives: Bool
    /// Whether every fifth row of a file that is large enough is kept for evaluation (see HeldOutRows).
    private let holdsOut: Bool

    /// - Parameters:
    ///   - files: path, and task of rows that name none
    ///   - taskNames: a row with another task is refused
    ///   - dropsEqualNegatives: leave out hard negatives that equal their row's positive
    ///   - scoreRanges: what scores may be, by file; any finite number where there is none
    ///   - prompts: what stands before a file's anchors and candidates, for a task
    package init(
        files: [(path: String, task: String)], taskNames: [String], processor: TextProcessor, dropsEqualNegatives: Bool = true,
        holdsOut: Bool = false, scoreRanges: [Int: ClosedRange<Double>] = [:],
        prompts: (_ file: Int, _ task: String) -> (anchor: String, candidate: String)
    ) {
        self.files = files.enumerated().map { number, file in
            File(
                path: file.path, task: file.task, scoreRange: scoreRanges[number], prompts: taskNames.map { prompts(number, $0) })
        }
        self.taskNames = taskNames
        self.processor = processor
        self.dropsEqualNegatives = dropsEqualNegatives
        self.holdsOut = holdsOut
    }

    /// Equal prompt texts have equal numbers.
    package var promptNumbers: PromptNumbers {
        let texts = Array(Set(files.flatMap(\.prompts).flatMap { [$0.anchor, $0.candidate] }.map { Array($0.utf8) }))
        let numbers = files.map { file in
            file.prompts.map { pair in (texts.firstIndex(of: Array(pair.anchor.utf8))!, texts.firstIndex(of: Array(pair.candidate.utf8))!) }
        }
        return PromptNumbers(anchor: { numbers[$0][$1].0 }, candidate: { numbers[$0][$1].1 })
    }

    /// SHA-256 of everything that the rows of a file depend on, beside the file's bytes and the format of token indexes.    [32]
    func key(ofFile number: Int) -> [UInt8] {
        let file = files[number]
        let parts: JSONValue = [
            "shoal": .string(Versions.shoal), "tokenizer": .string(SHA256.hex(processor.tokenizer.fingerprint)),
            "maximum tokens": .integer(Int64(processor.maxTokens)), "task": .string(file.task),
            "tasks": .array(taskNames.map { .string($0) }),
            "prompts": .array(file.prompts.map { .array([.string($0.anchor), .string($0.candidate)]) }),
            "drops equal negatives": .bool(dropsEqualNegatives), "holds out": .bool(holdsOut),
            "score range": file.scoreRange.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null,
        ]
        return SHA256.hash(of: parts.serialized(pretty: false))
    }

    /// - Throws: `UserError` when the file is missing or holds no row
    func open(_ number: Int) throws(UserError) -> PairFile {
        let file = files[number]
        return try PairFile(path: file.path, task: file.task, knownTasks: taskNames, scoreRange: file.scoreRange)
    }

    /// Whether rows of a file are held out: of a small one none.
    func holdsOut(of pairs: PairFile) -> Bool { holdsOut && pairs.count > HeldOutRows.smallestFile }

    /// Reads and tokenizes rows on all threads.
    ///
    /// - Parameters:
    ///   - pairs: the opened file
    ///   - file: its number
    /// - Throws: the error of the first bad row
    func tokenized(_ rows: Range<Int>, of pairs: PairFile, file: Int) throws(UserError) -> TokenPart {
        let grain = 32
        let holdsOut = holdsOut(of: pairs)
        var parts = [Result<TokenPart, UserError>](repeating: .success(TokenPart()), count: (rows.count + grain - 1) / grain)
        parts.withUnsafeMutableBufferPointer { parts in
            nonisolated(unsafe) let parts = parts
            Threads.run(rows.count, grain: grain) { block in
                parts[block.lowerBound / grain] = Result { () throws(UserError) in
                    var part = TokenPart()
                    for place in block { try append(row: rows.lowerBound + place, of: pairs, file, to: &part, holdsOut: holdsOut) }
                    return part
                }
            }
        }
        var all = TokenPart()
        for part in parts { all.append(try part.get()) }
        return all
    }

    private func append(row: Int, of pairs: PairFile, _ file: Int, to part: inout TokenPart, holdsOut: Bool) throws(UserError) {
        let content = try pairs.row(row)
        if holdsOut && HeldOutRows.contain(content) { return }
        let task = taskNames.firstIndex(of: content.task)!
        let prompt = files[file].prompts[task]
        func append(_ text: [UInt8], _ prefix: String, place: Int = 0) throws(UserError) {
            let (ids, isTruncated) = processor.encode(text, prefix: prefix)
            guard !ids.isEmpty else {
                throw UserError(
                    .content, files[file].path, line: pairs.lineNumber(ofRow: row),
                    "a text of this row gives no token; write words that the tokenizer knows, or remove the row")
            }
            part.truncated += isTruncated ? 1 : 0
            part.append(ContentHash(of: text), ids, place: place)
        }
        part.beginRow(row, task: task, score: content.score)
        try append(content.anchor, prompt.anchor)
        try append(content.positive, prompt.candidate)
        for (place, negative) in content.negatives.enumerated() {
            if dropsEqualNegatives && negative == content.positive {
                part.droppedNegatives += 1
            } else {
                try append(negative, prompt.candidate, place: place)
            }
        }
        part.endRow()
    }
}
