// What a training run evaluates on, and the metric that tells its best checkpoint.

import Config
import Data
import Embedding
import Evaluation
import Files
import Foundation
import Model
import Project

/// The evaluation of a run: one dataset, or one for each task that the rows of a pair file name.
struct RunEvaluation {
    /// A dataset, the task whose adapter embeds it, its prompts.
    private struct Part {
        /// Index among the adapters.
        let task: Int
        let taskName: String
        let dataset: BeirDataset
        let prefixes: (query: String, document: String)
    }

    let description: String
    private let parts: [Part]
    private let heads: EmbeddingHeads
    private let dimensions: [Int]
    private let metric: RetrievalMetric
    /// What the best checkpoint is best in: single vectors where there are any.
    private let metricMode: EvaluationResult.Mode
    private let metricDimension: Int

    /// - Parameter heads: what is compared
    /// - Returns: nil when the configuration names nothing to evaluate on, and no row is held out
    /// - Throws: when the dataset cannot be read, or asks for a task or width that is not there
    init?(_ setup: TrainingSetup, heads: EmbeddingHeads) throws(UserError) {
        guard let (datasets, file, description) = try Self.datasets(setup) else { return nil }
        self.description = description
        self.heads = heads
        let model = setup.session.checkpoint.config
        dimensions = model.matryoshkaDimensions
        metricMode = heads.hasDense ? .dense : .late
        let widths = heads.hasDense ? dimensions : [model.projectorDimension]
        let best = setup.config.training.bestMetric
        metric = RetrievalMetric(rawValue: best.name)!
        metricDimension = best.dimension ?? widths.last!
        guard widths.contains(metricDimension) else {
            throw setup.config.error(
                at: TrainingSettings.bestMetric,
                "the embeddings have no width \(metricDimension); their widths are \(widths.map(String.init).joined(separator: ", "))")
        }
        var parts: [Part] = []
        for (taskName, dataset) in datasets {
            guard let task = setup.source.taskNames.firstIndex(of: taskName) else {
                throw setup.config.error(
                    at: DataSettings.evaluation, "the task of \(description) is \(taskName), which has no adapter in this run")
            }
            let prompts = file.prompts(task: taskName)
            parts.append(
                Part(task: task, taskName: taskName, dataset: dataset, prefixes: (prompts.query.prefix, prompts.positive.prefix)))
        }
        self.parts = parts
    }

    /// Collective.
    func run(_ session: ModelSession, _ adapters: [Adapter]) throws -> [EvaluationResult] {
        try parts.flatMap { part in
            let adapter = adapters[part.task].loaded(for: session.model.engine)
            return try RetrievalEvaluator(session, adapter, task: part.taskName, prefixes: part.prefixes, heads: heads)
                .run(part.dataset, dimensions: dimensions).results
        }
    }

    /// Whether anything that is evaluated is an image.
    var hasImages: Bool { parts.contains { $0.dataset.hasImages } }

    /// Of the texts and grades: the same on every host that holds the same datasets.
    var fingerprint: [UInt8] { parts.flatMap { Array($0.taskName.utf8) + $0.dataset.fingerprint } }

    /// The number by which checkpoints are compared, a mean over the tasks, and its name.
    func bestMetric(_ results: [EvaluationResult]) -> (name: String, value: Double) {
        let values = results.filter { $0.mode == metricMode && $0.dimension == metricDimension }.map { $0.metrics[metric]! }
        return ("\(metric.rawValue)@\(metricDimension)", values.reduce(0, +) / Double(values.count))
    }

    /// Datasets by task, where their prompts come from, and what to call them.
    private static func datasets(
        _ setup: TrainingSetup
    ) throws(UserError) -> (datasets: [(task: String, BeirDataset)], file: DataFile, description: String)? {
        switch setup.config.data.evaluation {
        case .none: return nil
        case .beir(let file):
            return ([(file.task ?? DataConfig.usualTask, try BeirDataset(folder: file.path))], file, file.path)
        case .pairsOrHeldOut(let file) where setup.index.holdsOut:
            let rows = try setup.source.heldOutRows(setup.index)
            return rows.isEmpty ? nil : (try byTask(rows, name: "held-out"), file, "every fifth row of the training data, held out")
        case .pairsOrHeldOut(let file) where !FileManager.default.fileExists(atPath: file.path): return nil
        case .pairs(let file), .pairsOrHeldOut(let file):
            let rules = file.rules(knownTasks: setup.source.taskNames, ignoredKeys: setup.config.data.ignoredKeys)
            var rows: [(row: TrainingRow, images: ImageFolder)] = []
            for shard in try file.shards() {
                let pairs = try PairFile(
                    path: shard.path, rules, imageBase: setup.config.data.imageFolder, passages: file.corpus,
                    store: ImageStore(setting: setup.config.data.cacheFolder))
                rows += try pairs.allPairs()
            }
            return (try byTask(rows, name: file.path), file, file.path)
        }
    }

    /// A row's own task decides which adapter embeds it.
    private static func byTask(
        _ rows: [(row: TrainingRow, images: ImageFolder)], name: String
    ) throws(UserError) -> [(task: String, BeirDataset)] {
        var sets: [(task: String, BeirDataset)] = []
        for (row, _) in rows where !sets.contains(where: { $0.task == row.task }) {
            sets.append((row.task, try BeirDataset(name: name, pairs: rows.filter { $0.row.task == row.task })))
        }
        return sets
    }
}
