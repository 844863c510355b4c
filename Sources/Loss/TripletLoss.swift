// The triplet loss: a row's own hard negatives should score at least a margin below its positive.
//
//     L = Σ_heads weight · mean or sum over triplets of max(0, margin + score(negative) - score(positive))
//
// (Schroff et al. 2015, arXiv:1503.03832). In Double, alike on every rank.

import Config
import Data

/// The hinge of each row's own triplets.
package struct TripletLoss: BatchLoss {
    /// How far below the positive a negative should score.
    package var margin = 0.2
    /// Whether the triplets' losses are averaged, else added.
    package var isMean = true

    /// Creates the loss with the usual settings.
    package init() {}

    /// The value and the gradient over each row's own triplets; see `BatchLoss`.
    package func run(_ batch: LossBatch) throws -> LossResult {
        let pairs = ownPairs(batch.plan)
        let triplets = pairs.count { !$0.isPositive }
        return try batch.sum(over: pairs, scale: isMean ? 1 / Double(max(triplets, 1)) : 1) { pairLoss(pairs, scores: $1) }
    }

    /// 1 for a mean over triplets, the number of rows for a sum.
    package func excess(_ plan: StepPlan) -> Float { isMean ? 1 : Float(plan.anchors.count) }

    /// True: without a hard negative a row has no triplet.
    package var needsNegatives: Bool { true }

    /// Each row's positive, then all hard negatives that are not hidden, each with its own row.
    private func ownPairs(_ plan: StepPlan) -> [ScoredPair] {
        plan.rowsOfCandidates.enumerated().map { ScoredPair(row: $1, column: $0) }
            .filter { plan.visibility.sees(row: $0.row, column: $0.column) }
    }

    private func pairLoss(_ pairs: [ScoredPair], scores: [Double]) -> PairLoss {
        var loss = PairLoss(changes: Array(repeating: 0, count: pairs.count))
        let positives = Dictionary(uniqueKeysWithValues: pairs.indices.filter { pairs[$0].isPositive }.map { (pairs[$0].row, $0) })
        for (pair, entry) in pairs.enumerated() where !entry.isPositive {
            let positive = positives[entry.row]!
            let hinge = margin + scores[pair] - scores[positive]
            guard hinge > 0 else { continue }
            loss.value += hinge
            loss.changes[pair] += 1
            loss.changes[positive] -= 1
        }
        return loss
    }

    // MARK: - Reference

    /// The value by its formula, over all triplets.
    package func inDouble(_ scores: ScoresInDouble, _ heads: WeightedHeads) -> Double {
        let plan = scores.plan
        let negatives = plan.candidates.indices.dropFirst(plan.anchors.count)
            .filter { plan.visibility.sees(row: plan.rowsOfCandidates[$0], column: $0) }
        let sum = heads.weightedSum { head in
            negatives.reduce(0) { sum, column in
                let row = plan.rowsOfCandidates[column]
                return sum + max(0, margin + scores.score(head, row: row, column: column) - scores.score(head, row: row, column: row))
            }
        }
        return isMean ? sum / Double(max(negatives.count, 1)) : sum
    }
}

extension ScoredPair {
    /// Positives are the first columns, one a row in row order.
    fileprivate var isPositive: Bool { row == column }
}

// MARK: - Settings

extension LossSettings {
    package static let tripletMargin = Setting<Double>(
        "loss.margin", .number(.atLeast(0)), .value(TripletLoss().margin),
        "`triplet`: how far below the positive a negative should score.")
}

extension TripletLoss {
    /// The settings that it reads and not every loss does.
    static let settings: [any AnySetting] = [LossSettings.tripletMargin, LossSettings.reduction, LossSettings.maskDuplicates]

    /// Takes its values from the section `loss`.
    init(_ values: SettingValues) {
        margin = values[LossSettings.tripletMargin]
        isMean = values[LossSettings.reduction] == .mean
    }
}
