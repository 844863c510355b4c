// The section `loss` as a type.

import Config
import Model

/// `loss`: what is minimised, over which pool.
package struct LossConfig: Sendable {
    /// The name of what rows without a grade are trained with.
    package let name: Name
    /// The loss of rows without a grade.
    package let ungraded: Objective.Form
    /// The loss of rows with a grade.
    package let graded: Objective.Form
    /// How two dense vectors are compared.
    package let distance: ScoreDistance
    /// Weight of the loss of dense vectors; 1 but for the joint loss and for distillation of late vectors.
    package let denseWeight: Double
    /// Weight of the loss of late vectors; 0 but for the joint loss and for distillation of late vectors.
    package let lateWeight: Double
    /// Prefixes of the dense vectors that are trained, ascending; empty: the whole vector alone.
    package let matryoshkaDimensions: [Int]
    /// Weights of the prefixes, one each, or none: each counts 1.
    package let matryoshkaWeights: [Double]
    /// Whether a candidate that equals the anchor's positive, or the anchor, is left out of its negatives.
    package let maskDuplicates: Bool
    /// How other ranks' embeddings are read; nil: gathered when they fit.
    package let pool: Pool?
    /// Negatives that an anchor sees; nil: all.
    package let poolLimit: Int?
    /// Steps of a task whose candidates later rows of it see.
    package let memoryBankSteps: Int
    /// Factors of the gradient, of tasks with another than 1.
    package let taskWeights: [String: Double]

    /// How losses become one: their mean or their sum.
    package enum Reduction: String, Sendable { case mean, sum }
    /// How other ranks' embeddings are read: all at once, or block by block.
    package enum Pool: String, Sendable { case gather, stream }

    /// Whether dense scores are compared with late ones.
    var comparesHeads: Bool { ungraded.loss.comparesHeads }
    private var usesDense: Bool { denseWeight > 0 || comparesHeads || ungraded.loss.needsWholeVectors }
    /// Whether a teacher's scores of rows have a part in the loss.
    package var readsTeacherScores: Bool { ungraded.loss.needsTeacher != .none }
    /// Whether late vectors have a part in the loss.
    package var usesLate: Bool { lateWeight > 0 || comparesHeads }
    /// The heads whose embeddings the loss compares.
    package var heads: EmbeddingHeads { !usesLate ? .dense : usesDense ? .both : .late }

    /// Takes the values of the section.
    package init(_ values: SettingValues) {
        name = values[LossSettings.name]
        ungraded = Objective.Form(values)
        graded = .cosent(CoSENTLoss(values))
        distance = values[LossSettings.distance]
        switch name {
        case .joint: (denseWeight, lateWeight) = (values[LossSettings.denseWeight], values[LossSettings.lateWeight])
        case .distill:
            let heads = values[LossSettings.distillHeads]
            (denseWeight, lateWeight) = (heads.hasDense ? 1 : 0, heads.hasLate ? 1 : 0)
        case .infonce, .cosent, .triplet: (denseWeight, lateWeight) = (1, 0)
        }
        matryoshkaDimensions = values[LossSettings.matryoshkaDimensions]
        matryoshkaWeights = values[LossSettings.matryoshkaWeights]
        maskDuplicates = values[LossSettings.maskDuplicates]
        pool = values[LossSettings.pool]
        poolLimit = values[LossSettings.poolLimit]
        memoryBankSteps = values[LossSettings.memoryBankSteps]
        taskWeights = values[LossSettings.taskWeights]?.dictionary ?? [:]
    }
}
