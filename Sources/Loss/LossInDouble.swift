// The loss by its formulas, in Double and without tiles: for verification, where the value's last digits count, not its speed.

import Data
import Foundation
import Tensor

/// The loss of a global batch from all of its embeddings.
package struct LossInDouble {
    private let objective: Objective
    private let plan: StepPlan
    /// Of each input, then of each candidate of earlier steps: [dimension] and [tokens][dimension]; empty where the objective has
    /// no such head.
    private let dense: [[Double]]
    private let late: [[[Double]]]

    /// Collective when the pool is streamed.
    package init(_ objective: Objective, _ plan: StepPlan, _ pool: any EmbeddingSource) throws {
        self.objective = objective
        self.plan = plan
        var (dense, late) = ([[Double]](), [[[Double]]]())
        func take(_: Range<Int>, _ panel: Panel) {
            for place in 0..<panel.count {
                if let rows = panel.dense { dense.append(Self.row(rows, place, pool.heads.dimension)) }
                if let rows = panel.late { late.append(panel.tokens[place].map { Self.row(rows, $0, rows.columns) }) }
            }
        }
        try pool.forEachPanel(of: Array(plan.inputs.indices), take)
        try pool.forEachEarlierPanel(take)
        self.dense = dense
        self.late = late
    }

    package var value: Double {
        if let grades = plan.scores { return cosent(grades) }
        return objective.form == .contrastive ? contrastive : triplet
    }

    // MARK: - Scores

    private static func row(_ rows: Tensor, _ index: Int, _ width: Int) -> [Double] {
        (0..<width).map { Double(rows.floats[index * rows.columns + $0]) }
    }

    /// The vectors of a column.
    private func candidate(_ column: Int) -> Int {
        let earlier = column - plan.candidates.count
        return earlier < 0 ? plan.candidates[column] : plan.inputs.count + earlier
    }

    private func score(_ head: Int, row: Int, column: Int) -> Double {
        let (anchor, candidate) = (plan.anchors[row], candidate(column))
        if head == objective.heads.late {
            let best = late[anchor].map { token in late[candidate].map { dot(token, $0) }.max()! }
            return best.reduce(0, +) / Double(best.count)
        }
        let cosine = cosine(head, anchor, candidate)
        return objective.heads.distance == .cosine ? cosine : -max(2 - 2 * cosine, 0).squareRoot()
    }

    private func cosine(_ head: Int, _ anchor: Int, _ candidate: Int) -> Double {
        let width = objective.heads.widths[head]
        let (a, c) = (dense[anchor].prefix(width), dense[candidate].prefix(width))
        guard width < objective.heads.dimension else { return dot(a, c) }
        return dot(a, c) / (max(dot(a, a).squareRoot(), 1e-12) * max(dot(c, c).squareRoot(), 1e-12))
    }

    private func dot(_ x: some Collection<Double>, _ y: some Collection<Double>) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }

    // MARK: - The pool

    private var contrastive: Double {
        let (rows, columns) = (plan.anchors.indices, 0..<plan.columnCount)
        let seen = rows.map { row in columns.map { isSeen(row: row, column: $0) } }
        var sum = 0.0
        let scores = (0..<objective.heads.count).map { head in
            rows.map { row in columns.map { score(head, row: row, column: $0) / objective.temperature } }
        }
        for head in scores.indices where objective.weight(ofHead: head) > 0 {
            let terms = rows.map { row -> Double in
                let own = scores[head][row][row]
                let ahead = logarithmOfSum(columns.filter { seen[row][$0] }.map { scores[head][row][$0] }) - own
                guard objective.isSymmetric else { return ahead }
                return (ahead + logarithmOfSum(rows.filter { seen[$0][row] }.map { scores[head][$0][row] }) - own) / 2
            }
            sum += objective.weight(ofHead: head) * terms.reduce(0, +)
        }
        if objective.divergenceWeight > 0 {
            for width in objective.heads.widths.indices {
                let isForward = objective.direction == .denseToLate
                let (p, q) = isForward ? (scores[width], scores.last!) : (scores.last!, scores[width])
                let terms = rows.map { row in
                    divergence(p[row], q[row], columns.filter { seen[row][$0] && (objective.divergenceCoversNegatives || $0 < rows.count) })
                }
                sum += objective.divergenceWeight(ofWidth: width) * terms.reduce(0, +)
            }
        }
        return sum * objective.rowScale(rows: rows.count)
    }

    private func isSeen(row: Int, column: Int) -> Bool {
        if row == column { return true }
        guard plan.visibility.sees(row: row, column: column) else { return false }
        guard let margin = objective.negativeMargin, let whole = objective.heads.whole else { return true }
        return cosine(whole, plan.anchors[row], candidate(column))
            <= cosine(whole, plan.anchors[row], plan.candidates[row]) - margin
    }

    private func divergence(_ p: [Double], _ q: [Double], _ columns: [Int]) -> Double {
        let (pSum, qSum) = (logarithmOfSum(columns.map { p[$0] }), logarithmOfSum(columns.map { q[$0] }))
        return columns.reduce(0) { $0 + exp(p[$1] - pSum) * (p[$1] - pSum - q[$1] + qSum) }
    }

    private func logarithmOfSum(_ values: [Double]) -> Double {
        let maximum = values.max()!
        return maximum + log(values.reduce(0) { $0 + exp($1 - maximum) })
    }

    // MARK: - Pairs

    private func cosent(_ grades: [Float]) -> Double {
        (0..<objective.heads.count).reduce(0) { sum, head in
            sum + objective.weight(ofHead: head) * cosent(plan.anchors.indices.map { score(head, row: $0, column: $0) }, grades)
        }
    }

    private func cosent(_ scores: [Double], _ grades: [Float]) -> Double {
        var sum = 1.0
        for (a, higher) in grades.enumerated() {
            for (b, lower) in grades.enumerated() where higher > lower { sum += exp((scores[b] - scores[a]) / objective.cosentTemperature) }
        }
        return log(sum)
    }

    private var triplet: Double {
        let negatives = plan.candidates.indices.dropFirst(plan.anchors.count)
            .filter { plan.visibility.sees(row: plan.rowsOfCandidates[$0], column: $0) }
        let sum = (0..<objective.heads.count).reduce(0.0) { sum, head in
            sum
                + objective.weight(ofHead: head)
                * negatives.reduce(0) { sum, column in
                    let row = plan.rowsOfCandidates[column]
                    return sum
                        + max(0, objective.tripletMargin + score(head, row: row, column: column) - score(head, row: row, column: row))
                }
        }
        return objective.isMean ? sum / Double(max(negatives.count, 1)) : sum
    }
}
