// THE HEART: one optimizer step over the global batch.
//
// What makes it right: ∂L/∂θ = Σᵢ (∂L/∂eᵢ)(∂eᵢ/∂θ), and each rank owns some of the inputs i. So the ranks' gradients are partial
// sums, and adding them (never averaging) gives the gradient of the loss over the whole batch. They are added as integers,
// chunk by chunk of inputs, so that the sum has the same bits however the chunks are spread. See StepPlan for who does what.

import Comm
import Data
import Embedding
import Files
import Loss
import Model
import Project
import Tensor

/// One optimizer step: the gradient of a global batch, then the update.
///
///     let metrics = try step.run(batch, &state)
package struct TrainingStep {
    /// What stays the same from step to step.
    package struct Configuration: Sendable {
        package var objective: Objective
        /// Steps of a task whose candidates later rows of it see.
        package var memoryBankSteps = 0
        /// Whether other ranks' embeddings are fetched block by block.
        package var streamsPool: Bool
        package var reduction: TrainingConfig.Reduction
        package var maximumGradientNorm: Double
        package var optimizer: AdamW.Configuration
        package var schedule: LearningRateSchedule
        /// Factors of the gradient, of tasks with another than 1.
        package var taskWeights: [String: Double] = [:]
        /// Highest rates of the schedule, of tasks with one of their own.
        package var taskLearningRates: [String: Double] = [:]
    }

    /// The gradient of a global batch, the same on every rank, before anything has changed.
    package struct BatchGradient {
        /// Mean over the batch, without the task's weight.
        package let loss: Double
        /// d (weight of the task × loss) / d adapter of the batch's task, summed over the ranks.
        package var values: [Float]
        let plan: StepPlan
        let pool: EmbeddingPool
        let report: LossResult
    }

    let world: Communicator
    /// Plans batches and embeds this rank's share of them.
    package var shards: ShardEmbedder
    package var configuration: Configuration
    /// Where the backward passes of this rank add up.
    private let ownGradient: AdapterGradient

    package init(
        _ world: Communicator, _ model: JinaEmbeddingsV4, _ source: TrainingSource, _ index: RowIndex, images: ImageEncoder? = nil,
        layout: AdapterLayout, _ shards: ShardEmbedder.Configuration, _ configuration: Configuration
    ) {
        self.world = world
        self.shards = ShardEmbedder(world, model, source, index, images: images, shards)
        self.configuration = configuration
        ownGradient = AdapterGradient(layout: layout)
    }

    /// The gradient, and the update with it. After it every rank holds the same adapters.
    ///
    /// Collective.
    ///
    /// - Parameters:
    ///   - batch: rows of the global batch
    ///   - next: those of the next step, whose images are decoded meanwhile; nil after the last
    package func run(_ batch: [Int], next: [Int]? = nil, _ state: inout TrainingState) throws -> StepMetrics {
        var timer = PhaseTimer()
        var gradient = try gradient(batch, next: next, state, &timer)
        let (norm, learningRate) = try update(&state, &gradient, &timer)
        return StepMetrics(
            step: state.step, task: taskName(gradient.plan), loss: gradient.loss, learningRate: learningRate, gradientNorm: norm,
            rows: batch.count, candidates: gradient.plan.columnCount, inputs: gradient.plan.inputs.count, tokens: gradient.plan.tokens,
            maskedPairs: gradient.report.maskedPairs, pool: gradient.report.pool, distillation: gradient.report.distillation,
            seconds: timer.seconds)
    }

    /// The gradient of the step that follows.
    ///
    /// Collective.
    package func gradient(_ batch: [Int], _ state: TrainingState) throws -> BatchGradient {
        var timer = PhaseTimer()
        return try gradient(batch, next: nil, state, &timer)
    }

    private func gradient(
        _ batch: [Int], next: [Int]?, _ state: TrainingState, _ timer: inout PhaseTimer
    ) throws -> BatchGradient {
        let step = state.step + 1

        // 1. Plan: what is embedded, and by whom. Alike on every rank.
        let plan = plan(batch, state)
        let adapter = adapter(plan, state)

        // 2. Embed this rank's inputs, keeping what memory allows.
        let shard = try timer.measure(.embed) { try shards.embed(plan, adapter, step: step) }
        if let next { shards.prepareImages(next, step: step + 1) }

        // 3. Gather: every rank sees the embeddings of the whole global batch, and the candidates that it remembers.
        let pool = try timer.measure(.gather) { try gather(shard.embeddings, plan, state) }

        // 4. Loss: statistics of own anchors, gathered; then gradients of own inputs from all anchors and candidates.
        var loss = try timer.measure(.loss) { try configuration.objective.run(plan, pool, world) }
        let scale = configuration.objective.sumScale(plan)
        loss.gradient.multiply(by: Float(weight(plan)) / scale)

        // 5. Backpropagate, microbatch by microbatch, into integers.
        timer.measure(.backward) { shards.backward(plan, consume shard, loss.gradient, adapter, into: ownGradient) }

        // 6. Sum over the ranks, not average: the loss is already a mean over the global batch.
        let values = try timer.measure(.reduce) { try reduce(scale: scale) }
        return BatchGradient(loss: loss.value, values: values, plan: plan, pool: pool, report: loss)
    }

    /// Updates the adapter of the batch's task, alike on every rank, once all agree that the numbers are good, and remembers the
    /// candidates as they were.
    ///
    /// Collective.
    private func update(
        _ state: inout TrainingState, _ gradient: inout BatchGradient, _ timer: inout PhaseTimer
    ) throws -> (gradientNorm: Double, learningRate: Double) {
        let (step, plan) = (state.step + 1, gradient.plan)
        let gradientNorm = norm(of: gradient.values)
        try vote(step: step, loss: gradient.loss, gradientNorm: gradientNorm)
        let peak = configuration.taskLearningRates[taskName(plan)] ?? configuration.schedule.peak
        let learningRate = configuration.schedule.learningRate(at: step, peak: peak)
        let isFinite = timer.measure(.update) {
            clip(&gradient.values, norm: gradientNorm, limit: configuration.maximumGradientNorm)
            return state.update(task: plan.task, gradient.values, configuration.optimizer, learningRate: learningRate)
        }
        guard isFinite else { throw notFinite(step, rank: 0, "update", "a value of the adapter is not finite") }
        timer.measure(.update) { state.banks[plan.task].remember(plan, gradient.pool, limit: configuration.memoryBankSteps) }
        return (gradientNorm, learningRate)
    }

    // MARK: - For verification

    /// The loss whose gradient a step forms, the task's weight included, its logarithms and sums in Double.
    ///
    /// Collective.
    func lossInDouble(_ batch: [Int], _ state: TrainingState) throws -> Double {
        let plan = plan(batch, state)
        return weight(plan) * (try configuration.objective.inDouble(plan, embeddedPool(plan, state)))
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
        try gather(shards.embed(plan, adapter(plan, state), step: state.step + 1).embeddings, plan, state)
    }

    // MARK: - Parts

    /// Who embeds what for the step that follows; the same on every rank.
    private func plan(_ batch: [Int], _ state: TrainingState) -> StepPlan {
        shards.plan(batch, step: state.step + 1, earlier: state.banks[shards.index[batch[0]].task].contents)
    }

    private func taskName(_ plan: StepPlan) -> String { shards.source.taskNames[plan.task] }

    private func weight(_ plan: StepPlan) -> Double { configuration.taskWeights[taskName(plan)] ?? 1 }

    private func adapter(_ plan: StepPlan, _ state: TrainingState) -> LoadedAdapter {
        state.adapters[plan.task].loaded(for: shards.model.engine)
    }

    /// Collective.
    private func gather(_ own: Embeddings, _ plan: StepPlan, _ state: TrainingState) throws -> EmbeddingPool {
        try EmbeddingPool(
            own, plan, configuration.objective.heads.heads, world, streams: configuration.streamsPool,
            earlier: state.banks[plan.task].embeddings)
    }

    /// Only what the loss reaches: the active task's factors, without the projector's unless late vectors are trained.
    ///
    /// Collective.
    /// - Parameter scale: by which the gradients are smaller within the sum
    private func reduce(scale: Float) throws -> [Float] {
        let count = ownGradient.layout.count(reachedBy: configuration.objective.heads.embeddingHeads)
        switch configuration.reduction {
        case .exact:
            try ownGradient.sum.withSums(count) { try world.allReduceSum(&$0) }
            return ownGradient.sum.rounded(count, times: scale)
        case .float32:
            var summed = ownGradient.sum.rounded(count, times: scale)
            try world.allReduceSum(&summed)
            return summed
        }
    }

    /// Throws on every rank when any rank's numbers are not good, naming the lowest such rank.
    private func vote(step: Int, loss: Double, gradientNorm: Double) throws {
        let phase: Int32 = !loss.isFinite ? 1 : !ownGradient.sum.isInRange ? 2 : !gradientNorm.isFinite ? 3 : 0
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
            "step \(step), rank \(rank), phase \(phase): \(what); checkpoints are as they were: lower \(TrainingSettings.learningRate) or "
                + "raise \(LossSettings.temperature)")
    }
}
