// `shoal evaluate` from its flags to its table: one model on any number of retrieval datasets.

import Comm
import Data
import Embedding
import Evaluation
import Files
import Foundation
import Model
import Trainer

/// A run of `shoal evaluate`: what is to be evaluated, on what, and where the results go.
package struct EvaluationJob: Sendable {
    /// The model that is evaluated.
    package var model: ModelChoice
    /// Folders in BEIR's layout, or files of pairs; at least one.
    package var sets: [String]
    /// The task whose adapter and prompts are used; in files of pairs for rows that name no other.
    package var task: String
    /// Which judgements of the folders are used; nil: those of the split test, or of the only one.
    package var split: String?
    /// What becomes of documents with the id of a query.
    package var own: BeirDataset.OwnDocument
    /// Matryoshka widths to compare; nil: all of the model's.
    package var dimensions: [Int]?
    /// Whether token vectors are compared, by MaxSim, instead of single vectors.
    package var isMultiVector: Bool
    /// The columns of the table.
    package var metrics: [RetrievalMetric]
    /// Path of a file for the results; nil: none.
    package var output: String?
    /// Path of a file for the rankings, or what their paths are made of: see `runPaths`; nil: none.
    package var runFile: String?
    /// What stands before queries; nil: what the adapters were trained with.
    package var queryPrompt: Prompt?
    /// What stands before documents; nil: what the adapters were trained with.
    package var passagePrompt: Prompt?
    /// Path of the results of an earlier evaluation, shown beside these; nil: none.
    package var comparison: String?

    /// Creates a job.
    package init(
        model: ModelChoice, sets: [String], task: String, split: String? = nil, own: BeirDataset.OwnDocument = .automatic,
        dimensions: [Int]? = nil, isMultiVector: Bool = false, metrics: [RetrievalMetric] = RetrievalMetric.usual, output: String? = nil,
        runFile: String? = nil, comparison: String? = nil, queryPrompt: Prompt? = nil, passagePrompt: Prompt? = nil
    ) {
        self.model = model
        self.sets = sets
        self.task = task
        self.split = split
        self.own = own
        self.dimensions = dimensions
        self.isMultiVector = isMultiVector
        self.metrics = metrics
        self.output = output
        self.runFile = runFile
        self.comparison = comparison
        self.queryPrompt = queryPrompt
        self.passagePrompt = passagePrompt
    }

    /// A dataset, the task whose adapter embeds it, and what files of it are named after.
    private struct Part {
        let dataset: BeirDataset
        let task: String
        let fileName: String
        let path: String
        /// Sentences for the user on what was chosen, counted or left out.
        let notices: [String]
    }

    /// Evaluates the model on every dataset. Files are written by rank 0.
    ///
    /// Collective.
    /// - Returns: the table of all results, on rank 0 beside the earlier ones
    /// - Throws: `UserError`, the same on every rank
    package func run(_ world: Communicator, _ console: Console) throws -> EvaluationTable {
        world.phase = "setup"
        let config = try model.config(world, task: task)
        let widths = isMultiVector ? [config.projectorDimension] : dimensions ?? config.matryoshkaDimensions
        let parts = try parts(world, config)
        for part in parts { part.notices.forEach(console.notice) }
        let before = try earlierResults(world)
        let runPaths = runFile.map { Self.runPaths($0, datasets: parts.map(\.fileName), widths: widths) }
        try world.together {
            guard world.rank == 0 else { return }
            for path in [output].compactMap(\.self) + (runPaths ?? []).joined() { try AtomicWrite.requireWritable(path) }
        }
        var session = try model.open(world)
        let tasks = config.taskNames.filter { name in parts.contains { $0.task == name } }
        let adapters = try model.adapters(session, tasks: tasks)
        adapters.notices(ofPromptsFor: queryPrompt == nil || passagePrompt == nil ? tasks : []).forEach(console.notice)
        if isMultiVector { session = try session.withLateVectors(adapters) }
        if parts.contains(where: \.dataset.hasImages) { session = try session.withImages(model.images) }

        var results: [EvaluationResult] = []
        for (index, part) in parts.enumerated() {
            let dataset = part.dataset
            world.phase = "evaluation of \(dataset.name)"
            let documents = Figures.count(dataset.documents.count, "document")
            console.write(line: "\(dataset.name): \(documents), \(Figures.count(dataset.queries.count, "query", "queries"))")
            let prompts = adapters.prompts(for: part.task)
            let evaluator = RetrievalEvaluator(
                session, try adapters.loaded(for: part.task, session.model.engine), task: part.task,
                prefixes: (prompts.prefix(queryPrompt ?? .query), prompts.prefix(passagePrompt ?? .passage)),
                heads: isMultiVector ? .late : .dense)
            let report = try evaluator.run(dataset, dimensions: widths)
            console.noticeOfCutTexts(report.truncated, limit: session.processor.maxTokens)
            results += report.results
            if let paths = runPaths?[index] { try write(report.rankings, of: dataset, to: paths, world) }
        }
        if let output {
            try world.together { if world.rank == 0 { try EvaluationResult.write(results, to: output) } }
        }
        return EvaluationTable(before: before, after: results, metrics: metrics)
    }

    /// Reads the datasets, and compares them between hosts.
    ///
    /// Collective.
    private func parts(_ world: Communicator, _ config: ModelConfig) throws -> [Part] {
        let parts = try world.together { () -> [Part] in
            if let width = dimensions?.first(where: { !config.matryoshkaDimensions.contains($0) }) {
                throw config.noWidth(width, flag: "--dims")
            }
            if split != nil, sets.allSatisfy(RowFile.isNamed) {
                throw UserError(.usage, "--split", "\(sets[0]) is a file of pairs, which has no splits; leave --split out")
            }
            let names = try Self.names(of: sets)
            var parts: [Part] = []
            for (path, name) in zip(sets, names) { parts += try self.parts(path, name, config) }
            if runFile != nil { for part in parts { _ = try RunFile(for: part.dataset) } }
            return parts
        }
        for part in parts { try world.requireSameOnHosts(part.dataset.fingerprint, path: part.path, "dataset") }
        return parts
    }

    /// The dataset of a folder, or those of a file of pairs, one for each task that its rows name.
    private func parts(_ path: String, _ name: String, _ config: ModelConfig) throws(UserError) -> [Part] {
        guard RowFile.isNamed(path) else {
            let dataset = try BeirDataset(folder: path, split: split, name: name, own: own)
            return [Part(dataset: dataset, task: task, fileName: name, path: path, notices: dataset.notices.map { "\(name): \($0)" })]
        }
        var (pairs, notices): ([(row: TrainingRow, images: ImageFolder)], [String]) = ([], [])
        for shard in try RowStream.files(path) {
            let file = try PairFile(path: shard, RowRules(task: task, knownTasks: config.taskNames), store: .ofUser).allPairs()
            pairs += file.pairs
            notices += file.notices
        }
        let sets = try BeirDataset.byTask(name: name, pairs: pairs)
        return sets.enumerated().map { index, set in
            Part(
                dataset: set.dataset, task: set.task, fileName: sets.count == 1 ? name : "\(name)-\(set.task)", path: path,
                notices: index == 0 ? notices : [])
        }
    }

    /// The results that the table begins with, on rank 0, which shows it.
    ///
    /// Collective.
    private func earlierResults(_ world: Communicator) throws -> [EvaluationResult] {
        guard let comparison else { return [] }
        return try world.together { world.rank == 0 ? try EvaluationResult.read(comparison) : [] }
    }

    /// Writes the rankings of a dataset, on rank 0.
    ///
    /// Collective.
    private func write(_ rankings: [[RankedList]], of dataset: BeirDataset, to paths: [String], _ world: Communicator) throws {
        try world.together {
            guard world.rank == 0 else { return }
            let file = try RunFile(for: dataset)
            for (ranking, path) in zip(rankings, paths) { try file.write(ranking, tag: "shoal", to: path) }
        }
    }

    /// The last parts of the sets' paths, as many as tell them apart: `test`, or `nfcorpus/test` beside `scifact/test`.
    static func names(of sets: [String]) throws(UserError) -> [String] {
        let parts = sets.map { URL(fileURLWithPath: $0).standardizedFileURL.pathComponents }
        for count in 1...(parts.map(\.count).max() ?? 1) {
            let names = parts.map { $0.suffix(count).joined(separator: "/") }
            if Set(names).count == names.count { return names }
        }
        throw UserError(.usage, "--retrieval", "one dataset is named twice; name each once")
    }

    /// Paths for the rankings of each dataset and width: `run.trec` itself when there is one of both, else `run-DATASET-WIDTH.trec`.
    ///
    /// - Returns: [datasets][widths]
    static func runPaths(_ path: String, datasets: [String], widths: [Int]) -> [[String]] {
        guard datasets.count * widths.count > 1 else { return [[path]] }
        let ending = (path as NSString).pathExtension
        let stem = ending.isEmpty ? path : String(path.dropLast(ending.count + 1))
        return datasets.map { dataset in
            widths.map { "\(stem)-\(dataset.replacingOccurrences(of: "/", with: "-"))-\($0)\(ending.isEmpty ? "" : "." + ending)" }
        }
    }
}
