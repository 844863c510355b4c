// Distillation on vectors small enough to check by hand; ParityTests compare batches with PyTorch.

import Comm
import Foundation
import Model
import Support
import Tensor
import Testing

@testable import Data
@testable import Loss
@testable import Trainer

@Suite struct DistillLossTests {
    private let heads = ScoreHeads(dimension: 2, widths: [2], hasLate: false)

    private func loss(_ objective: DistillObjective, _ change: (inout DistillLoss) -> Void = { _ in }) -> DistillLoss {
        var loss = DistillLoss()
        (loss.objective, loss.temperature) = (objective, 0.5)
        change(&loss)
        return loss
    }

    /// Row 0: scores 0.8 and 0.6, 0; row 1: scores 0.6 and 1. Row 2 has no teacher, row 3 no negatives.
    private func batch(_ teacher: [[Float]] = [[3, 1, -1], [0.5, 2], [], [1]]) -> (StepPlan, EmbeddingPool) {
        var rows = PlannedRows()
        rows.add("a", "p", ["m", "n"], teacher: teacher[0])
        rows.add("b", "q", ["o"], teacher: teacher[1])
        rows.add("c", "r", ["s"], teacher: teacher[2])
        rows.add("d", "t", teacher: teacher[3])
        let plan = rows.plan()
        let vectors: [Float] = [
            1, 0, 0, 1, 1, 0, 0, 1,  // a, b, c, d
            0.8, 0.6, 0.8, 0.6, 0, 1, 1, 0,  // p, q, r, t
            0.6, 0.8, 0, 1, 0, 1, 0.6, 0.8,  // m, n, o, s
        ]
        let embeddings = Embeddings(dense: Tensor(vectors, rows: 12, columns: 2))
        return (plan, EmbeddingPool(embeddings, own: embeddings, plan, heads, rank: 0, worldSize: 1))
    }

    private func divergence(_ teacher: [Double], _ student: [Double]) -> Double {
        func shares(_ logits: [Double]) -> [Double] { logits.map { exp($0) / logits.reduce(0) { $0 + exp($1) } } }
        return zip(shares(teacher), shares(student)).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) }
    }

    @Test func theDivergenceIsThatOfTheRowsOwnCandidates() throws {
        let (plan, pool) = batch()
        let objective = Objective(WeightedHeads(heads), .distill(loss(.kl) { $0.teacherTemperature = 2 }))
        let expected = (divergence([1.5, 0.5, -0.5], [1.6, 1.2, 0]) + divergence([0.25, 1], [1.2, 2])) / 4
        let result = try objective.run(plan, pool, Communicator.alone())
        #expect(abs(result.value - expected) < 1e-6)
        #expect(abs(try objective.inDouble(plan, pool) - expected) < 1e-6)
        #expect(result.maskedPairs == 0 && result.pool == nil)
        // Both rows with negatives, and the one without, have the teacher's best first.
        #expect(result.distillation == DistillationReport(loss: result.value, rows: 3, agreement: 1))
    }

    @Test func marginsAreThoseOfTheRowsOwnNegatives() throws {
        let (plan, pool) = batch()
        let objective = Objective(WeightedHeads(heads), .distill(loss(.marginMSE) { $0.teacherTemperature = 10 }))
        func square(_ x: Double) -> Double { x * x }
        let expected = ((square(0.2 - 0.2) + square(0.8 - 0.4)) / 2 + square(-0.4 + 0.15)) / 4
        let result = try objective.run(plan, pool, Communicator.alone())
        #expect(abs(result.value - expected) < 1e-6)
        #expect(abs(try objective.inDouble(plan, pool) - expected) < 1e-6)
    }

    /// Only the first row's model ranks another candidate first than the teacher.
    @Test func agreementIsTheShareOfRowsWithTheSameBest() throws {
        let (plan, pool) = batch([[1, 3, 3], [0.5, 2], [2, 2], [1]])
        let result = try Objective(WeightedHeads(heads), .distill(loss(.kl))).run(plan, pool, Communicator.alone())
        #expect(result.distillation?.rows == 4 && result.distillation?.agreement == 0.75)
    }

    /// What rows without a teacher lose is nothing, what they count is a row.
    @Test(arguments: [DistillObjective.kl, .marginMSE]) func aRowWithoutATeacherLearnsNothing(objective: DistillObjective) throws {
        let (plan, pool) = batch()
        let mean = try Objective(WeightedHeads(heads), .distill(loss(objective))).run(plan, pool, Communicator.alone())
        let sum = try Objective(WeightedHeads(heads), .distill(loss(objective) { $0.isMean = false })).run(plan, pool, Communicator.alone())
        #expect(abs(sum.value - 4 * mean.value) < 1e-12)
        let gradient = try #require(mean.gradient.dense)
        for (input, name) in plan.inputs.enumerated() {
            let isMoved = gradient.rows(input..<input + 1).values.contains { $0 != 0 }
            #expect(isMoved == (name.row < 2), "\(name)")
        }
    }

    @Test(arguments: [DistillObjective.kl, .marginMSE]) func aTeacherThatAgreesTeachesNothing(objective: DistillObjective) throws {
        let (plan, pool) = batch([[0.8, 0.6, 0], [0.6, 1], [], []])
        let loss = loss(objective) { $0.teacherTemperature = objective == .kl ? 0.5 : 1 }
        let result = try Objective(WeightedHeads(heads), .distill(loss)).run(plan, pool, Communicator.alone())
        #expect(abs(result.value) < 1e-12)
        #expect(result.gradient.dense!.values.allSatisfy { abs($0) < 1e-6 })
    }

    /// Value and gradient are the sums of both, whichever the weight.
    @Test(arguments: [0.25, 1, 3]) func besideAContrastiveLossItIsAdded(weight: Double) throws {
        let (plan, pool) = batch()
        func run(_ form: Objective.Form) throws -> (LossResult, inDouble: Double) {
            let objective = Objective(WeightedHeads(heads), form)
            return (try objective.run(plan, pool, Communicator.alone()), try objective.inDouble(plan, pool))
        }
        var contrastive = ContrastiveLoss()
        contrastive.temperature = 0.5
        let (own, alone) = (try run(.distill(loss(.kl))), try run(.contrastive(contrastive)))
        let both = try run(
            .distill(
                loss(.kl) {
                    $0.weight = weight
                    $0.contrastive = contrastive
                }))
        #expect(abs(both.0.value - alone.0.value - weight * own.0.value) < 1e-9)
        #expect(abs(both.inDouble - alone.inDouble - weight * own.inDouble) < 1e-9)
        #expect(both.0.pool == alone.0.pool && both.0.maskedPairs == alone.0.maskedPairs)
        #expect(abs(both.0.distillation!.loss - own.0.value) < 1e-12)
        let parts = zip(alone.0.gradient.dense!.values, own.0.gradient.dense!.values)
        for (found, part) in zip(both.0.gradient.dense!.values, parts) {
            #expect(abs(found - part.0 - Float(weight) * part.1) < 1e-6)
        }
    }

    @Test func aTeacherOfExtremesDoesNotOverflow() throws {
        for objective in [DistillObjective.kl, .marginMSE] {
            let (plan, pool) = batch([[3e38, -3e38, 0], [-3e38, 3e38], [], [3e38]])
            let loss = loss(objective) { $0.temperature = 0.001 }
            let result = try Objective(WeightedHeads(heads), .distill(loss)).run(plan, pool, Communicator.alone())
            #expect(result.value.isFinite && loss.excess(plan).isFinite)
        }
    }

    /// Of a usual batch it is that of a contrastive loss; of large margins, many rows and low temperatures more.
    @Test func theRangeGrowsWithWhatAChunkMayHave() {
        let plan = batch().0
        #expect(loss(.kl) { $0.temperature = 0.02 }.excess(plan) == 1)
        #expect(loss(.kl) { $0.temperature = 0.001 }.excess(plan) == 20)
        #expect(loss(.kl) { ($0.temperature, $0.isMean) = (0.02, false) }.excess(plan) == 4)
        #expect(loss(.marginMSE).excess(plan) == 1)
        #expect(loss(.marginMSE) { $0.teacherTemperature = 0.001 }.excess(plan) == 160.08)
        #expect(loss(.kl) { ($0.temperature, $0.contrastive) = (0.02, ContrastiveLoss()) }.excess(plan) == 2)
    }
}
