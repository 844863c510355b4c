// `shoal evaluate` from its flags to its table: one model on any number of retrieval datasets.

import Comm
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
    /// Folders in BEIR's layout, at least one.
    package var folders: [String]
    /// The task whose adapter and prompts are used.
    package var task: String
    /// Matryoshka widths to compare; nil: all of the model's.
    package var dimensions: [Int]?
    /// Whether token vectors are compared, by MaxSim, instead of single vectors.
    package var isMultiVector: Bool
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

    /// Length of the rankings that are written, as TREC's own runs of passages mostly have it.
    private static let runDepth = 100

    /// Creates a job.
    package init(
        model: ModelChoice, folders: [String], task: String, dimensions: [Int]? = nil, isMultiVector: Bool = false,
        output: String? = nil, runFile: String? = nil, comparison: String? = nil, queryPrompt: Prompt? = nil, passagePrompt: Prompt? = nil
    ) {
        self.model = model
        self.folders = folders
        self.task = task
        self.dimensions = dimensions
        self.isMultiVector = isMultiVector
        self.output = output
        self.runFile = runFile
        self.comparison = comparison
        self.queryPrompt = queryPrompt
        self.passagePrompt = passagePrompt
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
        let datasets = try datasets(world, config)
        let before = try earlierResults(world)
        let runPaths = runFile.map { Self.runPaths($0, datasets: datasets.map(\.name), widths: widths) }
        try world.together {
            guard world.rank == 0 else { return }
            for path in [output].compactMap(\.self) + (runPaths ?? []).joined() { try AtomicWrite.requireWritable(path) }
        }
        var session = try model.open(world)
        let adapters = try model.adapters(session, tasks: [task])
        adapters.notices(ofPromptsFor: queryPrompt == nil || passagePrompt == nil ? [task] : []).forEach(console.notice)
        let prompts = adapters.prompts(for: task)
        if isMultiVector { session = try session.withLateVectors(adapters) }
        if datasets.contains(where: \.hasImages) {
            session = try session.withImages(model.images)
        }
        let evaluator = RetrievalEvaluator(
            session, try adapters.loaded(for: task, session.model.engine), task: task,
            prefixes: (prompts.prefix(queryPrompt ?? .query), prompts.prefix(passagePrompt ?? .passage)),
            heads: isMultiVector ? .late : .dense)

        var results: [EvaluationResult] = []
        for (index, dataset) in datasets.enumerated() {
            world.phase = "evaluation of \(dataset.name)"
            let documents = Figures.count(dataset.documents.count, "document")
            console.write(line: "\(dataset.name): \(documents), \(Figures.count(dataset.queries.count, "query", "queries"))")
            let report = try evaluator.run(dataset, dimensions: widths, depth: runPaths == nil ? RetrievalMetric.depth : Self.runDepth)
            console.noticeOfCutTexts(report.truncated, limit: session.processor.maxTokens)
            results += report.results
            if let paths = runPaths?[index] { try write(report.rankings, of: dataset, to: paths, world) }
        }
        if let output {
            try world.together { if world.rank == 0 { try EvaluationResult.write(results, to: output) } }
        }
        return EvaluationTable(before: before, after: results)
    }

    /// Reads the datasets, and compares them between hosts.
    ///
    /// Collective.
    private func datasets(_ world: Communicator, _ config: ModelConfig) throws -> [BeirDataset] {
        let datasets = try world.together { () -> [BeirDataset] in
            if let width = dimensions?.first(where: { !config.matryoshkaDimensions.contains($0) }) {
                throw config.noWidth(width, flag: "--dims")
            }
            let names = try Self.names(of: folders)
            var datasets: [BeirDataset] = []
            for (folder, name) in zip(folders, names) { datasets.append(try BeirDataset(folder: folder, name: name)) }
            if runFile != nil { for dataset in datasets { _ = try RunFile(for: dataset) } }
            return datasets
        }
        for (folder, dataset) in zip(folders, datasets) { try world.requireSameOnHosts(dataset.fingerprint, path: folder, "dataset") }
        return datasets
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

    /// The last parts of the folders' paths, as many as tell them apart: `test`, or `nfcorpus/test` beside `scifact/test`.
    static func names(of folders: [String]) throws(UserError) -> [String] {
        let parts = folders.map { URL(fileURLWithPath: $0).standardizedFileURL.pathComponents }
        for count in 1...(parts.map(\.count).max() ?? 1) {
            let names = parts.map { $0.suffix(count).joined(separator: "/") }
            if Set(names).count == names.count { return names }
        }
        throw UserError(.usage, "--retrieval", "one folder is named twice; name each once")
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
