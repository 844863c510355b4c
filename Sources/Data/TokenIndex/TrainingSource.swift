// The training files with what turns their rows into inputs of known length: prompts, tokenizer, image processor.

import Files
import Model
import Tensor

/// The files of `data.train`, and what makes inputs of their rows.
package struct TrainingSource: Sendable {
    /// A file of rows and the task of rows that name none.
    package struct File: Sendable {
        /// The path as it was given.
        package let path: String
        /// The task of rows that name none.
        package let task: String
        /// The range that scores must lie in; nil: any finite number.
        package let scoreRange: ClosedRange<Double>?
        /// The prompts that stand before anchors, and before positives and negatives.     [tasks]
        package let prompts: [(anchor: String, candidate: String)]
    }

    /// The files in the order of the configuration.
    package let files: [File]
    /// The tasks that have an adapter.
    package let taskNames: [String]
    private let processor: TextProcessor
    /// Version of the program, on which the tokens of its indexes depend.
    private let version: String
    /// How images of rows are taken; nil: no row has images.
    private let images: RowImages?
    private let dropsEqualNegatives: Bool
    /// Whether every fifth row of a file that is large enough is kept for evaluation (see HeldOutRows).
    private let holdsOut: Bool

    /// Creates a source. No file is read.
    ///
    /// - Parameters:
    ///   - files: path, and task of rows that name none
    ///   - taskNames: a row with another task is refused
    ///   - version: of the program that reads the rows
    ///   - images: how images of rows are taken; nil: no row has images
    ///   - dropsEqualNegatives: leave out hard negatives that equal their row's positive
    ///   - holdsOut: whether every fifth row of a file that is large enough is kept for evaluation
    ///   - scoreRanges: what scores may be, by file; any finite number where there is none
    ///   - prompts: what stands before a file's anchors and candidates, for a task
    package init(
        files: [(path: String, task: String)], taskNames: [String], processor: TextProcessor, version: String, images: RowImages? = nil,
        dropsEqualNegatives: Bool = true, holdsOut: Bool = false, scoreRanges: [Int: ClosedRange<Double>] = [:],
        prompts: (_ file: Int, _ task: String) -> (anchor: String, candidate: String)
    ) {
        self.files = files.enumerated().map { number, file in
            File(
                path: file.path, task: file.task, scoreRange: scoreRanges[number], prompts: taskNames.map { prompts(number, $0) })
        }
        self.taskNames = taskNames
        self.processor = processor
        self.version = version
        self.images = images
        self.dropsEqualNegatives = dropsEqualNegatives
        self.holdsOut = holdsOut
    }

    /// A number for each prompt of each file. Equal prompt texts have equal numbers.
    package var promptNumbers: PromptNumbers {
        let texts = Array(Set(files.flatMap(\.prompts).flatMap { [$0.anchor, $0.candidate] }.map { Array($0.utf8) }))
        let numbers = files.map { file in
            file.prompts.map { pair in (texts.firstIndex(of: Array(pair.anchor.utf8))!, texts.firstIndex(of: Array(pair.candidate.utf8))!) }
        }
        return PromptNumbers(anchor: { numbers[$0][$1].0 }, candidate: { numbers[$0][$1].1 })
    }

    /// SHA-256 of everything that the rows of a file depend on, beside the file's bytes and the format of token indexes.    [32]
    package func key(ofFile number: Int) -> [UInt8] {
        let file = files[number]
        let parts: JSONValue = [
            "shoal": .string(version), "tokenizer": .string(SHA256.hex(processor.tokenizer.fingerprint)),
            "maximum tokens": .integer(Int64(processor.maxTokens)), "task": .string(file.task),
            "tasks": .array(taskNames.map { .string($0) }),
            "prompts": .array(file.prompts.map { .array([.string($0.anchor), .string($0.candidate)]) }),
            "drops equal negatives": .bool(dropsEqualNegatives), "holds out": .bool(holdsOut),
            "images": images?.key ?? .null, "image folder": .string(images?.baseFolder.map(TokenCache.resolved) ?? ""),
            "score range": file.scoreRange.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null,
        ]
        return SHA256.hash(of: parts.serialized(pretty: false))
    }

    /// Opens a training file by its number.
    ///
    /// - Throws: `UserError` when the file is missing or holds no row
    package func open(_ number: Int) throws(UserError) -> PairFile {
        let file = files[number]
        return try PairFile(
            path: file.path, task: file.task, knownTasks: taskNames, scoreRange: file.scoreRange, imageBase: images?.baseFolder)
    }

    /// Whether rows of a file are held out: of a small one none.
    package func holdsOut(of pairs: PairFile) -> Bool { holdsOut && pairs.count > HeldOutRows.smallestFile }

    /// Reads and tokenizes rows on all threads.
    ///
    /// - Parameters:
    ///   - pairs: the opened file
    ///   - file: its number
    /// - Throws: the error of the first bad row
    func tokenized(_ rows: Range<Int>, of pairs: PairFile, file: Int) throws(UserError) -> TokenPart {
        let grain = 32
        let holdsOut = holdsOut(of: pairs)
        let parts = Threads.map((rows.count + grain - 1) / grain, grain: 1) { number in
            Result { () throws(UserError) in
                var part = TokenPart()
                for place in number * grain..<min((number + 1) * grain, rows.count) {
                    try append(row: rows.lowerBound + place, of: pairs, file, to: &part, holdsOut: holdsOut)
                }
                return part
            }
        }
        var all = TokenPart()
        for part in parts { all.append(try part.get()) }
        return all
    }

    private func append(row: Int, of pairs: PairFile, _ file: Int, to part: inout TokenPart, holdsOut: Bool) throws(UserError) {
        let content = try pairs.row(row)
        let measured: [RowImages.Measured?]
        switch try measure(content, pairs, row) {
        case .measured(let images): measured = images
        case .leftOut(let name):
            part.skipRow(image: name, try? FileIdentity(path: pairs.images.path(of: name)))
            return
        }
        if holdsOut, try HeldOutRows.contain(content, images: pairs.images) { return }
        let task = taskNames.firstIndex(of: content.task)!
        let prompt = files[file].prompts[task]
        func append(_ input: Int, _ prefix: String, place: Int = 0) throws(UserError) {
            let teacher = input == 0 || content.teacherScores.isEmpty ? nil : content.teacherScores[input - 1]
            switch content.inputs[input] {
            case .image(let name): part.append(measured[input]!, name: name, place: place, teacherScore: teacher)
            case .text(let text):
                let (ids, isTruncated) = processor.encode(text, prefix: prefix)
                guard !ids.isEmpty else {
                    throw pairs.fault(
                        row, "a text of this row gives no token; write words that the tokenizer knows, or remove the row")
                }
                part.truncated += isTruncated ? 1 : 0
                part.append(ContentHash(of: text), ids, place: place, teacherScore: teacher)
            }
        }
        part.beginRow(row, task: task, score: content.score)
        try append(0, prompt.anchor)
        try append(1, prompt.candidate)
        for place in content.negatives.indices {
            let isEqual = measured[2 + place].map { $0.content == measured[1]?.content } ?? (content.negatives[place] == content.positive)
            if dropsEqualNegatives && isEqual {
                part.droppedNegatives += 1
            } else {
                try append(2 + place, prompt.candidate, place: place)
            }
        }
        part.endRow()
    }

    /// The rows that training does not see, with the folder of each one's images: those that the index lacks, but for the ones left
    /// out for an image. No other row is read, and no image.
    ///
    /// - Parameter index: of these files
    /// - Throws: `UserError` of a file or row that cannot be read
    package func heldOutRows(_ index: RowIndex) throws(UserError) -> [(row: TrainingRow, images: ImageFolder)] {
        var rows: [(row: TrainingRow, images: ImageFolder)] = []
        for (file, indexed) in index.files.enumerated() where indexed.header.holdsOut {
            let (pairs, absent, bad) = (try open(file), indexed.absentRows, indexed.badImages)
            for content in try pairs.rows(absent) where !content.inputs.contains(where: { $0.imageName.map(bad.contains) ?? false }) {
                rows.append((content, pairs.images))
            }
        }
        return rows
    }

    private enum RowMeasure {
        /// The measure of each input's image, nil for a text.           [inputs]
        case measured([RowImages.Measured?])
        /// The row is left out, because of the image of this name.
        case leftOut(String)
    }

    /// Measures the images of a row.
    ///
    /// - Throws: for an image that cannot be used, unless such rows are left out; for one that is too long
    private func measure(_ content: TrainingRow, _ pairs: PairFile, _ row: Int) throws(UserError) -> RowMeasure {
        let inputs = content.inputs
        guard inputs.contains(where: { $0.imageName != nil }) else {
            return .measured(Array(repeating: nil, count: inputs.count))
        }
        guard let images else { preconditionFailure("training source: a row with images") }
        try images.requireReader()
        var measured: [RowImages.Measured?] = []
        for input in inputs {
            guard let name = input.imageName else {
                measured.append(nil)
                continue
            }
            do { measured.append(try images.measure(pairs.images.path(of: name))) } catch {
                guard !images.skipsBad else { return .leftOut(name) }
                throw pairs.fault(row, "the image \(error.file.description)")
            }
            if let fault = images.lengthFault(measured.last!!) {
                throw pairs.fault(row, "the image \(pairs.images.path(of: name)) \(fault)")
            }
        }
        return .measured(measured)
    }
}

extension TrainingRow {
    /// Anchor, positive, negatives.
    fileprivate var inputs: [RowInput] { [anchor, positive] + negatives }
}

extension PairFile {
    fileprivate func fault(_ row: Int, _ message: String) -> UserError {
        UserError(.content, path, line: lineNumber(ofRow: row), message)
    }
}
