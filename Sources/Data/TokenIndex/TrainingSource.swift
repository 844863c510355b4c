// The training files with what turns their rows into inputs of known length: prompts, tokenizer, image processor.

import Files
import Model
import Tensor

/// The files of `data.train`, and what makes inputs of their rows.
package struct TrainingSource: Sendable {
    /// A file of rows and how they are read.
    package struct File: Sendable {
        /// The path as it was given.
        package let path: String
        /// How its rows are read.
        package let rules: RowRules
        /// The file of passages that its rows name by their ids; nil: rows hold their texts.
        package let passages: String?
        /// The data set that the file is a shard of, by its index in `data.train`.
        package let set: Int
        /// The prompts that stand before anchors, and before positives and negatives.     [tasks]
        package let prompts: [(anchor: String, candidate: String)]

        /// Creates a file.
        package init(
            path: String, _ rules: RowRules, passages: String? = nil, set: Int, prompts: [(anchor: String, candidate: String)]
        ) {
            self.path = path
            self.rules = rules
            self.passages = passages
            self.set = set
            self.prompts = prompts
        }
    }

    /// What becomes of rows that cannot be used.
    package enum BadRows: Sendable, Equatable {
        /// They end the run.
        case fail
        /// They are left out, up to this share of a file's rows.
        case skip(limit: Double)
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
    /// What becomes of rows that cannot be used.
    package let badRows: BadRows

    /// Creates a source. No file is read.
    ///
    /// - Parameters:
    ///   - files: in the order of the configuration
    ///   - taskNames: a row with another task is refused
    ///   - version: of the program that reads the rows
    ///   - images: how images of rows are taken; nil: no row has images
    ///   - dropsEqualNegatives: leave out hard negatives that equal their row's positive
    ///   - holdsOut: whether every fifth row of a file that is large enough is kept for evaluation
    ///   - badRows: what becomes of rows that cannot be used
    package init(
        files: [File], taskNames: [String], processor: TextProcessor, version: String, images: RowImages? = nil,
        dropsEqualNegatives: Bool = true, holdsOut: Bool = false, badRows: BadRows = .fail
    ) {
        self.files = files
        self.taskNames = taskNames
        self.processor = processor
        self.version = version
        self.images = images
        self.dropsEqualNegatives = dropsEqualNegatives
        self.holdsOut = holdsOut
        self.badRows = badRows
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
    ///
    /// - Throws: `UserError` when the file of passages cannot be read
    package func key(ofFile number: Int) throws(UserError) -> [UInt8] {
        let file = files[number]
        let passages = try file.passages.map { path throws(UserError) in SHA256.hex(try MappedFile(path: path).sha256()) }
        let parts: JSONValue = [
            "shoal": .string(version), "tokenizer": .string(SHA256.hex(processor.tokenizer.fingerprint)),
            "maximum tokens": .integer(Int64(processor.maxTokens)), "task": .string(file.rules.task),
            "tasks": .array(taskNames.map { .string($0) }),
            "prompts": .array(file.prompts.map { .array([.string($0.anchor), .string($0.candidate)]) }),
            "drops equal negatives": .bool(dropsEqualNegatives), "holds out": .bool(holdsOut),
            "images": images?.key ?? .null, "image folder": .string(images?.baseFolder.map(TokenCache.resolved) ?? ""),
            "score range": file.rules.scoreRange.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null,
            "rules": file.rules.key, "passages": passages.map { .string($0) } ?? .null, "skips bad rows": .bool(badRows != .fail),
        ]
        return SHA256.hash(of: parts.serialized(pretty: false))
    }

    /// Opens a training file by its number.
    ///
    /// - Throws: `UserError` when the file is missing or holds no row
    package func open(_ number: Int) throws(UserError) -> PairFile {
        let file = files[number]
        return try PairFile(
            path: file.path, file.rules, imageBase: images?.baseFolder, passages: file.passages, store: images?.store)
    }

    /// Whether rows of a file are held out: of a small one none.
    package func holdsOut(of pairs: PairFile) -> Bool { holdsOut && pairs.count > HeldOutRows.smallestFile }

    /// Reads and tokenizes rows on all threads. Rows that cannot be used are noted in the part's report, and left out.
    ///
    /// - Parameters:
    ///   - pairs: the opened file
    ///   - file: its number
    ///   - onlyChecks: whether the rows are looked at alone, because the run cannot go on
    /// - Throws: the error of the first image that cannot be used, where rows are left out but not for their images
    func tokenized(_ rows: Range<Int>, of pairs: PairFile, file: Int, onlyChecks: Bool = false) throws(UserError) -> TokenPart {
        let grain = 32
        let holdsOut = holdsOut(of: pairs)
        let parts = Threads.map((rows.count + grain - 1) / grain, grain: 1) { number in
            Result { () throws(UserError) in
                var part = TokenPart()
                for place in number * grain..<min((number + 1) * grain, rows.count) {
                    let row = rows.lowerBound + place
                    do throws(RowFault) {
                        let content = try RowFault.ofRow { () throws(UserError) in try pairs.read(row) }
                        part.report.keys.add(content.layout)
                        if content.examples.count > 1 { part.report.rowsWithSeveralPositives += 1 }
                        if !onlyChecks { try append(row, content.examples, of: pairs, file, to: &part, holdsOut: holdsOut) }
                    } catch {
                        guard !error.isOfRun, error.isOfRow || badRows == .fail else { throw error.error }
                        part.report.add(RowReport.BadRow(row: row, line: pairs.lineNumber(ofRow: row), error.error))
                    }
                }
                return part
            }
        }
        var all = TokenPart()
        for part in parts { all.append(try part.get()) }
        return all
    }

    /// Why a row cannot be used: by what it says, or by an image that it names, for which there is a rule of its own.
    private struct RowFault: Error {
        let error: UserError
        var isOfRow = true
        /// Whether no row with images could be used.
        var isOfRun = false

        static func ofRow<Value>(_ body: () throws(UserError) -> Value) throws(RowFault) -> Value {
            do { return try body() } catch { throw RowFault(error: error) }
        }

        static func ofImage<Value>(_ body: () throws(UserError) -> Value) throws(RowFault) -> Value {
            do { return try body() } catch { throw RowFault(error: error, isOfRow: false) }
        }
    }

    private func append(
        _ row: Int, _ examples: [TrainingRow], of pairs: PairFile, _ file: Int, to part: inout TokenPart, holdsOut: Bool
    ) throws(RowFault) {
        // All or none of a row's examples, whichever of them has the fault.
        var own = TokenPart()
        for example in examples {
            if example.inputs.contains(where: { $0.imageName != nil }) {
                do { try images?.requireReader() } catch { throw RowFault(error: error, isOfRow: false, isOfRun: true) }
            }
            let measured: [RowImages.Measured?]
            switch try RowFault.ofImage({ () throws(UserError) in try measure(example, pairs, row) }) {
            case .measured(let images): measured = images
            case .leftOut(let name):
                part.skipRow(image: name, try? FileIdentity(path: pairs.images.path(of: name)))
                return
            }
            if holdsOut, try RowFault.ofImage({ () throws(UserError) in try HeldOutRows.contain(example, images: pairs.images) }) { return }
            try RowFault.ofRow { () throws(UserError) in try append(row, example, measured, of: pairs, file, to: &own) }
        }
        part.append(own)
    }

    private func append(
        _ row: Int, _ content: TrainingRow, _ measured: [RowImages.Measured?], of pairs: PairFile, _ file: Int, to part: inout TokenPart
    ) throws(UserError) {
        let task = taskNames.firstIndex(of: content.task)!
        let prompt = files[file].prompts[task]
        func append(_ input: Int, _ prefix: String, place: Int = 0, prompt: Int64 = 0) throws(UserError) {
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
                part.append(ContentHash(of: text), ids, place: place, prompt: prompt, teacherScore: teacher)
            }
        }
        part.beginRow(row, task: task, score: content.score)
        if let own = content.prompt {
            // Zero stands for the file's prompt.
            try append(0, String(decoding: own, as: UTF8.self), prompt: ContentHash(of: own).high | 1)
        } else {
            try append(0, prompt.anchor)
        }
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
            // Rows that cannot be used are absent, too, where they are left out.
            let examples = badRows == .fail ? try pairs.examples(ofRows: absent) : pairs.examplesThatCanBeUsed(ofRows: absent)
            for content in examples.joined() where !content.inputs.contains(where: { $0.imageName.map(bad.contains) ?? false }) {
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
