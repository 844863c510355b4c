// The model that `embed` and `evaluate` work with, as their flags name it: backbone, adapters, arithmetic.

import Comm
import Embedding
import Files
import Foundation
import Images
import Model
import Tensor

/// Flags that name a model.
package struct ModelChoice: Sendable {
    /// Folder of the backbone.
    package var folder: String
    /// Path of the adapters, as `AdapterSource` finds them; `none` for the bare backbone; nil for those in the backbone's folder, if any.
    package var adapter: String?
    /// The most tokens of a text, prompt included; nil: the model's limit.
    package var maximumTokens: Int?
    /// Element type of products.
    package var computeType: ComputeType
    /// Number of threads of each rank; nil: its share of the cores.
    package var threads: Int?
    /// Limits of a scaled image, and how its picture is looked at.
    package var images: ImageOptions

    /// Creates a choice.
    package init(
        folder: String, adapter: String? = nil, maximumTokens: Int? = nil, computeType: ComputeType = .automatic,
        threads: Int? = nil, images: ImageOptions = ImageOptions()
    ) {
        self.folder = folder
        self.adapter = adapter
        self.maximumTokens = maximumTokens
        self.computeType = computeType
        self.threads = threads
        self.images = images
    }

    /// The model's configuration, against which flags are held before the weights are opened.
    ///
    /// Collective.
    /// - Throws: `UserError` `.usage` for a length or task that the model does not have, besides the faults of config.json
    func config(_ world: Communicator, task: String) throws -> ModelConfig {
        try world.together { () throws(UserError) in
            let config = try ModelConfig.read(folder: folder)
            guard config.taskNames.contains(task) else {
                throw UserError(
                    .usage, "--task", "the model has no task \(quoted(task)); it has \(config.taskNames.joined(separator: ", "))")
            }
            if let maximumTokens, maximumTokens > config.maxTokens {
                throw UserError(
                    .usage, "--max-length", "\(maximumTokens) tokens are more than the model takes; its limit is \(config.maxTokens)")
            }
            return config
        }
    }

    /// Opens the model on all ranks.
    ///
    /// Collective.
    func open(_ world: Communicator) throws -> ModelSession {
        try ModelSession.open(world, folder: folder, engine: EngineSettings(computeType), threads: threads, maximumTokens: maximumTokens)
    }

    /// Reads the adapters that tasks need, the same on all hosts.
    ///
    /// Collective.
    ///
    /// - Parameter tasks: those that will be embedded, at least one; a plain adapter that does not say what it is for is for the first
    func adapters(_ session: ModelSession, tasks: [String]) throws -> ModelAdapters {
        let adapters = try session.world.together { () throws(UserError) in
            let adapters = try ModelAdapters(self, session.checkpoint, task: tasks[0])
            for task in tasks { _ = try adapters.adapter(for: task) }
            return adapters
        }
        if let path = adapters.set?.source.weightsPath {
            let hash = try session.world.together { () throws(UserError) in try MappedFile(path: path).sha256() }
            try session.world.requireSameOnHosts(hash, path: path, "adapter")
        }
        return adapters
    }
}

extension ModelSession {
    /// The same session, able to make token vectors: with the adapters' projector where the backbone has none.
    ///
    /// Collective.
    /// - Throws: `UserError` `.missing` when neither has one, `.configuration` when both have
    func withLateVectors(_ adapters: ModelAdapters) throws -> ModelSession {
        let projector = try world.together { () throws(UserError) -> Projector? in
            let saved = try adapters.set?.projector(on: checkpoint)
            guard saved != nil || checkpoint.projector != nil else {
                throw UserError(
                    .missing, adapters.set?.source.projectorPath ?? checkpoint.folder,
                    adapters.set == nil
                        ? "the backbone has no projector for token vectors; name adapters that were trained with one (--adapter)"
                        : "no such file, and the backbone has no projector for token vectors; name adapters that were trained with one")
            }
            return saved
        }
        if let projector, let path = adapters.set?.source.projectorPath {
            try world.requireSameOnHosts(projector.fingerprint, path: path, "projector")
        }
        return adding(projector)
    }
}

/// The adapters that stand on a backbone, or none at all.
struct ModelAdapters {
    let set: AdapterSet?
    /// A sentence for the user on what was chosen where no flag names it; nil: there is nothing to say.
    private let choiceNotice: String?

    /// Reads the adapters that a choice names.
    /// - Throws: `UserError` as `AdapterFile`
    fileprivate init(_ choice: ModelChoice, _ checkpoint: Checkpoint, task: String) throws(UserError) {
        let config = checkpoint.config
        switch choice.adapter {
        case "none":
            (set, choiceNotice) = (nil, nil)
        case let path?:
            let source = try AdapterSource.find(path)
            let name = URL(fileURLWithPath: source.folder).standardizedFileURL.lastPathComponent
            set = try AdapterFile.read(source, config: config, task: config.taskNames.contains(name) ? name : task)
            choiceNotice = nil
        case nil:
            if let source = try AdapterSource.ofModel(choice.folder) {
                set = try AdapterFile.read(source, config: config, task: task)
                choiceNotice = "the adapters are those of \(source.folder)"
            } else {
                set = nil
                choiceNotice = "\(choice.folder) has no adapters: the bare backbone embeds; name some with --adapter"
            }
        }
    }

    /// The prompts that the adapter of a task was trained with; the task's own where nothing says so.
    func prompts(for task: String) -> PromptPair { set?.prompts?.pair(task: task) ?? .usual(task: task) }

    /// Sentences for the user on what was chosen, how adapters were read, and the prompts of tasks.
    ///
    /// - Parameter tasks: those whose prompts no flag names
    func notices(ofPromptsFor tasks: [String]) -> [String] {
        guard let set else { return [choiceNotice].compactMap(\.self) }
        let prompts = tasks.compactMap { task -> String? in
            let usual = PromptPair.usual(task: task)
            guard let pair = set.prompts?.pair(task: task) else {
                return "\(set.source.folder) does not say what prompts it was trained with: "
                    + "the words are those of the task \(task), \(usual.inWords)"
            }
            return pair == usual ? nil : "as \(set.prompts?.path ?? "") says of \(task), the words are \(pair.inWords)"
        }
        return [choiceNotice].compactMap(\.self) + set.notices + prompts
    }

    /// The adapter of a task; nil for the bare backbone.
    ///
    /// - Throws: `UserError` `.configuration` when there are adapters, but none for the task
    func adapter(for task: String) throws(UserError) -> Adapter? {
        guard let set else { return nil }
        guard let adapter = set.adapter(for: task) else {
            throw UserError(
                .configuration, set.source.folder,
                "holds no adapter for \(task), only for \(set.tasks.map(\.task).joined(separator: ", ")); name another --adapter or task")
        }
        return adapter
    }

    func loaded(for task: String, _ engine: MatrixEngine) throws(UserError) -> LoadedAdapter? {
        try adapter(for: task)?.loaded(for: engine)
    }
}
