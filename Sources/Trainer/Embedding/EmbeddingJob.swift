// `shoal embed` from its flags to its file: texts over all ranks, each with its task's adapter and its role's prompt.

import Comm
import Model
import Tensor

/// What is to be embedded, with what, and where to.
package struct EmbeddingJob: Sendable {
    package var model: ModelChoice
    /// Of texts that name no other.
    package var task: String
    /// Of texts that name no other.
    package var role: TextRole
    package var texts: [String]
    package var textFile: String?
    /// A Matryoshka width; nil: all of it.
    package var dimension: Int?
    /// One vector a token instead of one a text.
    package var isMultiVector: Bool
    package var output: EmbeddingFile

    package init(
        model: ModelChoice, task: String, role: TextRole, texts: [String], textFile: String?, dimension: Int?,
        isMultiVector: Bool = false, output: EmbeddingFile
    ) {
        self.model = model
        self.task = task
        self.role = role
        self.texts = texts
        self.textFile = textFile
        self.dimension = dimension
        self.isMultiVector = isMultiVector
        self.output = output
    }

    /// Collective. The file is written by rank 0.
    ///
    /// - Throws: `UserError`, the same on every rank
    package func run(_ world: Communicator, _ console: Console) throws {
        world.phase = "setup"
        let config = try model.config(world, task: task)
        let list = try world.together {
            try Self.check(dimension, config)
            return try TextList(texts: texts, file: textFile, task: task, role: role, knownTasks: config.taskNames)
        }
        if let textFile { try world.requireSameOnHosts(list.fingerprint, path: textFile, "text file") }
        try world.together { if world.rank == 0 { try AtomicWrite.requireWritable(output.path) } }

        var session = try model.open(world)
        let tasks = config.taskNames.filter { name in list.entries.contains { $0.task == name } }
        let adapters = try model.adapters(session, tasks: tasks)
        if let notice = adapters.notice { console.notice(notice) }
        if isMultiVector { session = try session.withLateVectors(adapters) }

        world.phase = "embedding"
        if isMultiVector {
            let (tokens, truncated) = try writeMultiVectors(list, session, adapters, tasks)
            console.noticeOfCutTexts(truncated, limit: session.processor.maxTokens)
            let (texts, width) = (Figures.count(list.entries.count, "text"), session.model.config.projectorDimension)
            console.write(line: "\(output.path): \(Figures.count(tokens, "vector")) of width \(width) for \(texts)")
            return
        }
        let (embeddings, truncated) = try embed(list, session, adapters, tasks)
        console.noticeOfCutTexts(truncated, limit: session.processor.maxTokens)
        world.phase = "output"
        try world.together { if world.rank == 0 { try output.write(embeddings, of: list) } }
        console.write(line: "\(output.path): \(Figures.count(embeddings.rows, "embedding")) of width \(embeddings.columns)")
    }

    private static func check(_ dimension: Int?, _ config: ModelConfig) throws(UserError) {
        guard let dimension, !config.matryoshkaDimensions.contains(dimension) else { return }
        throw config.noWidth(dimension, flag: "--truncate-dim")
    }

    /// Collective.
    ///
    /// - Returns: [texts, dimension], on every rank
    private func embed(
        _ list: TextList, _ session: ModelSession, _ adapters: ModelAdapters, _ tasks: [String]
    ) throws -> (Tensor, truncated: Int) {
        let entries = list.entries
        let width = session.checkpoint.config.text.hiddenSize
        let embeddings = Tensor(entries.count, width)
        var truncated = 0
        for task in tasks {
            let places = entries.indices.filter { entries[$0].task == task }
            let texts = places.map { PromptedText(prefix: entries[$0].role.prefix(task: task), text: entries[$0].text) }
            let (part, faults) = try TextEmbedder(session, adapters.loaded(for: task, session.model.engine)).embed(texts)
            if let empty = faults.empty.first { throw entries[places[empty]].hasNoToken }
            embeddings.scatterRows(part.embeddings.dense!, to: places)
            truncated += faults.truncated
        }
        let values = UnsafeBufferPointer(start: embeddings.floats, count: embeddings.count)
        if let place = values.firstIndex(where: { !$0.isFinite }) { throw entries[place / width].isNotFinite }
        guard let dimension, dimension < width else { return (embeddings, truncated) }
        return (normalizedPrefix(of: embeddings, dimension: dimension), truncated)
    }
}

extension Console {
    func noticeOfCutTexts(_ count: Int, limit: Int) {
        guard count > 0 else { return }
        notice("\(Figures.count(count, "text was", "texts were")) longer than \(Figures.count(limit)) tokens and cut there")
    }
}

extension ModelConfig {
    func noWidth(_ dimension: Int, flag: String) -> UserError {
        let widths = matryoshkaDimensions.map(String.init).joined(separator: ", ")
        return UserError(.usage, flag, "the model has no width \(dimension); its widths are \(widths)")
    }
}
