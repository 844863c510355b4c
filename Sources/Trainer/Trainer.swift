// The run, top to bottom: set up, resume, then step, record, evaluate, checkpoint, until the last step or a wish to stop.

import Comm
import Data
import Embedding
import Files
import Foundation
import Model
import Project

/// What the command line asks of a run.
package struct TrainingOptions: Sendable {
    package var configPath: String
    /// `key=value` of each `--set`.
    package var overrides: [String]
    package var resumes: Bool
    /// Save a checkpoint after this step and stop.
    package var stopAfter: Int?
    /// Show what would run and what memory it would take, and end.
    package var isDryRun: Bool

    package init(
        configPath: String, overrides: [String] = [], resumes: Bool = false, stopAfter: Int? = nil, isDryRun: Bool = false
    ) {
        self.configPath = configPath
        self.overrides = overrides
        self.resumes = resumes
        self.stopAfter = stopAfter
        self.isDryRun = isDryRun
    }
}

/// A training run in progress.
///
///     let code = try Trainer.run(world, TrainingOptions(configPath: "project_config.yaml"), console)
package struct Trainer {
    private let world: Communicator
    private let setup: TrainingSetup
    private let step: TrainingStep
    private let evaluation: RunEvaluation?
    private let options: TrainingOptions
    private var records: RunRecords
    private var state: TrainingState

    /// Collective.
    ///
    /// - Returns: the exit code: 0 when the last step is done, 75 when stopped on request with a checkpoint
    /// - Throws: `UserError`, the same on every rank; anything else is the fault of one rank
    package static func run(_ world: Communicator, _ options: TrainingOptions, _ console: Console) throws -> Int32 {
        world.phase = "setup"
        let config = try TrainingSetup.configuration(world, path: options.configPath, overrides: options.overrides)
        if options.isDryRun { return try showPlan(world, config, console) }
        let folder = try RunFolder.open(world, config.training.outputFolder, resuming: options.resumes)
        defer { folder.close() }
        folder.notices.forEach(console.notice)
        var store = CheckpointStore(folder, limit: config.training.saveTotalLimit, adapters: .init(config))
        var setup = try TrainingSetup.load(world, config, console) { setting in
            options.resumes ? try store.newest(world, setting) : nil
        }
        store.description = setup.adapterDescription
        if options.resumes && setup.checkpoint == nil { console.notice("\(folder.path) holds no checkpoint; the run starts at step 1") }
        let evaluation = try world.together { try RunEvaluation(setup, heads: setup.config.loss.heads) }
        try world.requireSameOnHosts(evaluation?.fingerprint ?? [], path: config.data.evaluation.path ?? "", "evaluation data")
        if evaluation?.hasImages == true { setup = try setup.withImages(console) }
        let step = setup.step(in: world)
        let records = try RunRecords(setup, step, folder, store, console, evaluation: evaluation?.description)
        var trainer = Trainer(
            world: world, setup: setup, step: step, evaluation: evaluation, options: options, records: records, state: setup.state)
        do {
            return try trainer.train()
        } catch let error as UserError {
            trainer.records.fail(error, trainer.state)
            throw error
        }
    }

    /// The start-up table, and no more: nothing is written but the rows' tokens, and of the weights only their headers are read.
    private static func showPlan(_ world: Communicator, _ config: ProjectConfig, _ console: Console) throws -> Int32 {
        let setup = try TrainingSetup.load(world, config, console)
        let evaluation = try world.together { try RunEvaluation(setup, heads: setup.config.loss.heads) }
        let table = StartupTable(StartupReport(setup, setup.step(in: world), evaluation: evaluation?.description))
        console.write(table.text)
        table.warnings.forEach(console.warning)
        return 0
    }

    private mutating func train() throws -> Int32 {
        var batches = BatchCursor(setup.sampler)
        while state.step < setup.totalSteps {
            world.phase = "step \(state.step + 1)"
            let before = world.statistics
            let batch = batches.batch(ofStep: state.step)
            let next = state.step + 1 < setup.totalSteps ? batches.batch(ofStep: state.step + 1) : nil
            let metrics = try step.run(batch, next: next, &state)
            try records.step(metrics, StepTraffic(from: before, to: world.statistics))

            let isLast = state.step == setup.totalSteps
            let stops = try !isLast && stopIsRequested()
            let isBest = try evaluateWhenDue(isLast: isLast)
            if isLast || stops || isBest || isDue(setup.config.training.saveSteps) { try records.checkpoint(state) }
            if stops {
                try records.end(.stopped, state)
                return UserError.Code.stopped.rawValue
            }
        }
        world.phase = "final files"
        try FinalAdapters(setup).write(state, to: records.folder, world)
        try records.finish(state)
        return 0
    }

    /// - Returns: whether the checkpoint of this step is the best so far
    private mutating func evaluateWhenDue(isLast: Bool) throws -> Bool {
        guard let evaluation, isLast || isDue(setup.config.training.evaluationSteps) else { return false }
        world.phase = "evaluation after step \(state.step)"
        let start = ContinuousClock.now
        let results = try evaluation.run(setup.session, state.adapters)
        return try records.evaluation(
            results, best: evaluation.bestMetric(results), step: state.step, seconds: start.duration(to: .now) / .seconds(1))
    }

    private func isDue(_ every: Int) -> Bool { every > 0 && state.step % every == 0 }

    /// Whether any rank was asked to stop: by a signal, a file STOP in the run's folder, or `--stop-after`.
    ///
    /// Collective.
    private func stopIsRequested() throws -> Bool {
        try world.anyTrue(StopRequest.isRequested || records.folder.stopIsRequested || options.stopAfter.map { state.step >= $0 } ?? false)
    }
}
