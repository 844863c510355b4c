// Scores by their formulas, in Double and without tiles: what the references of the losses are made of.

import Data
import Tensor

/// All embeddings of a global batch, and their scores.
package struct ScoresInDouble {
    let plan: StepPlan
    private let heads: ScoreHeads
    /// Of each input, then of each candidate of earlier steps: [dimension] and [tokens][dimension]; empty where there is no such head.
    private let dense: [[Double]]
    private let late: [[[Double]]]

    /// Reads all panels of the pool.
    ///
    /// Collective when the pool is streamed.
    package init(_ heads: ScoreHeads, _ plan: StepPlan, _ pool: any EmbeddingSource) throws {
        (self.heads, self.plan) = (heads, plan)
        var (dense, late) = ([[Double]](), [[[Double]]]())
        func take(_: Range<Int>, _ panel: Panel) {
            for place in 0..<panel.count {
                if let rows = panel.dense { dense.append(Self.row(rows, place, heads.dimension)) }
                if let rows = panel.late { late.append(panel.tokens[place].map { Self.row(rows, $0, rows.columns) }) }
            }
        }
        try pool.forEachPanel(of: Array(plan.inputs.indices), take)
        try pool.forEachEarlierPanel(take)
        (self.dense, self.late) = (dense, late)
    }

    private static func row(_ rows: Tensor, _ index: Int, _ width: Int) -> [Double] {
        (0..<width).map { Double(rows.floats[index * rows.columns + $0]) }
    }

    /// The vectors of a column.
    private func candidate(_ column: Int) -> Int {
        let earlier = column - plan.candidates.count
        return earlier < 0 ? plan.candidates[column] : plan.inputs.count + earlier
    }

    /// The score of a row's anchor with a column.
    func score(_ head: Int, row: Int, column: Int) -> Double {
        guard head == heads.late else {
            let cosine = cosine(head, row: row, column: column)
            return heads.distance == .cosine ? cosine : -max(2 - 2 * cosine, 0).squareRoot()
        }
        let (anchor, candidate) = (plan.anchors[row], candidate(column))
        let best = late[anchor].map { token in late[candidate].map { dot(token, $0) }.max()! }
        return best.reduce(0, +) / Double(best.count)
    }

    /// The cosine of a row's anchor and a column at the width of a dense head.
    func cosine(_ head: Int, row: Int, column: Int) -> Double {
        let width = heads.widths[head]
        let (a, c) = (dense[plan.anchors[row]].prefix(width), dense[candidate(column)].prefix(width))
        guard width < heads.dimension else { return dot(a, c) }
        return dot(a, c) / (max(dot(a, a).squareRoot(), 1e-12) * max(dot(c, c).squareRoot(), 1e-12))
    }

    private func dot(_ x: some Collection<Double>, _ y: some Collection<Double>) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
}
