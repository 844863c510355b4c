// Proof of the first promise, that N ranks are one big batch: the gradient of all ranks together against that of one rank
// alone, and both against differences of the loss itself.

import Comm
import Data
import Files
import Foundation
import Model
import Project
import Tensor

/// Compares the gradient of one global batch with two independent ways of knowing it.
///
///     let report = try GradientVerification(setup).run { _, _ in }
///     report.isWithinTolerance ? 0 : 70
package struct GradientVerification {
    /// One tensor of the adapter.
    package struct Row: Sendable {
        package let name: String
        /// Norm of the gradient.
        package let norm: Double
        /// ‖g(N ranks) - g(1 rank)‖ / ‖g(1 rank)‖; 0 for the same bits.
        package let worldDifference: Double
        /// The derivative of the loss along a random unit direction: as the gradient says, and as differences say.
        package let derivative: Double
        package let difference: Double
        /// |derivative - difference| relative to the derivative, or to its expected size ‖g‖/√n where that is larger.
        package let relativeError: Double
    }

    /// What was found, the same on every rank.
    package struct Report: Sendable {
        package let loss: Double
        package let worldSize: Int
        /// Largest difference between N ranks and one that passes: none where sums are exact, else what Float's rounding does.
        package let worldTolerance: Double
        package let rows: [Row]

        /// Largest relative error that passes.
        package static let tolerance = 1e-2

        package var isWithinTolerance: Bool {
            rows.allSatisfy { $0.worldDifference <= worldTolerance && $0.relativeError <= Self.tolerance }
        }
    }

    private let world: Communicator
    private let step: TrainingStep
    private let alone: TrainingStep
    private let batch: [Int]
    /// As all ranks hold it, and as each holds it alone.
    private let states: (ranks: TrainingState, alone: TrainingState)
    private let gradientScale: (ranks: Float, alone: Float)

    /// The first batch of a run, the ones after it in the memory bank.
    ///
    /// Collective. The adapters' B factors are filled from a seeded stream, since zeros would hide the gradient of A.
    /// - Parameter gradientScale: what the two gradients are multiplied with, to show that a wrong one is noticed
    package init(_ setup: TrainingSetup, gradientScale: (ranks: Float, alone: Float) = (1, 1)) throws {
        world = setup.world
        step = setup.step(in: world)
        // Every rank makes the whole batch by itself: nobody waits, and a rank that computes otherwise shows.
        alone = setup.step(in: .alone())
        self.gradientScale = gradientScale
        let batches = setup.sampler.batches(epoch: 0)
        let task = setup.index[batches[0][0]].task
        batch = batches[0]
        let state = setup.state.withFilledFactors(seed: setup.config.training.seed)
        var states = (ranks: state, alone: state)
        let remembered = batches.dropFirst().filter { setup.index[$0[0]].task == task }
        for earlier in remembered.prefix(min(setup.config.loss.memoryBankSteps, Self.rememberedBatches)) {
            states = (try step.remembering(earlier, states.ranks), try alone.remembering(earlier, states.alone))
        }
        self.states = states
    }

    /// Enough for an order among them.
    private static let rememberedBatches = 2

    /// Collective.
    package func run(progress: (_ done: Int, _ of: Int) -> Void) throws -> Report {
        let own = try step.gradient(batch, states.ranks)
        let gradient = own.values.map { $0 * gradientScale.ranks }
        let expected = try alone.gradient(batch, states.alone).values.map { $0 * gradientScale.alone }
        let task = own.plan.task
        let factors = states.ranks.adapters[task].layout.factors.filter { $0.range.upperBound <= gradient.count }
        var rows: [Row] = []
        for (index, factor) in factors.enumerated() {
            progress(index, factors.count)
            rows.append(try row(factor, task, gradient, expected))
        }
        progress(factors.count, factors.count)
        let worldTolerance = step.configuration.reduction == .exact ? 0 : 1e-4
        return Report(loss: own.loss, worldSize: world.worldSize, worldTolerance: worldTolerance, rows: rows)
    }

    private func row(_ factor: AdapterFactor, _ task: Int, _ gradient: [Float], _ expected: [Float]) throws -> Row {
        let (own, other) = (gradient[factor.range].map(Double.init), expected[factor.range].map(Double.init))
        let norm = own.length
        let direction = randomDirection(factor)
        let derivative = zip(own, direction).reduce(0) { $0 + $1.0 * $1.1 }
        let difference = try differenceQuotient(factor, task, direction)
        let scale = max(abs(derivative), norm / Double(own.count).squareRoot())
        let worldDifference = zip(own, other).map { $0 - $1 }.length / max(other.length, .leastNormalMagnitude)
        let differences = try world.allGather(worldDifference)
        let largest = differences.first { $0.isNaN } ?? differences.max()!
        return Row(
            name: factor.name, norm: norm, worldDifference: largest, derivative: derivative, difference: difference,
            relativeError: scale > 0 ? abs(derivative - difference) / scale : abs(difference))
    }

    /// f'(0) ≈ (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h, f the loss along the direction: its error is of order h⁴, so that
    /// h may be large enough for the noise of float32 embeddings, whose part grows as 1/h, not to matter: a tenth of the tensor's
    /// length. With a twentieth, tensors of small gradients drown in it; with a fifth, the error of the formula shows.
    private func differenceQuotient(_ factor: AdapterFactor, _ task: Int, _ direction: [Double]) throws -> Double {
        let values = states.ranks.adapters[task].values[factor.range].map(Double.init)
        let h = 0.1 * max(values.length, 1e-3)
        func loss(_ multiple: Double) throws -> Double {
            var moved = states.ranks
            for (offset, place) in factor.range.enumerated() {
                moved.adapters[task].values[place] = Float(values[offset] + multiple * h * direction[offset])
            }
            return try step.lossInDouble(batch, moved)
        }
        return (8 * (try loss(1) - loss(-1)) - (try loss(2) - loss(-2))) / (12 * h)
    }

    /// A unit vector with normally distributed components.
    private func randomDirection(_ factor: AdapterFactor) -> [Double] {
        let stream = RandomStream(step.shards.configuration.seed).stream("direction").stream(factor.name)
        let values = (0..<factor.range.count).map { stream.gaussian(at: $0) }
        let length = values.length
        return values.map { $0 / length }
    }
}

extension [Double] {
    fileprivate var length: Double { reduce(0) { $0 + $1 * $1 }.squareRoot() }
}

extension TrainingState {
    /// The same with B ~ N(0, 1/rank²) in place of zeros.
    fileprivate func withFilledFactors(seed: UInt64) -> TrainingState {
        var state = self
        for task in state.adapters.indices {
            let layout = state.adapters[task].layout
            let stream = RandomStream(seed).stream("verification")
            for factor in layout.factors where factor.part == .b {
                let stream = stream.stream(factor.name)
                for (index, place) in factor.range.enumerated() {
                    state.adapters[task].values[place] = Float(stream.gaussian(at: index) / Double(layout.rank))
                }
            }
        }
        return state
    }
}

extension GradientVerification.Report {
    /// One line a tensor, then the verdict.
    package var table: String {
        var table = TextTable([.left, .right, .right, .right, .right, .right])
        table.add(["tensor", "norm", "\(worldSize) ranks vs 1", "derivative", "difference", "error"])
        for row in rows {
            table.add([
                row.name, Figures.scientific(row.norm), row.worldDifference == 0 ? "same bits" : Figures.scientific(row.worldDifference),
                Figures.scientific(row.derivative), Figures.scientific(row.difference), Figures.scientific(row.relativeError),
            ])
        }
        let worst = rows.map(\.relativeError).max() ?? 0
        let world =
            rows.allSatisfy { $0.worldDifference == 0 }
            ? "the same bits" : rows.allSatisfy { $0.worldDifference <= worldTolerance } ? "equal but for rounding" : "DIFFERENT"
        let verdict = isWithinTolerance ? "within tolerance" : "OUT OF TOLERANCE"
        return table.text
            + "\(verdict): \(rows.count) tensors, loss \(Figures.fixed(loss, 6)), \(worldSize) ranks against one: \(world)"
            + ", largest error \(Figures.scientific(worst)) (at most \(Figures.scientific(Self.tolerance)))\n"
    }
}
