// Values that the tests of records and terminal output share.

import Foundation
import Synchronization

@testable import Data
@testable import Evaluation
@testable import Loss
@testable import Trainer

func sampleStep(_ step: Int, task: String = "code", loss: Double = 2.134, tokens: Int = 3000) -> StepMetrics {
    StepMetrics(
        step: step, task: task, loss: loss, learningRate: 6.667e-4, gradientNorm: 1.2345, rows: 64, candidates: 66, inputs: 120,
        tokens: tokens, maskedPairs: 4, pool: samplePool,
        seconds: [.embed: 0.5, .gather: 0.125, .loss: 0.125, .backward: 1, .reduce: 0.125, .update: 0.125])
}

let samplePool = PoolReport([[0.75, 0.5, 0.125, 1.25, 0.5, 8, 65]])

func sampleEvaluation(
    width: Int, _ values: [Double], dataset: String = "python-stdlib", mode: EvaluationResult.Mode = .dense
) -> EvaluationResult {
    EvaluationResult(
        dataset: dataset, task: "code", mode: mode, dimension: width, queries: 1200,
        metrics: Dictionary(uniqueKeysWithValues: zip(RetrievalMetric.usual, values)))
}

let sampleEvaluationBefore = [
    sampleEvaluation(width: 256, [0.202, 0.12, 0.25, 0.31, 0.17]), sampleEvaluation(width: 128, [0.172, 0.1, 0.22, 0.29, 0.15]),
]

let sampleEvaluationAfter = [
    sampleEvaluation(width: 128, [0.267, 0.15, 0.3, 0.38, 0.14]), sampleEvaluation(width: 256, [0.306, 0.21, 0.35, 0.42, 0.27]),
]

/// What was written to a console.
final class ConsoleText: Sendable {
    private let text = Mutex("")

    var value: String { text.withLock { $0 } }

    var lines: [String] { value.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }

    func console(bar: Bool, columns: Int = 80) -> Console {
        let terminal = Terminal(
            environment: ["SHOAL_PROGRESS": bar ? "bar" : "lines", "COLUMNS": "\(columns)", "NO_COLOR": "1"], isTerminal: false,
            isLaunched: false)
        return Console(terminal: terminal) { added in self.text.withLock { $0 += added } }
    }
}
