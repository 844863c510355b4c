// THE HEART: one optimizer step over the global batch.
//
// What makes it right: ∂L/∂θ = Σᵢ (∂L/∂eᵢ)(∂eᵢ/∂θ), and each rank owns some of the inputs i. So the ranks' gradients are partial
// sums, and adding them (never averaging) gives the gradient of the loss over the whole batch. They are added as integers,
// chunk by chunk of inputs, so that the sum has the same bits however the chunks are spread. See StepPlan for who does what.

import Comm
import Config
import Data
import Embedding
import Files
import Foundation
import Loss
import Model
import Tensor

/// One optimizer step.
///
///     let metrics = try step.run(batch, &state)
package struct TrainingStep {
    /// What stays the same from step to step. Lengths in tokens.
    package struct Configuration: Sendable {
        package var objective: Objective
        package var masksDuplicates: Bool
        /// Negatives that a row sees; nil: all.
        package var poolLimit: Int?
        /// Steps of a task whose candidates later rows of it see.
        package var memoryBankSteps = 0
        /// Whether other ranks' embeddings are fetched block by block.
        package var streamsPool: Bool
        package var dropout: Float
        package var seed: UInt64
        package var chunkTokens: Int
        package var microbatchTokens: Int
        package var activations: ActivationPolicy
        package var reduction: TrainingConfig.Reduction
        package var maximumGradientNorm: Double
        package var optimizer: AdamW.Configuration
        package var schedule: LearningRateSchedule
        /// Factors of the gradient, of tasks with another than 1.
        package var taskWeights: [String: Double] = [:]
        /// Highest rates of the schedule, of tasks with one of their own.
        package var taskLearningRates: [String: Double] = [:]
    }

    /// A microbatch between its forward and its backward pass.
    private struct Pass {
        let tokens: PackedTokens
        let keeping: ActivationKeeping
        /// Nil: it is embedded again.
        let kept: Activations?
    }

    let world: Communicator
    let model: JinaEmbeddingsV4
    let source: TrainingSource
    let index: RowIndex
    package var configuration: Configuration
    /// Nil where no row has an image.
    private let images: StepImages?
    private let gradient: AdapterGradient

    package init(
        _ world: Communicator, _ model: JinaEmbeddingsV4, _ source: TrainingSource, _ index: RowIndex, images: ImageEncoder? = nil,
        layout: AdapterLayout, _ configuration: Configuration
    ) {
        self.world = world
        self.model = model
        self.source = source
        self.index = index
        self.images = images.map { StepImages($0) }
        self.configuration = configuration
        gradient = AdapterGradient(layout: layout)
    }

    /// Collective. After it every rank holds the same adapters.
    ///
    /// - Parameters:
    ///   - batch: rows of the global batch
    ///   - next: those of the next step, whose images are decoded meanwhile; nil after the last
    package func run(_ batch: [Int], next: [Int]? = nil, _ state: inout TrainingState) throws -> StepMetrics {
        var timer = PhaseTimer()
        let step = state.step + 1

        // 1. Plan: what is embedded, and by whom. Alike on every rank.
        let plan = plan(batch, state)
        let task = source.taskNames[plan.task]
        let adapter = state.adapters[plan.task].loaded(for: model.engine)

        // 2. Embed this rank's inputs, keeping what memory allows.
        let (own, passes) = try timer.measure(.embed) { try embed(plan, adapter, step: step) }
        if let next { prepareImages(next, step: step + 1) }

        // 3. Gather: every rank sees the embeddings of the whole global batch, and the candidates that it remembers.
        let pool = try timer.measure(.gather) { try self.pool(own, plan, state) }

        // 4. Loss: statistics of own anchors, gathered; then gradients of own inputs from all anchors and candidates.
        let loss = try timer.measure(.loss) { try LossPhase(configuration.objective, plan, pool, world).run() }
        loss.gradient.multiply(by: Float(configuration.taskWeights[task] ?? 1))

        // 5. Backpropagate, microbatch by microbatch, into integers.
        timer.measure(.backward) { backward(plan, consume passes, loss.gradient, adapter) }

        // 6. Sum over the ranks, not average: the loss is already a mean over the global batch.
        var summed = try timer.measure(.reduce) { try reduce(plan) }

        // 7. Update, alike on every rank, once all agree that the numbers are good, and remember the candidates as they were.
        let gradientNorm = norm(of: summed)
        try vote(step: step, loss: loss.value, gradientNorm: gradientNorm)
        let peak = configuration.taskLearningRates[task] ?? configuration.schedule.peak
        let learningRate = configuration.schedule.learningRate(at: step, peak: peak)
        let isFinite = timer.measure(.update) {
            clip(&summed, norm: gradientNorm, limit: configuration.maximumGradientNorm)
            return state.update(task: plan.task, summed, configuration.optimizer, learningRate: learningRate)
        }
        guard isFinite else { throw notFinite(step, rank: 0, "update", "a value of the adapter is not finite") }
        timer.measure(.update) { state.banks[plan.task].remember(plan, pool, limit: configuration.memoryBankSteps) }
        return StepMetrics(
            step: step, task: task, loss: loss.value, learningRate: learningRate, gradientNorm: gradientNorm,
            rows: batch.count, candidates: plan.columnCount, inputs: plan.inputs.count, tokens: plan.tokens,
            maskedPairs: loss.maskedPairs, pool: loss.pool, seconds: timer.seconds)
    }

    /// The gradient of the loss with respect to the adapter of the batch's task, summed over the ranks, and the loss.
    ///
    /// Collective. Phases 1 to 6 of a step, without the update.
    package func gradient(_ batch: [Int], _ state: TrainingState) throws -> (loss: Double, gradient: [Float]) {
        let plan = plan(batch, state)
        let adapter = state.adapters[plan.task].loaded(for: model.engine)
        let (own, passes) = try embed(plan, adapter, step: state.step + 1)
        let loss = try LossPhase(configuration.objective, plan, pool(own, plan, state), world).run()
        backward(plan, passes, loss.gradient, adapter)
        return (loss.value, try reduce(plan))
    }

    /// The loss of a batch, its logarithms and sums in Double, without its gradient.
    ///
    /// Collective.
    func lossInDouble(_ batch: [Int], _ state: TrainingState) throws -> Double {
        let plan = plan(batch, state)
        return try LossInDouble(configuration.objective, plan, embeddedPool(plan, state)).value
    }

    /// The state with the candidates of a batch remembered, as they are now.
    ///
    /// Collective.
    func remembering(_ batch: [Int], _ state: TrainingState) throws -> TrainingState {
        var state = state
        let plan = plan(batch, state)
        state.banks[plan.task].remember(plan, try embeddedPool(plan, state), limit: configuration.memoryBankSteps)
        return state
    }

    /// Phases 2 and 3 of a step, nothing kept for a backward pass.
    private func embeddedPool(_ plan: StepPlan, _ state: TrainingState) throws -> EmbeddingPool {
        let (own, _) = try embed(plan, state.adapters[plan.task].loaded(for: model.engine), step: state.step + 1)
        return try pool(own, plan, state)
    }

    /// Who embeds what for the step that follows; the same on every rank.
    func plan(_ batch: [Int], _ state: TrainingState) -> StepPlan {
        plan(batch, step: state.step + 1, earlier: state.banks[index[batch[0]].task].contents)
    }

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

    /// Begins to decode this rank's images of a step to come. What is wrong with them is said in that step.
    private func prepareImages(_ batch: [Int], step: Int) {
        guard let images else { return }
        let plan = plan(batch, step: step)
        guard let inputs = try? index.encoded(plan.inputs(ofRank: world.rank).map { plan.inputs[$0] }) else { return }
        images.prepare(inputs.compactMap(\.image))
    }

    /// One forward pass a microbatch.
    ///
    /// Collective: an image that cannot be used ends the step on every rank.
    private func embed(_ plan: StepPlan, _ adapter: LoadedAdapter, step: Int) throws -> (own: Embeddings, passes: [Pass]) {
        try world.together { () throws -> (own: Embeddings, passes: [Pass]) in try embedOwn(plan, adapter, step: step) }
    }

    private func embedOwn(
        _ plan: StepPlan, _ adapter: LoadedAdapter, step: Int
    ) throws(UserError) -> (own: Embeddings, passes: [Pass]) {
        let inputs = try index.encoded(plan.inputs(ofRank: world.rank).map { plan.inputs[$0] })
        images?.begin(inputs.compactMap(\.image))
        let choice = activations(plan, rank: world.rank)
        let heads = configuration.objective.embeddingHeads
        let own = Embeddings(
            dense: heads.hasDense ? Tensor(inputs.count, model.config.text.hiddenSize) : nil,
            late: heads.hasLate ? Tensor(inputs.reduce(0) { $0 + $1.tokens }, model.config.projectorDimension) : nil)
        var passes: [Pass] = []
        var (row, token) = (0, 0)
        for chunks in plan.microbatches(rank: world.rank, limit: configuration.microbatchTokens) {
            let count = chunks.reduce(0) { $0 + plan.chunks[$1].count }
            let tokens = try packed(plan, chunks, Array(inputs[row..<row + count]), step: step)
            let (embeddings, kept) = model.forward(
                tokens, adapter, dropout: configuration.dropout, keeping: choice.embedding, heads: heads)
            if let dense = embeddings.dense { own.dense!.setRows(from: row, to: dense) }
            if let late = embeddings.late { own.late!.setRows(from: token, to: late) }
            passes.append(Pass(tokens: tokens, keeping: choice.keeping, kept: choice.memory == .cache ? nil : kept))
            row += count
            token += tokens.ids.count
        }
        return (own, passes)
    }

    /// How a rank keeps activations in a step.
    package func activations(_ plan: StepPlan, rank: Int) -> ActivationPolicy.Choice {
        let microbatches = plan.microbatches(rank: rank, limit: configuration.microbatchTokens).map(plan.tokenCount)
        return configuration.activations.choice(tokens: microbatches.reduce(0, +), microbatch: microbatches.max() ?? 0)
    }

    /// The inputs of some chunks, packed, with a dropout key for each token: f(seed, step, input in global order, token). Features
    /// of images stay with them for as long as the pass is needed.
    private func packed(_ plan: StepPlan, _ chunks: [Int], _ inputs: [EncodedInput], step: Int) throws(UserError) -> PackedTokens {
        var start = 0
        let ranges = chunks.map { chunk in
            let count = plan.tokenCount(of: [chunk])
            defer { start += count }
            return start..<start + count
        }
        let stream = RandomStream(configuration.seed).stream("dropout").stream(UInt64(step))
        let keys =
            configuration.dropout == 0
            ? []
            : chunks.flatMap { plan.chunks[$0] }.flatMap { input in
                let stream = stream.stream(UInt64(input))
                return (0..<plan.inputs[input].tokens).map { stream.bits(at: $0) }
            }
        let features = try images?.features(of: inputs.compactMap(\.image)) ?? []
        return PackedTokens(inputs.sequences(features, images?.encoder.reader.prompt), chunks: ranges, dropoutKeys: keys)
    }

    /// Collective.
    private func pool(_ own: Embeddings, _ plan: StepPlan, _ state: TrainingState) throws -> EmbeddingPool {
        try EmbeddingPool(
            own, plan, configuration.objective.heads, world, streams: configuration.streamsPool,
            earlier: state.banks[plan.task].embeddings)
    }

    /// Last microbatch first; its activations are free after it.
    private func backward(_ plan: StepPlan, _ passes: consuming [Pass], _ dEmbeddings: Embeddings, _ adapter: LoadedAdapter) {
        gradient.sum.reset(parts: plan.chunks.count)
        dEmbeddings.multiply(by: 1 / configuration.objective.sumScale(plan))
        var (row, token) = (dEmbeddings.dense?.rows ?? 0, dEmbeddings.late?.rows ?? 0)
        while let pass = passes.popLast() {
            let (rows, tokens) = (row - pass.tokens.segments.count..<row, token - pass.tokens.ids.count..<token)
            let kept =
                pass.kept
                ?? model.forward(
                    pass.tokens, adapter, dropout: configuration.dropout, keeping: pass.keeping,
                    heads: configuration.objective.embeddingHeads
                ).kept
            let part = Embeddings(dense: dEmbeddings.dense?.rows(rows), late: dEmbeddings.late?.rows(tokens))
            model.backward(kept, part, into: gradient)
            (row, token) = (rows.lowerBound, tokens.lowerBound)
        }
    }

    /// Only what the loss reaches: the active task's factors, without the projector's unless late vectors are trained.
    private func reduce(_ plan: StepPlan) throws -> [Float] {
        let count = gradient.layout.count(reachedBy: configuration.objective.embeddingHeads)
        let scale = configuration.objective.sumScale(plan)
        switch configuration.reduction {
        case .exact:
            try world.allReduceSum(UnsafeMutableBufferPointer(start: gradient.sum.values, count: count))
            return gradient.sum.rounded(count, times: scale)
        case .float32:
            var summed = gradient.sum.rounded(count, times: scale)
            try world.allReduceSum(&summed)
            return summed
        }
    }

    /// Throws on every rank when any rank's numbers are not good, naming the lowest such rank.
    private func vote(step: Int, loss: Double, gradientNorm: Double) throws {
        let phase: Int32 = !loss.isFinite ? 1 : !gradient.sum.isInRange ? 2 : !gradientNorm.isFinite ? 3 : 0
        let phases = try world.allGather(phase)
        guard let rank = phases.firstIndex(where: { $0 != 0 }) else { return }
        switch phases[rank] {
        case 1: throw notFinite(step, rank: rank, "loss", "the loss is not finite")
        case 2: throw notFinite(step, rank: rank, "backward", "a gradient is not finite or too large")
        default: throw notFinite(step, rank: rank, "reduce", "the gradient's norm is not finite")
        }
    }

    private func notFinite(_ step: Int, rank: Int, _ phase: String, _ what: String) -> UserError {
        UserError(
            .notFinite,
            "step \(step), rank \(rank), phase \(phase): \(what); checkpoints are as they were: lower training.learning_rate or raise "
                + "loss.temperature")
    }
}
