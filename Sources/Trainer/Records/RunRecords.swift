// What a run tells of itself, in one place: terminal, metrics.jsonl, run.json, checkpoints, and the model card.
// Written by rank 0; a fault in writing is heard by all ranks.

import Comm
import Data
import Embedding
import Evaluation
import Files
import Foundation
import Model
import Project
import Tensor

/// The records of a run in progress.
struct RunRecords {
    let folder: RunFolder
    private let world: Communicator
    private let setup: TrainingSetup
    private let console: Console
    private let log: RunLog
    private let progress: TrainingProgress
    private let start = ContinuousClock.now
    private var store: CheckpointStore
    private var record: RunRecord
    private var best: BestCheckpoint?
    private var lastResults: [EvaluationResult] = []

    /// Shows the start-up table and opens the records.
    ///
    /// Collective.
    ///
    /// - Parameters:
    ///   - evaluation: what is evaluated on
    init(
        _ setup: TrainingSetup, _ step: TrainingStep, _ folder: RunFolder, _ store: CheckpointStore, _ console: Console, evaluation: String?
    ) throws {
        (world, self.setup, self.folder, self.store, self.console) = (setup.world, setup, folder, store, console)
        best = setup.checkpoint?.info.best
        let stepsDone = setup.checkpoint?.state.step
        let table = StartupTable(StartupReport(setup, step, evaluation: evaluation))
        console.write(table.text)
        table.warnings.forEach(console.warning)
        var history = RunHistory(tasks: setup.trainedTasks, loggingSteps: setup.config.training.loggingSteps)
        let opened = try setup.world.together { () throws -> (RunLog, RunRecord) in
            let log = try RunLog(folder: folder.path, rank: setup.world.rank, resumingAfter: stepsDone, history: { history.add($0) })
            let record = try RunRecord(setup, folder: folder.path)
            if setup.world.rank == 0 { try record.write(folder: folder.path) }
            try log.configuration(
                setup.config.resolved(), step: stepsDone ?? 0, totalSteps: setup.totalSteps, worldSize: setup.world.worldSize)
            return (log, record)
        }
        (log, record) = opened
        progress = TrainingProgress(
            console, totalSteps: setup.totalSteps, stepsDone: stepsDone ?? 0, loggingSteps: setup.config.training.loggingSteps,
            tasks: setup.trainedTasks)
        progress.goOn(from: history.losses)
        lastResults = history.lastResults
    }

    /// Collective, like everything below.
    func step(_ metrics: StepMetrics, _ traffic: StepTraffic) throws {
        let epoch = Double(metrics.step) / Double(setup.sampler.batchesPerEpoch)
        progress.step(metrics, epoch: epoch)
        try world.together { try log.step(metrics, epoch: epoch, traffic: traffic) }
    }

    /// - Returns: whether this is the best so far
    mutating func evaluation(
        _ results: [EvaluationResult], best metric: (name: String, value: Double), step: Int, seconds: Double
    ) throws -> Bool {
        let candidate = BestCheckpoint(name: CheckpointStore.name(ofStep: step), metric: metric.name, value: metric.value)
        let better = BestCheckpoint.better(best, candidate)
        let isBest = better == candidate && best != candidate
        best = better
        lastResults = results
        progress.evaluation(results, step: step, seconds: seconds, isBest: isBest)
        try world.together { try log.evaluation(results, step: step, seconds: seconds) }
        return isBest
    }

    /// Saves the checkpoint of `state.step`.
    mutating func checkpoint(_ state: TrainingState) throws {
        world.phase = "checkpoint of step \(state.step)"
        try world.requireSameAdapters(state)
        let info = CheckpointInfo(
            epoch: setup.sampler.epoch(ofStep: state.step), worldSize: world.worldSize, globalBatchRows: setup.globalRows,
            stepsPerEpoch: setup.sampler.batchesPerEpoch, dataFingerprints: setup.dataFingerprints,
            configuration: setup.config.resolved(), best: best,
            versions: Dictionary(uniqueKeysWithValues: Versions.current.list.map { ($0.name, $0.version) }))
        let state = try state.collected(world)
        var (store, record) = (store, record)
        record.bestCheckpoint = best.map(RunRecord.BestCheckpoint.init)
        try world.together {
            guard world.rank == 0 else { return }
            let saved = try store.save(state, info)
            saved.notices.forEach(console.notice)
            progress.checkpoint("\(folder.checkpoints)/\(saved.name)", step: state.step, bytes: saved.bytes, seconds: saved.seconds)
            try log.checkpoint(
                saved.name, step: state.step, bytes: saved.bytes, seconds: saved.seconds, isBest: best?.name == saved.name)
            try record.write(folder: folder.path)
        }
        (self.store, self.record) = (store, record)
    }

    /// Tells why the run ended before its last step. What cannot be written any more stays unwritten: the error itself is shown.
    mutating func fail(_ error: UserError, _ state: TrainingState) {
        progress.finish()
        guard world.rank == 0 else { return }
        record.end(.failed, step: state.step, at: Date())
        try? log.end(
            .failed, step: state.step, seconds: start.duration(to: .now) / .seconds(1), losses: progress.losses.latest,
            message: error.description)
        try? record.write(folder: folder.path)
    }

    mutating func end(_ status: RunStatus, _ state: TrainingState) throws {
        progress.finish()
        folder.removeStopFile()
        let seconds = start.duration(to: .now) / .seconds(1)
        record.end(status, step: state.step, at: Date())
        let record = record
        try world.together {
            guard world.rank == 0 else { return }
            try log.end(status, step: state.step, seconds: seconds, losses: progress.losses.latest)
            try record.write(folder: folder.path)
        }
        if status == .stopped {
            console.write(
                line: "stopped on request after step \(state.step) of \(setup.totalSteps), checkpoint saved; continue with --resume")
        }
    }

    /// Writes the model card, once the final adapters are there.
    mutating func finish(_ state: TrainingState) throws {
        let folder = folder
        try world.together { () -> Void in
            guard world.rank == 0 else { return }
            try ModelCard(setup, state, evaluation: lastResults, losses: progress.losses.latest).write(folder: folder.path)
        }
        try end(.finished, state)
        console.write(line: "done: \(Figures.count(setup.totalSteps, "step")); the adapter lies in \(folder.path)")
    }
}

extension RunRecord.BestCheckpoint {
    fileprivate init(_ best: BestCheckpoint) {
        self.init(name: best.name, step: Int(best.name.dropFirst("step-".count)) ?? 0, metric: best.metric, value: best.value)
    }
}

extension AdapterFile.Description {
    init(_ config: ProjectConfig, projector: Projector? = nil) {
        self.init(dropout: config.lora.dropout, initialization: .gaussian, base: config.baseModelPath, projector: projector)
    }
}
