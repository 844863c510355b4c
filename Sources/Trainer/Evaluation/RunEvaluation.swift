// What a training run evaluates on, and the metric that tells its best checkpoint.

import Comm
import Foundation
import Model
import Tensor

/// The evaluation of a run: a dataset, the task whose adapter embeds it, its prompts.
struct RunEvaluation {
    let description: String
    /// Index among the adapters.
    let task: Int
    private let taskName: String
    private let dataset: BeirDataset
    private let prefixes: (query: String, document: String)
    private let dimensions: [Int]
    private let metric: RetrievalMetric
    private let metricDimension: Int

    /// - Returns: nil when the configuration names nothing to evaluate on, and no row is held out
    /// - Throws: when the dataset cannot be read, or asks for a task or width that is not there
    init?(_ setup: TrainingSetup) throws(UserError) {
        let file: DataFile
        switch setup.config.data.evaluation {
        case .none: return nil
        case .pairsOrHeldOut(let entry):
            if !setup.source.holdsOut && !FileManager.default.fileExists(atPath: entry.path) { return nil }
            file = entry
        case .beir(let entry), .pairs(let entry): file = entry
        }
        let model = setup.session.checkpoint.config
        taskName = file.task ?? DataConfig.usualTask
        guard let task = setup.start.adapters.firstIndex(where: { $0.task == file.task ?? DataConfig.usualTask }) else {
            throw setup.config.error(at: "data.evaluation", "the task of \(file.path) is \(taskName), which has no adapter in this run")
        }
        self.task = task
        dimensions = model.matryoshkaDimensions
        let best = setup.config.training.bestMetric
        metric = RetrievalMetric(rawValue: best.name)!
        metricDimension = best.dimension ?? dimensions.last!
        guard dimensions.contains(metricDimension) else {
            throw setup.config.error(
                at: "training.metric_for_best_model",
                "the model has no width \(metricDimension); its widths are \(dimensions.map(String.init).joined(separator: ", "))")
        }
        let prompts = file.prompts(task: taskName)
        prefixes = (prompts.query.prefix, prompts.positive.prefix)
        (dataset, description) = try Self.dataset(file, taskName, setup)
        guard !dataset.queries.isEmpty else {
            if setup.source.holdsOut { return nil }
            throw UserError(.content, file.path, "there is no row to evaluate on; add rows, or name another data.evaluation")
        }
    }

    /// The dataset's.
    var fingerprint: [UInt8] { dataset.fingerprint }

    /// Collective.
    func run(_ session: ModelSession, _ adapters: [Adapter]) throws -> [EvaluationResult] {
        try RetrievalEvaluator(session, adapters[task].loaded(for: session.model.engine), task: taskName, prefixes: prefixes)
            .run(dataset, dimensions: dimensions).results
    }

    /// The number by which checkpoints are compared, and its name.
    func bestMetric(_ results: [EvaluationResult]) -> (name: String, value: Double) {
        let result = results.first { $0.dimension == metricDimension }!
        return ("\(metric.rawValue)@\(metricDimension)", result.metrics[metric]!)
    }

    private static func dataset(_ file: DataFile, _ task: String, _ setup: TrainingSetup) throws(UserError) -> (BeirDataset, String) {
        switch setup.config.data.evaluation {
        case .pairsOrHeldOut where setup.source.holdsOut:
            return (try heldOut(setup.source), "every fifth row of the training data, held out")
        case .pairs, .pairsOrHeldOut:
            let pairs = try PairFile(path: file.path, task: task, knownTasks: setup.source.taskNames)
            var rows: [TrainingRow] = []
            for row in 0..<pairs.count { rows.append(try pairs.row(row)) }
            return (BeirDataset(name: file.path, pairs: rows), file.path)
        case .beir, .none: return (try BeirDataset(folder: file.path), file.path)
        }
    }

    private static func heldOut(_ source: TrainingSource) throws(UserError) -> BeirDataset {
        var rows: [TrainingRow] = []
        for file in source.files {
            for number in 0..<file.count {
                let row = try file.row(number)
                if HeldOutRows.contain(anchor: row.anchor) { rows.append(row) }
            }
        }
        return BeirDataset(name: "held-out", pairs: rows)
    }
}
