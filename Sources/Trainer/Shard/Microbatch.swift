// What of a rank's share goes through the model together.

import Data
import Embedding
import Model
import Tensor

/// Some chunks of a rank's inputs, small enough for their activations.
struct Microbatch {
    /// Numbers of the chunks in the plan; the gradient of each is summed apart.
    let chunks: [Int]
    /// Rows of the rank's dense embeddings.
    let rows: Range<Int>
    /// Rows of the rank's late embeddings.
    let tokens: Range<Int>

    /// The microbatches of a rank, one after the other, of at most `limit` tokens each where a single chunk is not longer.
    static func all(_ plan: StepPlan, rank: Int, limit: Int) -> [Microbatch] {
        let batches = plan.microbatches(rank: rank, limit: limit)
        let rows = batches.map { $0.reduce(0) { $0 + plan.chunks[$1].count } }.consecutiveRanges
        let tokens = batches.map(plan.tokenCount).consecutiveRanges
        return batches.indices.map { Microbatch(chunks: batches[$0], rows: rows[$0], tokens: tokens[$0]) }
    }

    /// Ranges of tokens of the chunks, counted within the microbatch.
    func chunkTokens(_ plan: StepPlan) -> [Range<Int>] {
        chunks.map { plan.tokenCount(of: [$0]) }.consecutiveRanges
    }

    /// The inputs of the chunks, as numbers in the plan, in order.
    func inputs(_ plan: StepPlan) -> [Int] { chunks.flatMap { plan.chunks[$0] } }
}

/// A rank's embeddings of a step, and what their backward pass needs.
struct EmbeddedShard {
    /// A microbatch between its forward and its backward pass.
    struct Pass {
        let microbatch: Microbatch
        let tokens: PackedTokens
        let keeping: ActivationKeeping
        /// Nil: the microbatch is embedded again.
        let kept: Activations?
    }

    /// In the order of `plan.inputs(ofRank:)`.
    let embeddings: Embeddings
    var passes: [Pass]
}
