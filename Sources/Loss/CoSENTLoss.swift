// CoSENT, the loss of graded rows: of any two rows the one with the higher grade should have the higher score.
//
//     L = Σ_heads weight · log(1 + Σ over a, b with grade(a) > grade(b) of exp((score(b) - score(a)) / τ))
//
// (Su 2022, kexue.fm/archives/8847). In Double, alike on every rank.

import Config
import Data
import Glibc

/// CoSENT over all rows of the global batch.
package struct CoSENTLoss: BatchLoss {
    /// What differences of scores are divided by.
    package var temperature = 0.05

    /// Creates the loss with the usual settings.
    package init() {}

    /// The value and the gradient over all graded rows; see `BatchLoss`.
    package func run(_ batch: LossBatch) throws -> LossResult {
        let grades = grades(batch.plan)
        return try batch.sum(over: batch.positives, scale: 1) { pairLoss(scores: $1, grades: grades) }
    }

    /// One change of at most 2/τ is shared by all pairs, so that a single chunk may have all of it: each may reach 64 at the usual
    /// temperature, and more at a lower one, however many chunks there are.
    package func excess(_ plan: StepPlan) -> Float {
        Float(plan.chunks.count) / 64 * Float(max(1, CoSENTLoss().temperature / temperature))
    }

    /// True: CoSENT compares grades.
    package var needsGrades: Bool { true }

    private func grades(_ plan: StepPlan) -> [Float] {
        guard let grades = plan.scores else { preconditionFailure("CoSENT: a batch without grades") }
        return grades
    }

    /// In the order of grades the sums over all higher, and over all lower, rows grow row by row: n rows cost n log n.
    func pairLoss(scores: [Double], grades: [Float]) -> PairLoss {
        let order = grades.indices.sorted { grades[$0] > grades[$1] }
        var above = [Double](repeating: -.infinity, count: scores.count)
        var below = above
        collectLogarithms(order, grades, into: &above) { -scores[$0] / temperature }
        collectLogarithms(order.reversed(), grades, into: &below) { scores[$0] / temperature }
        let value = scores.indices.reduce(0) { logarithmOfSum($0, scores[$1] / temperature + above[$1]) }
        let changes = scores.indices.map { row in
            (exp(scores[row] / temperature + above[row] - value) - exp(below[row] - scores[row] / temperature - value)) / temperature
        }
        return PairLoss(value: value, changes: changes)
    }

    /// For each row, log Σ exp(exponent) over the rows before it in `order` that have another grade.
    private func collectLogarithms(_ order: [Int], _ grades: [Float], into sums: inout [Double], _ exponent: (Int) -> Double) {
        var (sum, start) = (-Double.infinity, 0)
        for (place, row) in order.enumerated() {
            if grades[row] != grades[order[start]] {
                for earlier in order[start..<place] { sum = logarithmOfSum(sum, exponent(earlier)) }
                start = place
            }
            sums[row] = sum
        }
    }

    /// log(exp(x) + exp(y))
    private func logarithmOfSum(_ x: Double, _ y: Double) -> Double {
        let larger = max(x, y)
        return larger == -.infinity ? larger : larger + log1p(exp(min(x, y) - larger))
    }

    // MARK: - Reference

    /// The value by its formula, over all pairs of rows.
    package func inDouble(_ scores: ScoresInDouble, _ heads: WeightedHeads) -> Double {
        let grades = grades(scores.plan)
        return heads.weightedSum { head in
            let own = scores.plan.anchors.indices.map { scores.score(head, row: $0, column: $0) }
            var sum = 1.0
            for (a, higher) in grades.enumerated() {
                for (b, lower) in grades.enumerated() where higher > lower { sum += exp((own[b] - own[a]) / temperature) }
            }
            return log(sum)
        }
    }
}

// MARK: - Settings

extension LossSettings {
    package static let cosentTemperature = Setting<Double>(
        "loss.cosent_temperature", .number(.above(0)), .value(CoSENTLoss().temperature),
        "CoSENT divides similarities by it.")
}

extension CoSENTLoss {
    /// The settings that it reads and not every loss does: none, since graded rows may stand beside any others.
    static let settings: [any AnySetting] = []

    /// Takes its values from the section `loss`.
    init(_ values: SettingValues) { temperature = values[LossSettings.cosentTemperature] }
}
