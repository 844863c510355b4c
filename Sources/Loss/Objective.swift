// What training minimises: the closed choice of losses. A batch of graded rows has one, any other batch another.
//
// To add a loss: a file with its settings, value, gradient and reference in Double; here a case, a name, and what the name stands for.

import Config
import Data

/// The objective of a run: its losses, and the heads whose scores they are made of.
package struct Objective: Sendable {
    /// The losses that there are.
    package enum Form: Sendable {
        case contrastive(ContrastiveLoss)
        case triplet(TripletLoss)
        case cosent(CoSENTLoss)
        case distill(DistillLoss)

        /// What computes it.
        package var loss: any BatchLoss {
            switch self {
            case .contrastive(let loss): loss
            case .triplet(let loss): loss
            case .cosent(let loss): loss
            case .distill(let loss): loss
            }
        }

        /// The contrastive loss that it is, or that it adds to; nil: it compares no row with the pool.
        package var contrastive: ContrastiveLoss? {
            switch self {
            case .contrastive(let loss): loss
            case .distill(let loss): loss.contrastive
            case .triplet, .cosent: nil
            }
        }
    }

    /// The heads that score, and what each counts.
    package var heads: WeightedHeads
    /// The loss of batches whose rows have no grades.
    package var ungraded: Form
    /// The loss of batches whose rows have grades.
    package var graded: Form

    /// Creates an objective.
    package init(_ heads: WeightedHeads, _ ungraded: Form, graded: Form = .cosent(CoSENTLoss())) {
        (self.heads, self.ungraded, self.graded) = (heads, ungraded, graded)
    }

    /// The loss of a batch.
    private func loss(of plan: StepPlan) -> any BatchLoss { (plan.scores == nil ? ungraded : graded).loss }

    /// The loss of a global batch, and its gradient with respect to this rank's embeddings.
    ///
    /// Collective.
    package func run(_ plan: StepPlan, _ pool: any EmbeddingSource, _ world: any LineExchange) throws -> LossResult {
        try loss(of: plan).run(LossBatch(heads, plan, pool, world))
    }

    /// The loss of a global batch by its formula in Double, without its gradient: for verification, where the last digits count.
    ///
    /// Collective when the pool is streamed.
    package func inDouble(_ plan: StepPlan, _ pool: any EmbeddingSource) throws -> Double {
        let scores = try ScoresInDouble(heads.heads, plan, pool)
        return loss(of: plan).inDouble(scores, heads)
    }

    /// By how much gradients are smaller within the exact sum: a power of two, which changes no digit.
    package func sumScale(_ plan: StepPlan) -> Float {
        Float(sign: .plus, exponent: max(0, loss(of: plan).excess(plan).exponent), significand: 1)
    }
}

// MARK: - The choice

extension LossConfig {
    /// The losses that can be chosen for rows without grades.
    package enum Name: String, CaseIterable, Sendable {
        case infonce, joint, cosent, triplet, distill

        /// The settings that this loss reads and not every loss does.
        var settings: [any AnySetting] {
            switch self {
            case .infonce: ContrastiveLoss.settings + DistillLoss.addedSettings
            case .joint: ContrastiveLoss.settings + ContrastiveLoss.jointSettings + DistillLoss.addedSettings
            case .cosent: CoSENTLoss.settings
            case .triplet: TripletLoss.settings
            case .distill: DistillLoss.settings
            }
        }
    }
}

extension Objective.Form {
    /// The loss that the section `loss` chooses for rows without grades.
    init(_ values: SettingValues) {
        self =
            switch values[LossSettings.name] {
            case .infonce: Self(values, ContrastiveLoss(values, isJoint: false))
            case .joint: Self(values, ContrastiveLoss(values, isJoint: true))
            case .cosent: .cosent(CoSENTLoss(values))
            case .triplet: .triplet(TripletLoss(values))
            case .distill: .distill(DistillLoss(values))
            }
    }

    /// A contrastive loss, with distillation added where it has a weight.
    private init(_ values: SettingValues, _ loss: ContrastiveLoss) {
        self = values[LossSettings.distillWeight] == 0 ? .contrastive(loss) : .distill(DistillLoss(values, addedTo: loss))
    }
}

extension Objective {
    /// The objective of a run.
    ///
    /// - Parameter dimension: of whole dense vectors
    package init(_ config: LossConfig, dimension: Int) {
        self.init(WeightedHeads(config, dimension: dimension), config.ungraded, graded: config.graded)
    }
}
