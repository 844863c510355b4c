// The section `loss`: what it means to the objective, and which settings do not go together.

import Model
import Support
import Testing

@testable import Loss
@testable import Project
@testable import Trainer

@Suite struct LossConfigTests {
    private func objective(_ settings: String...) throws -> Objective {
        let config = try ProjectConfig.decode(yaml: Array(requiredSettings.utf8), path: "p.yaml", overrides: settings)
        return Objective(config.loss, dimension: 64)
    }

    private func contrastive(_ objective: Objective) throws -> ContrastiveLoss {
        guard case .contrastive(let loss) = objective.ungraded else { throw WrongLoss() }
        return loss
    }

    private struct WrongLoss: Error {}

    @Test func theUsualLossIsInfoNCEOfWholeVectors() throws {
        let objective = try objective()
        let (heads, loss) = (objective.heads, try contrastive(objective))
        #expect(heads.embeddingHeads == .dense && heads.heads.widths == [64] && heads.weight(ofHead: 0) == 1)
        #expect(loss.temperature == 0.02 && loss.divergenceWeight == 0)
        #expect(loss.isMean && !loss.isSymmetric && loss.negativeMargin == nil)
    }

    @Test func theJointLossHasBothHeads() throws {
        let objective = try objective(
            "loss.name=joint", "loss.dense_weight=2", "loss.late_weight=3", "loss.kl_weight=0.5", "loss.matryoshka_dims=[16, 32]",
            "loss.matryoshka_weights=[1, 0.5]")
        let (heads, loss) = (objective.heads, try contrastive(objective))
        #expect(heads.embeddingHeads == .both && heads.heads.widths == [16, 32] && heads.heads.late == 2)
        #expect((0..<3).map(heads.weight(ofHead:)) == [2, 1, 3])
        #expect((0..<2).map { loss.divergenceWeight(ofWidth: $0, heads) } == [0.5, 0.25])
        #expect(loss.direction == .denseToLate && loss.detached == .none && loss.divergenceCoversNegatives)
    }

    @Test func distillationAloneHasTheHeadsThatItNames() throws {
        for (name, heads, late) in [("dense", EmbeddingHeads.dense, 0.0), ("late", .late, 1), ("both", .both, 1)] {
            let objective = try objective("loss.name=distill", "loss.distill_heads=\(name)", "loss.teacher_temperature=2")
            guard case .distill(let loss) = objective.ungraded else { throw WrongLoss() }
            #expect(objective.heads.embeddingHeads == heads && objective.heads.lateWeight == late, "\(name)")
            #expect(loss.contrastive == nil && loss.weight == 1 && loss.objective == .kl)
            #expect(loss.temperature == 0.02 && loss.teacherTemperature == 2)
        }
    }

    /// Weight 0 is no distillation: rows need no teacher then.
    @Test func distillationIsAddedWithItsWeight() throws {
        for name in ["infonce", "joint"] {
            let objective = try objective("loss.name=\(name)", "loss.distill_weight=0.5", "loss.distill_objective=margin_mse")
            guard case .distill(let loss) = objective.ungraded else { throw WrongLoss() }
            #expect(loss.weight == 0.5 && loss.objective == .marginMSE && loss.needsTeacher == .some)
            #expect(try #require(loss.contrastive).divergenceWeight == (name == "joint" ? 1 : 0))
            #expect(objective.ungraded.contrastive != nil && loss.comparesHeads == (name == "joint"))
        }
        #expect(try contrastive(objective("loss.distill_weight=0")).needsTeacher == .none)
    }

    @Test func headsWithoutAPartAreNotMade() throws {
        #expect(try objective("loss.name=joint", "loss.late_weight=0", "loss.kl_weight=0").heads.embeddingHeads == .dense)
        #expect(try objective("loss.name=joint", "loss.dense_weight=0", "loss.kl_weight=0").heads.embeddingHeads == .late)
    }

    @Test func theMarginOfNegativesNeedsTheWholeVector() throws {
        let prefixes = try objective("loss.negative_margin=0.1", "loss.matryoshka_dims=[16]").heads
        #expect(prefixes.heads.widths == [16, 64] && prefixes.weight(ofHead: 0) == 1 && prefixes.weight(ofHead: 1) == 0)
        let late = try objective("loss.name=joint", "loss.dense_weight=0", "loss.kl_weight=0", "loss.negative_margin=0.1").heads
        #expect(late.embeddingHeads == .both && late.weight(ofHead: 0) == 0)
    }

    @Test(arguments: [
        ("loss.name=joint", "loss.dense_weight=0 loss.late_weight=0 loss.kl_weight=0", "--set loss.dense_weight: loss.dense_weight, "),
        ("loss.late_weight=2", "", "--set loss.late_weight: loss.late_weight has no part in loss.name: infonce, only in joint"),
        ("loss.name=triplet", "loss.pool_limit=8", "--set loss.pool_limit: loss.pool_limit has no part in loss.name: triplet"),
        (
            "loss.name=cosent", "loss.memory_bank_steps=2",
            "--set loss.memory_bank_steps: loss.memory_bank_steps has no part in loss.name: cosent"
        ),
        ("loss.name=triplet", "loss.temperature=0.05", "--set loss.temperature: loss.temperature has no part in loss.name: triplet"),
        ("loss.name=cosent", "loss.reduction=sum", "--set loss.reduction: loss.reduction has no part in loss.name: cosent"),
        ("loss.name=cosent", "loss.mask_duplicates=false", "--set loss.mask_duplicates: loss.mask_duplicates has no part in"),
        (
            "loss.name=joint", "loss.dense_weight=0 loss.kl_weight=0 loss.matryoshka_dims=[16]",
            "--set loss.matryoshka_dims: loss.matryoshka_dims has no part where loss.dense_weight and loss.kl_weight are 0; remove it or raise"
        ),
        (
            "loss.name=joint", "loss.kl_weight=0 loss.kl_detach=late",
            "--set loss.kl_detach: loss.kl_detach has no part where loss.kl_weight is 0; remove it or raise the weight"
        ),
        ("loss.memory_bank_steps=-1", "", "--set loss.memory_bank_steps: loss.memory_bank_steps must be from 0"),
        ("loss.margin=0.3", "", "--set loss.margin: loss.margin has no part in loss.name: infonce, only in triplet"),
        (
            "loss.distill_heads=late", "",
            "--set loss.distill_heads: loss.distill_heads has no part in loss.name: infonce, only in distill"
        ),
        ("loss.name=distill", "loss.distill_weight=1", "--set loss.distill_weight: loss.distill_weight has no part in loss.name: distill"),
        ("loss.name=distill", "loss.pool_limit=8", "--set loss.pool_limit: loss.pool_limit has no part in loss.name: distill"),
        ("loss.name=distill", "loss.late_weight=2", "--set loss.late_weight: loss.late_weight has no part in loss.name: distill"),
        ("loss.name=triplet", "loss.distill_weight=1", "--set loss.distill_weight: loss.distill_weight has no part in loss.name: triplet"),
        (
            "loss.teacher_temperature=2", "",
            "--set loss.teacher_temperature: loss.teacher_temperature has no part where loss.distill_weight is 0; remove it or change that"
        ),
        (
            "loss.name=joint", "loss.distill_objective=margin_mse",
            "--set loss.distill_objective: loss.distill_objective has no part where loss.distill_weight is 0"
        ),
        (
            "loss.name=distill", "loss.distill_objective=margin_mse loss.temperature=0.1",
            "--set loss.temperature: loss.temperature has no part where loss.distill_objective is margin_mse"
        ),
        (
            "loss.name=distill", "loss.distill_heads=late loss.matryoshka_dims=[16]",
            "--set loss.matryoshka_dims: loss.matryoshka_dims has no part where loss.distill_heads is late"
        ),
        (
            "loss.name=joint", "loss.dense_weight=0 loss.late_weight=0 loss.distill_weight=1",
            "--set loss.distill_weight: loss.distill_weight has no part where loss.dense_weight and loss.late_weight are 0; remove it or raise"
        ),
        ("loss.distill_weight=-1", "", "--set loss.distill_weight: loss.distill_weight must be"),
        ("loss.name=distill", "loss.teacher_temperature=0", "--set loss.teacher_temperature: loss.teacher_temperature must be"),
        ("loss.matryoshka_dims=[32,16]", "", "--set loss.matryoshka_dims: loss.matryoshka_dims must ascend, but 16 follows 32"),
        ("loss.matryoshka_dims=[0]", "", "--set loss.matryoshka_dims: loss.matryoshka_dims[0] must be a width, 1 or more"),
        ("loss.matryoshka_dims=[16]", "loss.matryoshka_weights=[1,1]", "--set loss.matryoshka_weights: loss.matryoshka_weights has 2 entr"),
        ("loss.matryoshka_dims=[16]", "loss.matryoshka_weights=[0]", "--set loss.matryoshka_weights: loss.matryoshka_weights are all 0"),
        ("loss.matryoshka_dims=[16]", "loss.matryoshka_weights=[-1]", "--set loss.matryoshka_weights: loss.matryoshka_weights[0] must be"),
        ("loss.pool_limit=0", "", "--set loss.pool_limit: loss.pool_limit must be from 1"),
        (
            "loss.name=jont", "",
            "--set loss.name: loss.name must be `infonce` or `joint` or `cosent` or `triplet` or `distill`, but is the "
                + "text \"jont\"; did you mean joint?"
        ),
    ])
    func mistakes(_ first: String, _ others: String, _ begin: String) {
        let settings = [first] + others.split(separator: " ").map(String.init)
        #expect(decodingError(requiredSettings, set: settings).hasPrefix(begin), "\(decodingError(requiredSettings, set: settings))")
    }

    /// A file may show a setting at its default, whatever the loss.
    @Test func defaultsAreNoMistake() throws {
        #expect(throws: Never.self) { try objective("loss.late_weight=1.0", "loss.margin=0.2", "loss.kl_detach=none") }
    }

    /// Rows with scores take CoSENT whatever the others take.
    @Test func everyLossHasATemperatureOfCoSENT() throws {
        for name in ["infonce", "joint", "cosent", "triplet", "distill"] {
            let objective = try objective("loss.name=\(name)", "loss.cosent_temperature=0.1")
            guard case .cosent(let loss) = objective.graded else { throw WrongLoss() }
            #expect(loss.temperature == 0.1)
        }
    }
}
