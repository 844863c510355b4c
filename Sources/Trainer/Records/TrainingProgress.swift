// How far a run is, on the terminal: a bar that is redrawn in place, or a plain line every `training.logging_steps`.
// A line's loss is that of its step, as in metrics.jsonl; where several tasks are trained, the mean of each over the steps since
// the line before, as its speed is.

import Evaluation
import Files
import Foundation
import Loss

/// Progress of a training run. Shows nothing on ranks other than 0, because their console does not.
///
///     let progress = TrainingProgress(console, totalSteps: 100, stepsDone: 0, loggingSteps: 10)
///     defer { progress.finish() }
///     progress.step(metrics, epoch: 0.25)
package final class TrainingProgress {
    private let console: Console
    private let totalSteps: Int
    private let firstStep: Int
    private let loggingSteps: Int
    private let showsTasks: Bool
    private let now: () -> Double
    private let start: Double
    private var tokens = 0
    private var seconds = 0.0
    private var lastDrawing = -Double.infinity
    private var isBarVisible = false
    /// Over the steps since the line before.
    private(set) var losses: TaskLosses

    /// - Parameters:
    ///   - stepsDone: before this process
    ///   - tasks: that are trained
    ///   - now: seconds since any moment, never going back
    package init(
        _ console: Console, totalSteps: Int, stepsDone: Int, loggingSteps: Int, tasks: [String] = [],
        now: @escaping () -> Double = secondsOfUptime
    ) {
        precondition(loggingSteps > 0, "TrainingProgress: a line every \(loggingSteps) steps")
        self.console = console
        self.totalSteps = totalSteps
        self.loggingSteps = loggingSteps
        self.now = now
        showsTasks = tasks.count > 1
        losses = TaskLosses(tasks: tasks)
        firstStep = stepsDone + 1
        start = now()
    }

    /// Begins with the losses of earlier starts of the run, until there are newer ones.
    func goOn(from losses: TaskLosses) {
        self.losses = losses
        self.losses.endWindow()
    }

    /// Shows a step: always the first and the last of this process's, so that even a slow run soon gives a sign of life.
    ///
    /// - Parameter epoch: passes over the data after this step: 1.25
    package func step(_ metrics: StepMetrics, epoch: Double) {
        tokens += metrics.tokens
        seconds += metrics.totalSeconds
        losses.add(metrics.loss, of: metrics.task)
        let isDue = metrics.step % loggingSteps == 0
        let isOuter = metrics.step == firstStep || metrics.step == totalSteps
        if console.terminal.showsBar {
            let moment = now()
            if isOuter || moment - lastDrawing >= 0.1 {
                draw(metrics)
                lastDrawing = moment
            }
        } else if isDue || isOuter {
            console.write(line: line(metrics, epoch: epoch))
        }
        guard isDue || isOuter else { return }
        (tokens, seconds) = (0, 0)
        losses.endWindow()
    }

    /// A line a dataset and mode, single vectors at the full width.
    ///
    /// - Parameter isBest: of the evaluations so far
    package func evaluation(_ results: [EvaluationResult], step: Int, seconds: Double, isBest: Bool) {
        let width = results.filter { $0.mode == .dense }.map(\.dimension).max()
        for result in results where result.mode == .late || result.dimension == width {
            let metrics = RetrievalMetric.allCases.compactMap { metric in
                result.metrics[metric].map { "\(metric.title) \(Figures.fixed($0, 4))" }
            }
            let parts =
                ["evaluation \(result.dataset)"] + metrics
                + [result.mode == .late ? "late" : "width \(result.dimension)", Figures.duration(seconds)] + (isBest ? ["best"] : [])
            message("\(place(step)) · " + parts.joined(separator: " · "))
        }
    }

    /// - Parameter seconds: that saving took
    package func checkpoint(_ path: String, step: Int, bytes: Int, seconds: Double) {
        message("\(place(step)) · checkpoint \(path) · \(Figures.bytes(bytes)) · \(Figures.duration(seconds))")
    }

    /// A line of its own, above the bar.
    package func message(_ line: String) {
        clearBar()
        console.write(line: line)
    }

    /// Ends the bar's line, so that what comes next starts on one of its own.
    package func finish() {
        if isBarVisible { console.write("\n") }
        isBarVisible = false
    }

    // MARK: Forms

    private func place(_ step: Int) -> String {
        let total = "\(totalSteps)"
        let number = "\(step)"
        return "step " + String(repeating: " ", count: max(0, total.count - number.count)) + "\(number)/\(total)"
    }

    private var tokensPerSecond: String { Figures.count(Int(min(Double(tokens) / max(seconds, 1e-9), 1e15).rounded())) }

    /// From the mean of this process's steps, with whatever came between them.
    private func timeLeft(after step: Int) -> String {
        let mean = (now() - start) / Double(step - firstStep + 1)
        return Figures.duration(mean * Double(totalSteps - step)) + " left"
    }

    private func loss(_ metrics: StepMetrics) -> String {
        guard showsTasks else { return "loss \(Figures.fixed(metrics.loss, 4))" }
        return "mean loss " + losses.ofWindow.map { "\($0.task) \(Figures.fixed($0.mean, 4))" }.joined(separator: ", ")
    }

    private func line(_ metrics: StepMetrics, epoch: Double) -> String {
        let positive = metrics.pool.map {
            "positive at place \(Figures.fixed($0.positionOfPositive, 1)) of \(Figures.count(1 + Int($0.negatives.rounded())))"
        }
        let distillation = metrics.distillation.map {
            "distillation \(Figures.fixed($0.loss, 4)), teacher's best first in \(Figures.fixed(100 * $0.agreement, 0)) %"
        }
        return [
            place(metrics.step), "epoch \(Figures.fixed(epoch, 2))", loss(metrics), positive, distillation,
            "lr \(Figures.scientific(metrics.learningRate))", "grad norm \(Figures.fixed(metrics.gradientNorm, 3))",
            "\(tokensPerSecond) tokens/s", timeLeft(after: metrics.step),
        ].compactMap(\.self).joined(separator: " · ")
    }

    private func draw(_ metrics: StepMetrics) {
        let numbers = [
            loss(metrics), "\(tokensPerSecond) tokens/s", timeLeft(after: metrics.step),
        ].joined(separator: " · ")
        let bar = ProgressBar(done: metrics.step, total: totalSteps, before: "\(metrics.step)/\(totalSteps)", after: numbers)
        console.write("\r\(bar.text(width: console.terminal.width - 1, colour: console.terminal.cyan))\u{1B}[K")
        isBarVisible = true
    }

    private func clearBar() {
        if isBarVisible { console.write("\r\u{1B}[K") }
        isBarVisible = false
    }
}

/// One line: what is done, a bar that takes the width that is left, and numbers.
struct ProgressBar {
    let done: Int
    let total: Int
    let before: String
    let after: String

    /// At most `width` columns. Without the room for a bar of ten, there is none; what is still too long is cut.
    func text(width: Int, colour: (String) -> String = { $0 }) -> String {
        let room = min(width - before.count - after.count - 2, 40)
        guard room >= 10 else { return String("\(before) \(after)".prefix(max(width, 0))) }
        let filled = total > 0 ? room * min(max(done, 0), total) / total : 0
        let bar = colour(String(repeating: "█", count: filled)) + String(repeating: "░", count: room - filled)
        return "\(before) \(bar) \(after)"
    }
}

package func secondsOfUptime() -> Double {
    ProcessInfo.processInfo.systemUptime
}
