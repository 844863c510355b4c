// metrics.jsonl: what happened in a run, one JSON line an event, for scripts, reports and the scaling study.
// Every step is there, numbered from 1; what the terminal shows is another matter (TrainingProgress).

import Comm
import Evaluation
import Files
import Foundation

/// Writes the events of a run. On ranks other than 0 it does nothing.
///
///     let log = try RunLog(folder: config.training.outputFolder, rank: world.rank)
///     try log.step(metrics, epoch: 0.25, traffic: StepTraffic(from: before, to: world.statistics))
///
/// Every function throws `UserError` `.output` when the line cannot be written, on rank 0 alone: the caller lets the others
/// know. A step's line is handed to the system; other events are on disk when their function returns, and with them all before.
package struct RunLog {
    private let file: MetricsFile?
    private let now: @Sendable () -> Double

    package static let fileName = "metrics.jsonl"

    /// - Parameters:
    ///   - folder: of the run; exists
    ///   - step: the checkpoint's, in a run that goes on: later events are cut off. nil: a new record
    ///   - now: seconds since 1970, the `time` of events
    ///   - history: gets the earlier events of a run that goes on
    package init(
        folder: String, rank: Int, resumingAfter step: Int? = nil, now: @escaping @Sendable () -> Double = { Date().timeIntervalSince1970 },
        history: (JSONValue) -> Void = { _ in }
    ) throws(UserError) {
        self.now = now
        guard rank == 0 else {
            file = nil
            return
        }
        let path = "\(folder)/\(Self.fileName)"
        if let step {
            try MetricsFile.cut(path, after: step, kept: history)
            file = try MetricsFile(appendingTo: path)
        } else {
            file = try MetricsFile.create(path)
        }
    }

    /// What the run is, at its start and whenever it goes on.
    ///
    /// - Parameters:
    ///   - step: updates made before
    ///   - totalSteps: updates of the whole run
    package func configuration(_ resolved: JSONValue, step: Int, totalSteps: Int, worldSize: Int) throws(UserError) {
        try append(
            "config", step,
            [("total_steps", .whole(totalSteps)), ("world_size", .whole(worldSize)), ("config", resolved)])
    }

    /// - Parameters:
    ///   - epoch: passes over the data after this step: 1.25
    package func step(_ metrics: StepMetrics, epoch: Double, traffic: StepTraffic) throws(UserError) {
        var seconds = JSONObject()
        for phase in Phase.allCases { seconds[phase.rawValue] = .number(metrics.seconds[phase] ?? 0) }
        let pool = metrics.pool.map { [("pool", $0.json)] } ?? []
        let distillation = metrics.distillation.map { [("distillation", $0.json)] } ?? []
        try append(
            "step", metrics.step,
            [
                ("epoch", .number(epoch)), ("task", .string(metrics.task)), ("loss", .number(metrics.loss)),
                ("learning_rate", .number(metrics.learningRate)), ("grad_norm", .number(metrics.gradientNorm)),
                ("tokens", .whole(metrics.tokens)), ("tokens_per_second", .number(metrics.tokensPerSecond)),
                ("seconds", .object(seconds)), ("rows", .whole(metrics.rows)), ("candidates", .whole(metrics.candidates)),
                ("inputs", .whole(metrics.inputs)), ("masked_pairs", .whole(metrics.maskedPairs)), ("communication", traffic.json),
            ] + pool + distillation, isDurable: false)
    }

    /// - Parameter step: updates made before; 0 is the untrained adapter
    package func evaluation(_ results: [EvaluationResult], step: Int, seconds: Double) throws(UserError) {
        try append("evaluation", step, [("seconds", .number(seconds)), ("results", .array(results.map(\.json)))])
    }

    /// - Parameters:
    ///   - name: of its folder: `step-500`
    ///   - isBest: by `training.metric_for_best_model`, so far
    package func checkpoint(_ name: String, step: Int, bytes: Int, seconds: Double, isBest: Bool) throws(UserError) {
        try append(
            "checkpoint", step,
            [("name", .string(name)), ("bytes", .whole(bytes)), ("seconds", .number(seconds)), ("best", .bool(isBest))])
    }

    /// - Parameters:
    ///   - seconds: since this process began to train
    ///   - losses: see `TaskLosses.latest`
    package func end(
        _ status: RunStatus, step: Int, seconds: Double, losses: [(task: String, mean: Double)] = [], message: String? = nil
    ) throws(UserError) {
        var members: [(String, JSONValue)] = [("status", .string(status.rawValue)), ("seconds", .number(seconds))]
        if let peak = Machine.peakResidentBytes { members.append(("peak_resident_bytes", .whole(peak))) }
        if !losses.isEmpty {
            var means = JSONObject()
            for (task, mean) in losses { means[task] = .number(mean) }
            members.append(("mean_loss_by_task", .object(means)))
        }
        if let message { members.append(("message", .string(message))) }
        try append("end", step, members)
    }

    private func append(
        _ event: String, _ step: Int, _ members: [(String, JSONValue)], isDurable: Bool = true
    ) throws(UserError) {
        guard let file else { return }
        var line = JSONObject()
        line["event"] = .string(event)
        line["time"] = .number(now())
        line["step"] = .whole(step)
        for (key, value) in members { line[key] = value }
        try file.append(.object(line), isDurable: isDurable)
    }
}

/// How far a run has come; one that was killed stays at `running`.
package enum RunStatus: String, Sendable {
    case running
    case finished
    /// On request, with a checkpoint.
    case stopped
    /// By an error that all ranks found together.
    case failed
}

/// What the collectives of a step cost this rank.
package struct StepTraffic: Sendable, Equatable {
    package let bytes: Int
    /// Of the transfers.
    package let seconds: Double
    /// Until the slower ranks came to the same collective.
    package let waitingSeconds: Double
}

extension StepTraffic {
    /// - Parameters: the statistics of the world before and after the step
    package init(from before: CommStatistics, to after: CommStatistics) {
        bytes = after.total.bytes - before.total.bytes
        waitingSeconds = after[.agreement].seconds - before[.agreement].seconds
        seconds = after.total.seconds - before.total.seconds - waitingSeconds
    }

    var json: JSONValue {
        ["bytes": .whole(bytes), "seconds": .number(seconds), "waiting_seconds": .number(waitingSeconds)]
    }
}

extension JSONValue {
    static func whole(_ value: Int) -> JSONValue { .integer(Int64(value)) }
}
