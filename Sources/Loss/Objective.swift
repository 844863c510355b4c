// What training minimises: terms over scores of anchors against candidates, their weights and temperatures.
//
//     contrastive   Σ_w μ_w [ dense · NCE(S_w) + kl · KL(S_w ‖ S_late) ] + late · NCE(S_late)      w: widths of the vectors
//     CoSENT        Σ_w μ_w dense · CoSENT(s_w) + late · CoSENT(s_late)                            s: a row's own score
//     triplet       Σ_w μ_w Triplet(S_w)
//
// A batch of graded rows takes CoSENT, any other the form of `loss.name`.

import Data
import Model

/// Which way the divergence between the dense and the late distribution of a row is taken.
package enum DivergenceDirection: String, Sendable {
    /// KL(dense ‖ late), the paper's (arXiv:2506.18902, equation 5).
    case denseToLate = "dense_to_late"
    /// KL(late ‖ dense): the dense vectors learn from the late ones.
    case lateToDense = "late_to_dense"
}

/// The side of the divergence that is taken as given and receives no gradient from it.
package enum DetachedSide: String, Sendable { case none, dense, late }

/// The weighted terms of the loss of one run.
package struct Objective: Sendable {
    /// What rows without a grade are trained with.
    package enum Form: Sendable { case contrastive, triplet }

    package var form: Form = .contrastive
    /// How scores come about; the prefixes in it carry `widthWeights`.
    package var heads: ScoreHeads
    /// μ, one a width of `heads`; 0 where a width only serves the margin of negatives.
    package var widthWeights: [Double]
    package var denseWeight = 1.0
    package var lateWeight = 0.0
    package var divergenceWeight = 0.0
    package var direction = DivergenceDirection.denseToLate
    package var detached = DetachedSide.none
    /// Whether the divergence covers the columns of hard negatives.
    package var divergenceCoversNegatives = true
    package var temperature = 0.02
    package var cosentTemperature = 0.05
    /// Half the contrastive terms over rows, half over the columns of positives.
    package var isSymmetric = false
    /// The hinge of triplets.
    package var tripletMargin = 0.2
    /// A candidate whose cosine lies above the positive's less this is no negative; nil: every one is.
    package var negativeMargin: Double?
    /// Whether row losses are averaged, else added.
    package var isMean = true

    /// What a pass through the model has to make.
    package var embeddingHeads: EmbeddingHeads {
        !heads.hasLate ? .dense : heads.widths.isEmpty ? .late : .both
    }

    /// The head whose scores are reported: the widest dense one, else the late one.
    var reportedHead: Int { heads.widths.isEmpty ? 0 : heads.widths.count - 1 }

    /// The weight of a head's own term, without the divergence.
    package func weight(ofHead head: Int) -> Double {
        head < heads.widths.count ? denseWeight * widthWeights[head] : lateWeight
    }

    /// The weight of the divergence between a width and the late scores.
    package func divergenceWeight(ofWidth width: Int) -> Double { divergenceWeight * widthWeights[width] }

    /// What a row's loss counts in the whole.
    func rowScale(rows: Int) -> Double { isMean ? 1 / Double(rows) : 1 }

    /// By how much gradients are smaller within the exact sum: a power of two, which changes no digit.
    ///
    /// The sum's range is made for means, where the more chunks there are the less one of them has. Rows that are added have more by
    /// their number. CoSENT shares one change of at most 2/τ among all pairs, so that a single chunk may have all of it: each may
    /// reach 64 at the usual τ of 0.05, and more at a lower one, however many chunks there are.
    package func sumScale(_ plan: StepPlan) -> Float {
        var excess = isMean ? 1 : Float(plan.anchors.count)
        if plan.scores != nil { excess = max(excess, Float(plan.chunks.count) / 64 * Float(max(1, 0.05 / cosentTemperature))) }
        return Float(sign: .plus, exponent: max(0, excess.exponent), significand: 1)
    }
}

extension Objective {
    /// The usual objective over some heads: contrastive, of dense vectors.
    package init(heads: ScoreHeads, widthWeights: [Double]) {
        self.heads = heads
        self.widthWeights = widthWeights
    }
}
