// What a loss is to the step: a value, a gradient, a reference. And what it is given: the plan, the embeddings, the other ranks.

import Data
import Model

/// A loss of a global batch.
package protocol BatchLoss: Sendable {
    /// The value over the global batch, and the gradient of this rank's embeddings. Ranks exchange statistics of rows, never
    /// gradients.
    ///
    /// Collective.
    func run(_ batch: LossBatch) throws -> LossResult

    /// The value by its formula, in Double and without tiles.
    func inDouble(_ scores: ScoresInDouble, _ heads: WeightedHeads) -> Double

    /// How much larger the gradients of one chunk can be than those of a mean over the batch, for whose size the range of the
    /// exact sum is made: there, the more chunks there are the less one of them has.
    func excess(_ plan: StepPlan) -> Float

    /// Whether it compares dense scores with late ones, so that both must be made.
    var comparesHeads: Bool { get }
    /// Whether it asks how alike whole dense vectors are, whatever widths are trained.
    var needsWholeVectors: Bool { get }
    /// Whether a row without hard negatives of its own teaches nothing.
    var needsNegatives: Bool { get }
    /// Whether every row must have a grade.
    var needsGrades: Bool { get }
    /// Which rows must have a teacher's scores.
    var needsTeacher: TeacherNeed { get }
}

extension BatchLoss {
    /// False, unless the loss says otherwise.
    package var comparesHeads: Bool { false }
    /// False, unless the loss says otherwise.
    package var needsWholeVectors: Bool { false }
    /// False, unless the loss says otherwise.
    package var needsNegatives: Bool { false }
    /// False, unless the loss says otherwise.
    package var needsGrades: Bool { false }
    /// None, unless the loss says otherwise.
    package var needsTeacher: TeacherNeed { .none }
}

/// Which rows without a grade must have a teacher's scores.
package enum TeacherNeed: Sendable {
    /// They are not asked for.
    case none
    /// At least one of them.
    case some
    /// All of them.
    case every
}

/// What the loss gives the step.
package struct LossResult {
    /// The loss over the global batch, the same on every rank.
    package let value: Double
    /// The gradient of this rank's inputs.
    package var gradient: Embeddings
    /// Number of pairs of a row and a column left out as duplicates, of those that the loss is made of.
    package let maskedPairs: Int
    /// How hard the pool is; nil for losses that look at a row's own pairs alone.
    package let pool: PoolReport?
    /// How far the rows agree with their teacher; nil for losses that ask none.
    package var distillation: DistillationReport?
}

/// A global batch as a loss sees it.
package struct LossBatch: Sendable {
    let heads: WeightedHeads
    let plan: StepPlan
    let pool: any EmbeddingSource
    let world: any LineExchange

    /// Creates the view of a batch.
    package init(_ heads: WeightedHeads, _ plan: StepPlan, _ pool: any EmbeddingSource, _ world: any LineExchange) {
        (self.heads, self.plan, self.pool, self.world) = (heads, plan, pool, world)
    }

    /// Each row's pair with its positive, in row order.
    var positives: [ScoredPair] { plan.anchors.indices.map { ScoredPair(row: $0, column: $0) } }

    /// Scores of pairs, each made by the owner of its anchor: [pairs][heads].
    ///
    /// Collective.
    func scores(of pairs: [ScoredPair]) throws -> [[Float]] {
        let own = try PairScores(pairs: pairs, plan: plan, pool: pool).ownScores().joined().map(Double.init)
        let owner = plan.ownerOfInput
        let lists = (0..<world.worldSize).map { rank in pairs.indices.filter { owner[plan.anchors[pairs[$0].row]] == rank } }
        return try world.gatherLines(own, lists).map { $0.map { Float($0) } }
    }

    /// The sum over the heads of a loss that is made of the scores of pairs, each head with its weight.
    ///
    /// Collective.
    /// - Parameters:
    ///   - scale: of value and gradient
    ///   - given: a gradient that this one is added to; nil: zeros
    ///   - loss: of one head, from the scores of the pairs
    func sum(
        over pairs: [ScoredPair], scale: Double, addingTo given: Embeddings? = nil, _ loss: (_ head: Int, _ scores: [Double]) -> PairLoss
    ) throws -> LossResult {
        let scores = try scores(of: pairs)
        let count = heads.heads.count
        var value = 0.0
        var changes = [[Double]](repeating: Array(repeating: 0, count: count), count: pairs.count)
        for head in 0..<count {
            let weight = heads.weight(ofHead: head) * scale
            let part = loss(head, scores.map { Double($0[head]) })
            value += weight * part.value
            for pair in pairs.indices { changes[pair][head] = weight * part.changes[pair] }
        }
        let gradient = given ?? pool.zeroGradient()
        try PairScores(pairs: pairs, plan: plan, pool: pool).addGradient(changes, to: gradient)
        return LossResult(value: value, gradient: gradient, maskedPairs: plan.candidates.count - pairs.count, pool: nil)
    }
}

/// A loss made of the scores of pairs, and what each score changes in it.
struct PairLoss: Equatable {
    var value = 0.0
    /// d loss / d score.                                           [pairs]
    var changes: [Double]
}
