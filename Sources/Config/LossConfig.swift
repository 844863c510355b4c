// The section `loss` as a type.

import Files
import Loss
import Model

/// `loss`: what is minimised, over which pool.
package struct LossConfig: Sendable {
    package let name: Name
    package let distance: ScoreDistance
    package let reduction: Reduction
    package let temperature: Double
    /// Weights of the terms; those of late vectors are 0 but for the joint loss.
    package let denseWeight: Double
    package let lateWeight: Double
    package let divergenceWeight: Double  // kl_weight
    package let direction: DivergenceDirection  // kl_direction
    package let detached: DetachedSide  // kl_detach
    package let divergenceCoversNegatives: Bool  // kl_negatives
    package let isSymmetric: Bool
    /// Ascending; empty: the whole vector alone.
    package let matryoshkaDimensions: [Int]  // matryoshka_dims
    /// One a width, or none: each counts 1.
    package let matryoshkaWeights: [Double]
    package let cosentTemperature: Double
    /// Of triplets.
    package let tripletMargin: Double  // margin
    /// Whether a candidate that equals the anchor's positive, or the anchor, is left out of its negatives.
    package let maskDuplicates: Bool
    /// Nil: similar candidates are negatives as any other.
    package let negativeMargin: Double?
    /// How other ranks' embeddings are read; nil: gathered when they fit.
    package let pool: Pool?
    /// Negatives that an anchor sees; nil: all.
    package let poolLimit: Int?
    /// Steps of a task whose candidates later rows of it see.
    package let memoryBankSteps: Int
    /// Factors of the gradient, of tasks with another than 1.
    package let taskWeights: [String: Double]

    package enum Name: String, Sendable { case infonce, joint, cosent, triplet }
    package enum Reduction: String, Sendable { case mean, sum }
    package enum Pool: String, Sendable { case gather, stream }

    var usesDense: Bool { denseWeight > 0 || divergenceWeight > 0 || negativeMargin != nil }
    package var usesLate: Bool { lateWeight > 0 || divergenceWeight > 0 }
    /// The heads whose embeddings the loss compares.
    package var heads: EmbeddingHeads { !usesLate ? .dense : usesDense ? .both : .late }

    init(_ values: SettingValues) {
        name = values.choice("loss.name")
        distance = values.choice("loss.distance")
        reduction = values.choice("loss.reduction")
        temperature = values.number("loss.temperature")
        let isJoint = name == .joint
        denseWeight = isJoint ? values.number("loss.dense_weight") : 1
        lateWeight = isJoint ? values.number("loss.late_weight") : 0
        divergenceWeight = isJoint ? values.number("loss.kl_weight") : 0
        direction = values.choice("loss.kl_direction")
        detached = values.choice("loss.kl_detach")
        divergenceCoversNegatives = values.boolean("loss.kl_negatives")
        isSymmetric = values.boolean("loss.symmetric")
        matryoshkaDimensions = values["loss.matryoshka_dims"].arrayValue?.compactMap(\.integerValue).map { Int($0) } ?? []
        matryoshkaWeights = values["loss.matryoshka_weights"].arrayValue?.compactMap(\.numberValue) ?? []
        cosentTemperature = values.number("loss.cosent_temperature")
        tripletMargin = values.number("loss.margin")
        maskDuplicates = values.boolean("loss.mask_duplicates")
        negativeMargin = values["loss.negative_margin"].numberValue
        pool = Pool(rawValue: values.text("loss.pool"))
        poolLimit = values.optionalInteger("loss.pool_limit")
        memoryBankSteps = values.integer("loss.memory_bank_steps")
        taskWeights = values.numbersByTask("loss.task_weights")
    }
}
