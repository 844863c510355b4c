// The contrastive loss over the global pool: each anchor against all positives and all hard negatives of all rows, and against
// those that the memory bank holds of earlier steps, by every head; the divergence between dense and late scores; and, when
// symmetric, each positive against all anchors.
//
//     L      = Σ_w μ_w [ dense · NCE(S_w) + kl · KL(S_w ‖ S_late) ] + late · NCE(S_late)        w: widths of the vectors
//     NCE(S) = mean over rows i of  log Σ_j exp(S(i,j)/τ) - S(i,i)/τ             (van den Oord et al. 2018, arXiv:1807.03748)
//     KL     = mean over rows of  KL(softmax(S_dense/τ) ‖ softmax(S_late/τ))     (arXiv:2506.18902, equation 5)

import Config
import Data
import Foundation

/// Which way the divergence between the dense and the late distribution of a row is taken.
package enum DivergenceDirection: String, Sendable {
    /// KL(dense ‖ late), the paper's (arXiv:2506.18902, equation 5).
    case denseToLate = "dense_to_late"
    /// KL(late ‖ dense): the dense vectors learn from the late ones.
    case lateToDense = "late_to_dense"
}

/// The side of the divergence that is taken as given and receives no gradient from it.
package enum DetachedSide: String, Sendable { case none, dense, late }

/// InfoNCE by every head, with the divergence between them: the losses `infonce` and `joint`.
package struct ContrastiveLoss: BatchLoss {
    /// What scores are divided by.
    package var temperature = 0.02
    /// Whether half of the loss is taken over rows and half over the columns of positives.
    package var isSymmetric = false
    /// A candidate whose cosine lies above the positive's less this is no negative; nil: every one is.
    package var negativeMargin: Double?
    /// Whether the rows' losses are averaged, else added.
    package var isMean = true
    /// Weight of the divergence between dense and late scores.
    package var divergenceWeight = 0.0
    /// Which way the divergence is taken.
    package var direction = DivergenceDirection.denseToLate
    /// The side that the divergence takes as given.
    package var detached = DetachedSide.none
    /// Whether the divergence covers the columns of hard negatives.
    package var divergenceCoversNegatives = true

    /// Creates the loss with the usual settings.
    package init() {}

    /// What a row's loss counts in the whole.
    func rowScale(rows: Int) -> Double { isMean ? 1 / Double(rows) : 1 }

    /// The weight of the divergence between a width and the late scores.
    package func divergenceWeight(ofWidth width: Int, _ heads: WeightedHeads) -> Double { divergenceWeight * heads.widthWeights[width] }

    /// 1 for a mean over rows, their number for a sum.
    package func excess(_ plan: StepPlan) -> Float { isMean ? 1 : Float(plan.anchors.count) }

    /// True with a divergence, which holds dense scores against late ones.
    package var comparesHeads: Bool { divergenceWeight > 0 }

    /// True with a margin of negatives, which is one of whole vectors.
    package var needsWholeVectors: Bool { negativeMargin != nil }

    /// The value and the gradient over the global pool; see `BatchLoss`.
    package func run(_ batch: LossBatch) throws -> LossResult {
        // 1. Every anchor's score with its own positive: by it near duplicates are known.
        let scores = ContrastiveScores(loss: self, batch: batch, positives: try batch.scores(of: batch.positives))

        // 2. Statistics of own rows, and of own positives when they have a part, made known to all ranks.
        let (rows, reports) = try rowStatistics(scores, batch)
        let columns = isSymmetric ? try columnStatistics(scores, batch) : []

        // 3. The value, in row order; the gradient of own inputs.
        let value = value(scores, rows: rows, columns: columns)
        let gradient = batch.pool.zeroGradient()
        try scores.addGradient(ContrastiveScores.Lines(scores, rows: rows, columns: columns), to: gradient)
        return LossResult(value: value, gradient: gradient, maskedPairs: batch.plan.maskedPairs, pool: PoolReport(reports))
    }

    private func rowStatistics(
        _ scores: ContrastiveScores, _ batch: LossBatch
    ) throws -> (rows: [LineStatistics], reports: [ArraySlice<Double>]) {
        let owners = batch.plan.rows(worldSize: batch.world.worldSize)
        let own = try scores.statistics(ofRows: owners[batch.world.rank]).flatMap { line, pool in
            line.encoded + pool.encoded(temperature: temperature)
        }
        let all = try batch.world.gatherLines(own, owners)
        let lines = all.map { LineStatistics(decoding: $0, heads: scores.heads.count, divergences: scores.divergences) }
        return (lines, all.map { $0.suffix(PoolStatistics.fields) })
    }

    private func columnStatistics(_ scores: ContrastiveScores, _ batch: LossBatch) throws -> [LineStatistics] {
        let owners = batch.plan.rowsByPositive(worldSize: batch.world.worldSize)
        let own = try scores.statistics(ofColumns: owners[batch.world.rank]).flatMap(\.encoded)
        return try batch.world.gatherLines(own, owners).map { LineStatistics(decoding: $0, heads: scores.heads.count, divergences: 0) }
    }

    private func value(_ scores: ContrastiveScores, rows: [LineStatistics], columns: [LineStatistics]) -> Double {
        let heads = scores.batch.heads
        let half = isSymmetric ? 0.5 : 1
        func term(_ line: LineStatistics, _ head: Int, _ row: Int) -> Double {
            let softmax = line.softmax[head]
            return half * (Double(softmax.maximum - scores.positives[row][head]) / temperature + log(softmax.sum))
        }
        var sum = 0.0
        for (row, line) in rows.enumerated() {
            for head in 0..<scores.heads.count where heads.weight(ofHead: head) > 0 {
                sum += heads.weight(ofHead: head) * (term(line, head, row) + (columns.isEmpty ? 0 : term(columns[row], head, row)))
            }
            for (width, divergence) in line.divergence.enumerated() {
                sum += divergenceWeight(ofWidth: width, heads) * divergence.value(temperature: temperature)
            }
        }
        return sum * rowScale(rows: rows.count)
    }

    // MARK: - Reference

    /// The value by its formula, over all rows and columns.
    package func inDouble(_ scores: ScoresInDouble, _ heads: WeightedHeads) -> Double {
        let (rows, columns) = (scores.plan.anchors.indices, 0..<scores.plan.columnCount)
        let seen = rows.map { row in columns.map { isSeen(row: row, column: $0, scores, heads) } }
        let logits = (0..<heads.heads.count).map { head in
            rows.map { row in columns.map { scores.score(head, row: row, column: $0) / temperature } }
        }
        var sum = heads.weightedSum { head in
            guard heads.weight(ofHead: head) > 0 else { return 0 }
            return rows.reduce(0) { sum, row in
                let own = logits[head][row][row]
                let ahead = logarithmOfSum(columns.filter { seen[row][$0] }.map { logits[head][row][$0] }) - own
                guard isSymmetric else { return sum + ahead }
                return sum + (ahead + logarithmOfSum(rows.filter { seen[$0][row] }.map { logits[head][$0][row] }) - own) / 2
            }
        }
        if divergenceWeight > 0 {
            for width in heads.heads.widths.indices {
                let (p, q) = direction == .denseToLate ? (logits[width], logits.last!) : (logits.last!, logits[width])
                let terms = rows.map { row in
                    divergence(p[row], q[row], columns.filter { seen[row][$0] && (divergenceCoversNegatives || $0 < rows.count) })
                }
                sum += divergenceWeight(ofWidth: width, heads) * terms.reduce(0, +)
            }
        }
        return sum * rowScale(rows: rows.count)
    }

    private func isSeen(row: Int, column: Int, _ scores: ScoresInDouble, _ heads: WeightedHeads) -> Bool {
        if row == column { return true }
        guard scores.plan.visibility.sees(row: row, column: column) else { return false }
        guard let margin = negativeMargin, let whole = heads.heads.whole else { return true }
        return scores.cosine(whole, row: row, column: column) <= scores.cosine(whole, row: row, column: row) - margin
    }

    private func divergence(_ p: [Double], _ q: [Double], _ columns: [Int]) -> Double {
        let (pSum, qSum) = (logarithmOfSum(columns.map { p[$0] }), logarithmOfSum(columns.map { q[$0] }))
        return columns.reduce(0) { $0 + exp(p[$1] - pSum) * (p[$1] - pSum - q[$1] + qSum) }
    }

    private func logarithmOfSum(_ values: [Double]) -> Double {
        let maximum = values.max()!
        return maximum + log(values.reduce(0) { $0 + exp($1 - maximum) })
    }
}
