// A rank's share of a batch: who embeds what, the forward passes of this rank's inputs, and the way back through them.

import Comm
import Data
import Embedding
import Files
import Loss
import Model
import Tensor

/// Plans a step, embeds this rank's inputs, and takes the gradient of their embeddings back to the adapter.
package struct ShardEmbedder {
    /// What stays the same from step to step. Lengths in tokens.
    package struct Configuration: Sendable {
        package var heads: EmbeddingHeads
        package var masksDuplicates: Bool
        /// Negatives that a row sees; nil: all.
        package var poolLimit: Int?
        package var dropout: Float
        package var seed: UInt64
        package var chunkTokens: Int
        package var microbatchTokens: Int
        package var activations: ActivationPolicy
    }

    let world: Communicator
    let model: JinaEmbeddingsV4
    let source: TrainingSource
    let index: RowIndex
    package var configuration: Configuration
    /// Nil where no row has an image.
    private let images: StepImages?

    init(
        _ world: Communicator, _ model: JinaEmbeddingsV4, _ source: TrainingSource, _ index: RowIndex, images: ImageEncoder?,
        _ configuration: Configuration
    ) {
        (self.world, self.model, self.source, self.index, self.configuration) = (world, model, source, index, configuration)
        self.images = images.map { StepImages($0) }
    }

    // MARK: - Plan

    /// Who embeds what for a global batch; the same on every rank.
    ///
    /// - Parameters:
    ///   - step: counted from 1
    ///   - earlier: candidates that the task's memory bank holds
    package func plan(_ batch: [Int], step: Int, earlier: [CandidateContent] = []) -> StepPlan {
        let stream = RandomStream(configuration.seed).stream("pool").stream(UInt64(step))
        return StepPlan(
            batch.map { index[$0] }, batch: batch, prompts: source.promptNumbers, masksDuplicates: configuration.masksDuplicates,
            negatives: configuration.poolLimit.map { PoolLimit(count: $0, stream: stream) }, earlier: earlier,
            chunkTokens: configuration.chunkTokens, worldSize: world.worldSize, cost: inputCost)
    }

    /// What inputs cost in the plan of this run.
    var inputCost: InputCost { model.config.inputCost(usesTower: images?.encoder.cache == nil) }

    /// How a rank keeps activations in a step.
    package func activations(_ plan: StepPlan, rank: Int) -> ActivationPolicy.Choice {
        let microbatches = plan.microbatches(rank: rank, limit: configuration.microbatchTokens).map(plan.tokenCount)
        return configuration.activations.choice(tokens: microbatches.reduce(0, +), microbatch: microbatches.max() ?? 0)
    }

    /// Begins to decode this rank's images of a step to come. What is wrong with them is said in that step.
    func prepareImages(_ batch: [Int], step: Int) {
        guard let images else { return }
        guard let inputs = try? ownInputs(plan(batch, step: step)) else { return }
        images.prepare(inputs.compactMap(\.image))
    }

    private func ownInputs(_ plan: StepPlan) throws(UserError) -> [EncodedInput] {
        try index.encoded(plan.inputs(ofRank: world.rank).map { plan.inputs[$0] })
    }

    // MARK: - Forward

    /// One forward pass a microbatch, keeping what memory allows.
    ///
    /// Collective: an image that cannot be used ends the step on every rank.
    func embed(_ plan: StepPlan, _ adapter: LoadedAdapter, step: Int) throws -> EmbeddedShard {
        try world.together { () throws -> EmbeddedShard in try embedOwn(plan, adapter, step: step) }
    }

    private func embedOwn(_ plan: StepPlan, _ adapter: LoadedAdapter, step: Int) throws(UserError) -> EmbeddedShard {
        let inputs = try ownInputs(plan)
        images?.begin(inputs.compactMap(\.image))
        let choice = activations(plan, rank: world.rank)
        let heads = configuration.heads
        let own = Embeddings(
            dense: heads.hasDense ? Tensor(inputs.count, model.config.text.hiddenSize) : nil,
            late: heads.hasLate ? Tensor(inputs.reduce(0) { $0 + $1.tokens }, model.config.projectorDimension) : nil)
        var passes: [EmbeddedShard.Pass] = []
        for microbatch in Microbatch.all(plan, rank: world.rank, limit: configuration.microbatchTokens) {
            let tokens = try packed(microbatch, plan, Array(inputs[microbatch.rows]), step: step)
            let (embeddings, kept) = model.forward(
                tokens, adapter, dropout: configuration.dropout, keeping: choice.embedding, heads: heads)
            if let dense = embeddings.dense { own.dense!.setRows(from: microbatch.rows.lowerBound, to: dense) }
            if let late = embeddings.late { own.late!.setRows(from: microbatch.tokens.lowerBound, to: late) }
            passes.append(
                EmbeddedShard.Pass(
                    microbatch: microbatch, tokens: tokens, keeping: choice.keeping, kept: choice.memory == .cache ? nil : kept))
        }
        return EmbeddedShard(embeddings: own, passes: passes)
    }

    /// The inputs of a microbatch, packed, with a dropout key for each token: f(seed, step, input in global order, token). Features
    /// of images stay with them for as long as the pass is needed.
    private func packed(
        _ microbatch: Microbatch, _ plan: StepPlan, _ inputs: [EncodedInput], step: Int
    ) throws(UserError) -> PackedTokens {
        let stream = RandomStream(configuration.seed).stream("dropout").stream(UInt64(step))
        let keys =
            configuration.dropout == 0
            ? []
            : microbatch.inputs(plan).flatMap { input in
                let stream = stream.stream(UInt64(input))
                return (0..<plan.inputs[input].tokens).map { stream.bits(at: $0) }
            }
        let features = try images?.features(of: inputs.compactMap(\.image)) ?? []
        return PackedTokens(
            inputs.sequences(features, images?.encoder.reader.prompt), chunks: microbatch.chunkTokens(plan), dropoutKeys: keys)
    }

    // MARK: - Backward

    /// Adds up the gradient of the adapter, chunk by chunk; the last microbatch first, whose activations are free after it.
    func backward(
        _ plan: StepPlan, _ shard: consuming EmbeddedShard, _ dEmbeddings: Embeddings, _ adapter: LoadedAdapter,
        into gradient: AdapterGradient
    ) {
        gradient.sum.reset(parts: plan.chunks.count)
        while let pass = shard.passes.popLast() {
            let kept =
                pass.kept
                ?? model.forward(
                    pass.tokens, adapter, dropout: configuration.dropout, keeping: pass.keeping, heads: configuration.heads
                ).kept
            let part = Embeddings(
                dense: dEmbeddings.dense?.rows(pass.microbatch.rows), late: dEmbeddings.late?.rows(pass.microbatch.tokens))
            model.backward(kept, part, into: gradient)
        }
    }
}
