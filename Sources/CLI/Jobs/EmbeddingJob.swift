// `shoal embed` from its flags to its file: texts and images over all ranks, each with its task's adapter, texts with their
// prompt.

import Comm
import Embedding
import Files
import Model
import Tensor
import Trainer

/// A run of `shoal embed`: what is to be embedded, with what, and where to.
package struct EmbeddingJob: Sendable {
    /// The model that embeds.
    package var model: ModelChoice
    /// The task of images, and of texts that name no other.
    package var task: String
    /// The prompt of texts that name no other: a side of a search, or words.
    package var prompt: Prompt
    /// Texts of the command line.
    package var texts: [String]
    /// Path of a file with more texts; nil: none.
    package var textFile: String?
    /// Paths of image files.
    package var images: [String]
    /// A folder whose images come last; nil: none.
    package var imageFolder: String?
    /// Matryoshka width of the vectors; nil: all their values.
    package var dimension: Int?
    /// Whether there is one vector a token instead of one an input.
    package var isMultiVector: Bool
    /// Where the embeddings go.
    package var output: EmbeddingFile

    /// Creates a job.
    package init(
        model: ModelChoice, task: String, prompt: Prompt, texts: [String], textFile: String?, images: [String] = [],
        imageFolder: String? = nil, dimension: Int?, isMultiVector: Bool = false, output: EmbeddingFile
    ) {
        self.model = model
        self.task = task
        self.prompt = prompt
        self.texts = texts
        self.textFile = textFile
        self.images = images
        self.imageFolder = imageFolder
        self.dimension = dimension
        self.isMultiVector = isMultiVector
        self.output = output
    }

    /// Embeds all inputs and writes the embeddings. The file is written by rank 0.
    ///
    /// Collective.
    /// - Throws: `UserError`, the same on every rank
    package func run(_ world: Communicator, _ console: Console) throws {
        world.phase = "setup"
        let config = try model.config(world, task: task)
        let (list, notice) = try world.together { () throws -> (InputList, String?) in
            try Self.check(dimension, config)
            let listing = try imageFolder.map { folder throws(UserError) in try ImageListing(folder: folder) }
            let list = try InputList(
                texts: texts, file: textFile, images: images + (listing?.images ?? []), task: task, prompt: prompt,
                knownTasks: config.taskNames)
            return (list, listing?.notice)
        }
        if let place = textFile ?? imageFolder ?? images.first {
            try world.requireSameOnHosts(list.fingerprint, path: place, "input")
        }
        if let notice { console.notice(notice) }
        try world.together { if world.rank == 0 { try AtomicWrite.requireWritable(output.path) } }

        var session = try model.open(world)
        let tasks = config.taskNames.filter { name in list.entries.contains { $0.task == name } }
        let adapters = try model.adapters(session, tasks: tasks)
        adapters.notices(ofPromptsFor: tasks).forEach(console.notice)
        if isMultiVector { session = try session.withLateVectors(adapters) }
        if !list.images.isEmpty { session = try session.withImages(model.images) }
        let inputs = try list.inputs(session, adapters)

        world.phase = "embedding"
        if isMultiVector {
            let (tokens, truncated) = try writeMultiVectors(list, inputs, session, adapters, tasks)
            console.noticeOfCutTexts(truncated, limit: session.processor.maxTokens)
            let width = session.model.config.projectorDimension
            console.write(line: "\(output.path): \(Figures.count(tokens, "vector")) of width \(width) for \(list.countInWords)")
            return
        }
        let (embeddings, truncated) = try embed(list, inputs, session, adapters, tasks)
        console.noticeOfCutTexts(truncated, limit: session.processor.maxTokens)
        world.phase = "output"
        try world.together { if world.rank == 0 { try output.write(embeddings, of: list) } }
        console.write(line: "\(output.path): \(Figures.count(embeddings.rows, "embedding")) of width \(embeddings.columns)")
    }

    private static func check(_ dimension: Int?, _ config: ModelConfig) throws(UserError) {
        guard let dimension, !config.matryoshkaDimensions.contains(dimension) else { return }
        throw config.noWidth(dimension, flag: "--truncate-dim")
    }

    /// Embeds all inputs, each with its task's adapter.
    ///
    /// Collective.
    ///
    /// - Returns: [inputs, dimension], on every rank
    private func embed(
        _ list: InputList, _ inputs: [EmbeddingInput], _ session: ModelSession, _ adapters: ModelAdapters, _ tasks: [String]
    ) throws -> (Tensor, truncated: Int) {
        let entries = list.entries
        let width = session.checkpoint.config.text.hiddenSize
        let embeddings = Tensor(entries.count, width)
        var truncated = 0
        for task in tasks {
            let places = entries.indices.filter { entries[$0].task == task }
            let embedder = TextEmbedder(session, try adapters.loaded(for: task, session.model.engine))
            let (part, faults) = try embedder.embed(places.map { inputs[$0] })
            if let empty = faults.empty.first { throw entries[places[empty]].hasNoToken }
            embeddings.scatterRows(part.embeddings.dense!, to: places)
            truncated += faults.truncated
        }
        let values = embeddings.floats
        if let place = values.indices.first(where: { !values[$0].isFinite }) { throw entries[place / width].isNotFinite }
        guard let dimension, dimension < width else { return (embeddings, truncated) }
        return (normalizedPrefix(of: embeddings, dimension: dimension), truncated)
    }
}

extension InputList {
    /// The inputs as the embedder takes them: texts with their prompts; images with what their headers say.
    ///
    /// Collective.
    fileprivate func inputs(_ session: ModelSession, _ adapters: ModelAdapters) throws -> [EmbeddingInput] {
        var files = try session.imageFiles(images)[...]
        return entries.map { entry in
            switch entry.content {
            case .text(let text, let prompt):
                .text(PromptedText(prefix: adapters.prompts(for: entry.task).prefix(prompt), text: text))
            case .image: .image(files.removeFirst())
            }
        }
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
