// The section `loss` as a type.

import Config
import Model

/// `loss`: what is minimised, over which pool.
package struct LossConfig: Sendable {
    /// What rows without a score are trained with.
    package let name: Name
    /// How two dense vectors are compared.
    package let distance: ScoreDistance
    /// How the losses of rows, or of triplets, become one.
    package let reduction: Reduction
    /// Divisor of similarities in the contrastive loss.
    package let temperature: Double
    /// Weight of the loss of dense vectors; 1 but for the joint loss.
    package let denseWeight: Double
    /// Weight of the loss of late vectors; 0 but for the joint loss.
    package let lateWeight: Double
    /// Weight of the divergence between dense and late scores; 0 but for the joint loss.
    package let divergenceWeight: Double
    /// Which way the divergence is taken.
    package let direction: DivergenceDirection
    /// The side of the divergence that receives no gradient from it.
    package let detached: DetachedSide
    /// Whether the divergence covers hard negatives beside positives.
    package let divergenceCoversNegatives: Bool
    /// Whether half of the contrastive loss goes from positives to anchors.
    package let isSymmetric: Bool
    /// Prefixes of the dense vectors that are trained, ascending; empty: the whole vector alone.
    package let matryoshkaDimensions: [Int]
    /// Weights of the prefixes, one each, or none: each counts 1.
    package let matryoshkaWeights: [Double]
    /// Divisor of similarities in CoSENT.
    package let cosentTemperature: Double
    /// How far below the positive a negative of a triplet should score.
    package let tripletMargin: Double
    /// Whether a candidate that equals the anchor's positive, or the anchor, is left out of its negatives.
    package let maskDuplicates: Bool
    /// A candidate whose cosine lies above the positive's less this is no negative; nil: similar candidates are negatives as any other.
    package let negativeMargin: Double?
    /// How other ranks' embeddings are read; nil: gathered when they fit.
    package let pool: Pool?
    /// Negatives that an anchor sees; nil: all.
    package let poolLimit: Int?
    /// Steps of a task whose candidates later rows of it see.
    package let memoryBankSteps: Int
    /// Factors of the gradient, of tasks with another than 1.
    package let taskWeights: [String: Double]

    /// The losses that can be chosen.
    package enum Name: String, Sendable { case infonce, joint, cosent, triplet }
    /// How losses become one: their mean or their sum.
    package enum Reduction: String, Sendable { case mean, sum }
    /// How other ranks' embeddings are read: all at once, or block by block.
    package enum Pool: String, Sendable { case gather, stream }

    var usesDense: Bool { denseWeight > 0 || divergenceWeight > 0 || negativeMargin != nil }
    /// Whether late vectors have a part in the loss.
    package var usesLate: Bool { lateWeight > 0 || divergenceWeight > 0 }
    /// The heads whose embeddings the loss compares.
    package var heads: EmbeddingHeads { !usesLate ? .dense : usesDense ? .both : .late }

    /// Takes the values of the section.
    package init(_ values: SettingValues) {
        name = values[LossSettings.name]
        distance = values[LossSettings.distance]
        reduction = values[LossSettings.reduction]
        temperature = values[LossSettings.temperature]
        let isJoint = name == .joint
        denseWeight = isJoint ? values[LossSettings.denseWeight] : 1
        lateWeight = isJoint ? values[LossSettings.lateWeight] : 0
        divergenceWeight = isJoint ? values[LossSettings.divergenceWeight] : 0
        direction = values[LossSettings.direction]
        detached = values[LossSettings.detached]
        divergenceCoversNegatives = values[LossSettings.divergenceCoversNegatives]
        isSymmetric = values[LossSettings.isSymmetric]
        matryoshkaDimensions = values[LossSettings.matryoshkaDimensions]
        matryoshkaWeights = values[LossSettings.matryoshkaWeights]
        cosentTemperature = values[LossSettings.cosentTemperature]
        tripletMargin = values[LossSettings.tripletMargin]
        maskDuplicates = values[LossSettings.maskDuplicates]
        negativeMargin = values[LossSettings.negativeMargin]
        pool = values[LossSettings.pool]
        poolLimit = values[LossSettings.poolLimit]
        memoryBankSteps = values[LossSettings.memoryBankSteps]
        taskWeights = values[LossSettings.taskWeights]?.dictionary ?? [:]
    }
}
