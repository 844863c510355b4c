// The adapters that `lora.start_from` names, read from their folders: all of one shape, whatever folders they come from.

import Config
import Data
import Files
import Model
import Project

/// Adapters from disk, by the task that they are to begin.
struct FoundAdapters {
    /// Of the folders, for sentences and for the start-up table.
    let folder: String
    let description: String
    let rank: Int
    let alpha: Double
    /// Paths of the linears that they adapt.
    let modules: Set<String>
    /// Whether one of them is a plain PEFT adapter, which has no pair for the projector.
    let hasPlain: Bool
    private let adapters: [String: Adapter]
    /// By task, then by module path: see `AdapterSet.narrowRanks`.
    private let narrowRanks: [String: [String: Int]]
    private let sets: [AdapterSet]

    /// Nil for a task that begins fresh.
    func adapter(for task: String) -> Adapter? { adapters[task] }

    /// Linears of a task's adapter that are narrower in its files than the others, by module path.
    func narrowRanks(for task: String) -> [String: Int] { narrowRanks[task] ?? [:] }

    /// Sentences for the user on what was read in another form than it stands in the files.
    var notices: [String] { sets.flatMap(\.notices).reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }

    /// The projector saved with them, for a backbone that brings none.
    ///
    /// - Throws: when two folders hold unlike ones
    func projector(on checkpoint: Checkpoint) throws(UserError) -> Projector? {
        var found: Projector?
        for set in sets {
            guard let projector = try set.projector(on: checkpoint) else { continue }
            if let found, found.fingerprint != projector.fingerprint {
                throw UserError(
                    .configuration, set.source.folder,
                    "holds another projector than \(sets[0].source.folder); adapters of one run share theirs: start from one of the two")
            }
            found = projector
        }
        return found
    }

    /// - Parameter tasks: of the run
    /// - Returns: nil where all adapters begin fresh
    /// - Throws: when a folder holds no adapter of the kind, or two folders hold adapters of unlike shape
    static func find(_ config: ProjectConfig, _ checkpoint: Checkpoint, _ tasks: [String]) throws(UserError) -> FoundAdapters? {
        switch config.lora.startFrom {
        case .fresh: return nil
        case .automatic:
            guard let source = try AdapterSource.ofModel(checkpoint.folder) else { return nil }
            return FoundAdapters(all: try AdapterFile.read(source, config: checkpoint.config))
        case .path(let path):
            let task = config.data.train.compactMap(\.task).first ?? DataConfig.usualTask
            return FoundAdapters(all: try AdapterFile.read(path, config: checkpoint.config, task: task))
        case .byTask(let starts):
            return try FoundAdapters(tasks.compactMap { task in starts[task].map { (task, $0) } }, config, checkpoint.config)
        }
    }

    private init(all set: AdapterSet) {
        sets = [set]
        folder = set.source.folder
        description = "continues \(set.source.folder)"
        (rank, alpha, modules, hasPlain) = (set.rank, set.alpha, set.modules, set.isPlain)
        adapters = Dictionary(set.tasks.map { ($0.task, $0) }) { first, _ in first }
        narrowRanks = adapters.mapValues { _ in set.narrowRanks }
    }

    /// - Parameter starts: at least one
    private init(_ starts: [(task: String, start: LoRAConfig.TaskStart)], _ config: ProjectConfig, _ model: ModelConfig) throws(UserError) {
        var (sets, adapters, descriptions): ([AdapterSet], [String: Adapter], [String]) = ([], [:], [])
        var narrowRanks: [String: [String: Int]] = [:]
        for (task, start) in starts {
            let wanted = start.task ?? task
            let set = try AdapterFile.read(start.path, config: model, task: wanted)
            func fault(_ message: String) -> UserError { config.error(at: LoRASettings.startFrom, entry: task, message) }
            guard let adapter = set.adapter(for: wanted) else {
                throw fault("\(set.source.folder) has no adapter for \(wanted); it has \(set.tasks.map(\.task).joined(separator: ", "))")
            }
            if let difference = sets.first.flatMap(set.difference) {
                throw fault("\(set.source.folder) has \(difference) in \(sets[0].source.folder); adapters of one run have one shape")
            }
            sets.append(set)
            adapters[task] = adapter
            narrowRanks[task] = set.narrowRanks
            descriptions.append("\(task) from \(set.source.folder)" + (set.isPlain || wanted == task ? "" : " (\(wanted))"))
        }
        folder = sets[0].source.folder
        description = descriptions.joined(separator: ", ")
        (rank, alpha) = (sets[0].rank, sets[0].alpha)
        modules = sets.reduce(into: []) { $0.formUnion($1.modules) }
        hasPlain = sets.contains(where: \.isPlain)
        self.adapters = adapters
        self.narrowRanks = narrowRanks
        self.sets = sets
    }
}

extension AdapterSet {
    fileprivate var modules: Set<String> { Set(layout.pairs.map(\.module)) }

    /// What keeps this set and another from being adapters of one run: `rank 8, but it is 4`. The projector may lack a pair: it gets a
    /// fresh one.
    fileprivate func difference(from other: AdapterSet) -> String? {
        if rank != other.rank { return "rank \(rank), but it is \(other.rank)" }
        if alpha != other.alpha { return "alpha \(Figures.short(alpha)), but it is \(Figures.short(other.alpha))" }
        let projector: Set = [DecoderModule.projectorPath]
        let linears = (modules.subtracting(projector), other.modules.subtracting(projector))
        return linears.0 == linears.1 ? nil : "other linears (\(linears.0.count)) than there are (\(linears.1.count))"
    }
}
