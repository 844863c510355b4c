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
        let file = try RowFile(path: path)
        guard file.count > 0 else { throw UserError(.content, path, "the file holds no rows") }
        let first = try file.row(0)
        let isTexts = first["text"] != nil && ["positive", "pos", "sentence2"].allSatisfy { first[$0] == nil }
        var inspection = Inspection(path, isTexts ? "texts" : "training rows")
        inspection.add("rows", Figures.count(file.count))
        let measure = try TextMeasure(modelFolder)
        isTexts ? try addTexts(file, measure, to: &inspection) : try addPairs(file, measure, to: &inspection)
        try addHashes(of: [path], to: &inspection)
        return inspection
    }

    private func addPairs(_ file: RowFile, _ measure: TextMeasure, to inspection: inout Inspection) throws(UserError) {
        var texts: [(name: String, texts: [PromptedText])] = [("anchors", []), ("positives", []), ("hard negatives", [])]
        var (contents, images): ([Set<ContentHash>], ImageMeasure) = ([[], []], ImageMeasure())
        var (tasks, negatives, withNegatives, scores): ([String: Int], Int, Int, [Double]) = ([:], 0, 0, [])
        // Which folder a run allows is the run's affair.
        let folder = try ImageFolder(dataFile: file.path, base: "/")
        for number in 0..<file.count {
            let line = try file.row(number)
            // Without a model every task is as good as another.
            let own = try line.text("task") ?? DataConfig.usualTask
            let row = try TrainingRow(line, fileTask: DataConfig.usualTask, knownTasks: measure.tasks ?? [own], images: folder)
            tasks[row.task, default: 0] += 1
            negatives += row.negatives.count
            withNegatives += row.negatives.isEmpty ? 0 : 1
            if let score = try line.number("score") { scores.append(score) }
            let (query, passage) = (TextRole.query.prefix(task: row.task), TextRole.passage.prefix(task: row.task))
            for (side, input) in [(0, row.anchor), (1, row.positive)] + row.negatives.map({ (2, $0) }) {
                do {
                    switch input {
                    case .text(let text): texts[side].texts.append(PromptedText(prefix: side == 0 ? query : passage, text: text))
                    case .image(let name): try images.add(folder.path(of: name), side: texts[side].name)
                    }
                    if side < 2 { contents[side].insert(try input.withContent(in: folder) { ContentHash(of: $0) }) }
                } catch { throw line.fault("the image \(error.description)") }
            }
        }
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

    private func addTexts(_ file: RowFile, _ measure: TextMeasure, to inspection: inout Inspection) throws(UserError) {
        var (texts, tasks): ([PromptedText], [String: Int]) = ([], [:])
        for number in 0..<file.count {
            let line = try file.row(number)
            guard let text = try line.text("text") else { throw line.fault("the row has no \"text\"") }
            let task = try line.text("task")
            if let task { tasks[task, default: 0] += 1 }
            let role: TextRole = try line.text("prompt") == TextRole.passage.rawValue ? .passage : .query
            texts.append(PromptedText(prefix: role.prefix(task: task ?? DataConfig.usualTask), text: Array(text.utf8)))
        }
        for task in tasks.keys.sorted() { inspection.add("task \(task)", Figures.count(tasks[task]!, "row")) }
        inspection.add("distinct texts", Figures.count(Set(texts.map { ContentHash(of: $0.text) }).count))
        inspection.add(measure.title, try measure.table([("texts", texts)]))
    }

    /// A retrieval dataset.
    func dataset(_ path: String) throws(UserError) -> Inspection {
        let dataset = try BeirDataset(folder: path)
        var inspection = Inspection(path, "a retrieval dataset in BEIR's layout")
        let (query, passage) = (TextRole.query.prefix(task: DataConfig.usualTask), TextRole.passage.prefix(task: DataConfig.usualTask))
        inspection.add("documents", Figures.count(dataset.documents.count))
        inspection.add("judged queries", Figures.count(dataset.queries.count))
        inspection.add("judgements", Figures.count(dataset.queries.reduce(0) { $0 + $1.judgements.count }))
        for notice in dataset.notices { inspection.add("note", notice) }
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
                    ("queries", queries.map { PromptedText(prefix: query, text: $0.text) }),
                    ("documents", documents.map { PromptedText(prefix: passage, text: $0.text) }),
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
