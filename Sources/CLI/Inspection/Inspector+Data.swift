// Data: files of training rows or of texts, and datasets in BEIR's layout. Every row is read, so the first bad one is named.

import Data
import Embedding
import Evaluation
import Files
import Model
import Tensor
import Trainer

extension Inspector {
    /// A file of JSON lines or a table: training rows, or texts to embed.
    func rows(_ path: String) throws(UserError) -> Inspection {
        let file = try RowFile(path: path, store: .ofUser)
        guard file.count > 0 else { throw UserError(.content, path, "the file holds no rows") }
        let first = try file.row(0)
        let isTexts = first["text"] != nil && RowPart.positive.usualKeys.joined().allSatisfy { first[$0] == nil }
        var inspection = Inspection(path, isTexts ? "texts" : "training rows")
        inspection.add("rows", Figures.count(file.count))
        let measure = try TextMeasure(modelFolder)
        isTexts ? try addTexts(file, measure, to: &inspection) : try addPairs(path, file, measure, to: &inspection)
        try addHashes(of: [path], to: &inspection)
        return inspection
    }

    private func addPairs(_ path: String, _ rows: RowFile, _ measure: TextMeasure, to inspection: inout Inspection) throws(UserError) {
        var texts: [(name: String, texts: [PromptedText])] = [("anchors", []), ("positives", []), ("hard negatives", [])]
        var (contents, images): ([Set<ContentHash>], ImageMeasure) = ([[], []], ImageMeasure())
        var (tasks, negatives, withNegatives, scores): ([String: Int], Int, Int, [Double]) = ([:], 0, 0, [])
        // Without a model every task is as good as another.
        let named = measure.tasks ?? Set((0..<rows.count).compactMap { try? rows.row($0).text("task") }).sorted()
        let rules = RowRules(task: DataConfig.usualTask, knownTasks: named + [DataConfig.usualTask])
        // Which folder a run allows is the run's affair.
        let file = try PairFile(path: path, rules, imageBase: "/", store: .ofUser)
        var (readable, report) = file.allExamples()
        let folder = file.images
        // An image that cannot be used makes a bad row, too.
        readable.removeAll { number, examples in
            do throws(UserError) {
                for input in examples.flatMap({ [$0.anchor, $0.positive] + $0.negatives }) {
                    if let name = input.imageName { try images.check(folder.path(of: name)) }
                }
                return false
            } catch {
                let fault = UserError(.content, path, "the image \(error.description)")
                report.add(RowReport.BadRow(row: number, line: file.lineNumber(ofRow: number), fault))
                return true
            }
        }
        for row in readable.flatMap(\.examples) {
            tasks[row.task, default: 0] += 1
            negatives += row.negatives.count
            withNegatives += row.negatives.isEmpty ? 0 : 1
            if let score = row.score { scores.append(Double(score)) }
            let usual = PromptPair.usual(task: row.task)
            let query = row.prompt.map { String(decoding: $0, as: UTF8.self) } ?? usual.query
            for (side, input) in [(0, row.anchor), (1, row.positive)] + row.negatives.map({ (2, $0) }) {
                switch input {
                case .text(let text):
                    texts[side].texts.append(PromptedText(prefix: side == 0 ? query : usual.passage, text: text))
                case .image(let name): try images.add(folder.path(of: name), side: texts[side].name)
                }
                if side < 2 { contents[side].insert(try input.withContent(in: folder) { ContentHash(of: $0) }) }
            }
        }
        add(report, rules, path, to: &inspection)
        for task in tasks.keys.sorted() {
            inspection.add("task \(task)", Figures.count(tasks[task]!, "row"))
        }
        if let low = scores.min(), let high = scores.max() {
            let range = "\(Figures.short(low)) to \(Figures.short(high))"
            inspection.add("scores", "\(range) in \(Figures.count(scores.count, "row"))")
        }
        inspection.add("hard negatives", "\(Figures.count(negatives)) in \(Figures.count(withNegatives, "row"))")
        inspection.add("distinct anchors", Figures.count(contents[0].count))
        inspection.add("distinct positives", Figures.count(contents[1].count))
        images.addFacts(to: &inspection)
        inspection.add(measure.title, try measure.table(texts, images))
    }

    /// What the rows were read as, every key without a part in training, and the rows that cannot be used.
    private func add(_ report: RowReport, _ rules: RowRules, _ path: String, to inspection: inout Inspection) {
        if let sentence = report.keys.formSentence(path: path, rules.columns) { inspection.add("form", sentence) }
        if report.rowsWithSeveralPositives > 0 {
            inspection.add("several positives", Figures.count(report.rowsWithSeveralPositives, "row"))
        }
        for (key, rows) in report.keys.unreadKeys {
            let doubt = KeyCensus.doubt(key, rules).map { "; train refuses it: it \($0)" } ?? ""
            inspection.add("key without a part", "\"\(key)\" in \(Figures.count(rows, "row"))\(doubt)")
        }
        guard report.badRows > 0 else { return }
        inspection.add("rows that cannot be used", Figures.count(report.badRows))
        for bad in report.firstBad { inspection.add("line \(bad.line)", bad.message) }
        inspection.fault = report.badRowError(path: path)
    }

    private func addTexts(_ file: RowFile, _ measure: TextMeasure, to inspection: inout Inspection) throws(UserError) {
        var (texts, tasks): ([PromptedText], [String: Int]) = ([], [:])
        for number in 0..<file.count {
            let line = try file.row(number)
            guard let text = try line.text("text") else { throw line.fault("the row has no \"text\"") }
            let task = try line.text("task")
            if let task { tasks[task, default: 0] += 1 }
            let prompt = try line.text("prompt").map(Prompt.init) ?? .query
            let prompts = PromptPair.usual(task: task ?? DataConfig.usualTask)
            texts.append(PromptedText(prefix: prompts.prefix(prompt), text: Array(text.utf8)))
        }
        for task in tasks.keys.sorted() { inspection.add("task \(task)", Figures.count(tasks[task]!, "row")) }
        inspection.add("distinct texts", Figures.count(Set(texts.map { ContentHash(of: $0.text) }).count))
        inspection.add(measure.title, try measure.table([("texts", texts)]))
    }

    /// A retrieval dataset.
    func dataset(_ path: String) throws(UserError) -> Inspection {
        let dataset = try BeirDataset(folder: path)
        var inspection = Inspection(path, "a retrieval dataset in BEIR's layout")
        let prompts = PromptPair.usual(task: DataConfig.usualTask)
        inspection.add("documents", Figures.count(dataset.documents.count))
        inspection.add("judged queries", Figures.count(dataset.queries.count))
        inspection.add("judgements", Figures.count(dataset.queries.reduce(0) { $0 + $1.grades.count }))
        let measure = try TextMeasure(modelFolder)
        var images = ImageMeasure()
        for query in dataset.queries { if let image = query.image { try images.add(image, side: "queries") } }
        for document in dataset.documents { if let image = document.image { try images.add(image, side: "documents") } }
        images.addFacts(to: &inspection)
        let (queries, documents) = (dataset.queries.filter { $0.image == nil }, dataset.documents.filter { $0.image == nil })
        inspection.add(
            measure.title,
            try measure.table(
                [
                    ("queries", queries.map { PromptedText(prefix: prompts.query, text: $0.text) }),
                    ("documents", documents.map { PromptedText(prefix: prompts.passage, text: $0.text) }),
                ], images))
        return inspection
    }
}

/// How long texts are, in tokens of a model or in bytes; of images the tokens.
private struct TextMeasure {
    /// The model's; nil without one.
    let tasks: [String]?
    private let processor: TextProcessor?
    /// Why the model takes no images, where it does not; nil without a model.
    private let reader: Result<ImageReader, UserError>?

    init(_ modelFolder: String?) throws(UserError) {
        guard let modelFolder else {
            (tasks, processor, reader) = (nil, nil, nil)
            return
        }
        let config = try ModelConfig.read(folder: modelFolder)
        tasks = config.taskNames
        let tokenizer = try TextProcessor.tokenizer(folder: modelFolder, config: config)
        processor = TextProcessor(tokenizer, maxTokens: .max)
        reader = Result { () throws(UserError) in try ImageReader(folder: modelFolder, config, tokenizer) }
    }

    var title: String {
        processor == nil ? "Lengths in bytes; --model counts tokens" : "Lengths in tokens, prompt included"
    }

    /// - Throws: `UserError` when there are images and the model takes none, or not these
    func table(_ groups: [(name: String, texts: [PromptedText])], _ images: ImageMeasure = ImageMeasure()) throws(UserError) -> TextTable {
        var table = TextTable([.left, .right, .right, .right, .right, .right, .right])
        table.add(["", "count", "shortest", "median", "mean", "95 %", "longest"])
        var rows = groups.filter { !$0.texts.isEmpty }.map { ($0.name, lengths($0.texts)) }
        if let reader, !images.isEmpty { rows.append(("image files", try images.tokens(reader.get()))) }
        for (name, lengths) in rows {
            let lengths = lengths.sorted()
            let mean = Double(lengths.reduce(0, +)) / Double(lengths.count)
            let places = [0, (lengths.count - 1) / 2, (lengths.count - 1) * 95 / 100, lengths.count - 1]
            let figures = places.map { Figures.count(lengths[$0]) }
            table.add([name, Figures.count(lengths.count), figures[0], figures[1], Figures.fixed(mean, 1), figures[2], figures[3]])
        }
        return table
    }

    private func lengths(_ texts: [PromptedText]) -> [Int] {
        guard let processor else { return texts.map(\.text.count) }
        return Threads.map(texts.count, grain: 64) { processor.encode(texts[$0].text, prefix: texts[$0].prefix).ids.count }
    }
}
