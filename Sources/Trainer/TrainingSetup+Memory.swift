// How much memory the run will take, and what that leaves for activations. The largest step decides: the batch of the first
// epoch with most tokens.

import Comm
import Model
import Tensor

extension TrainingSetup {
    /// How a step of this run keeps its activations.
    func activations(in world: Communicator) -> ActivationPolicy {
        let (config, engine) = (session.checkpoint.config, session.model.engine)
        let footprint = ActivationFootprint(
            config, layout, engine: engine, hasDropout: self.config.lora.dropout > 0, heads: self.config.loss.heads)
        let rows = sampler.batchRows
        let fixed = fixedMemory(inputs: 2 * rows, own: 2 * rows / world.worldSize)
        let share = (memoryLimit - weightBytes) / world.hosts.localSize
        return ActivationPolicy(self.config.system.activationMemory, budget: max(0, share - fixed.total), footprint)
    }

    /// Of the largest step, on the rank with most to do.
    package func memoryEstimate(_ step: TrainingStep) -> MemoryEstimate {
        let plan = step.plan(largestBatch)
        let ranks = (0..<world.worldSize).map { rank in
            (choice: step.activations(plan, rank: rank), inputs: plan.inputs(ofRank: rank))
        }
        let busiest = ranks.max { $0.choice.bytes < $1.choice.bytes }!
        var rank = fixedMemory(inputs: plan.inputs.count, own: busiest.inputs.count)
        rank.activations = busiest.choice.bytes
        return MemoryEstimate(
            weights: weightBytes, rank: rank, ranksOnHost: world.hosts.localSize, choice: busiest.choice,
            tokens: busiest.inputs.reduce(0) { $0 + plan.inputs[$1].tokens })
    }

    /// The layers' matrices, and of the embedding table the rows that the tokenizer's tokens can reach.
    private var weightBytes: Int {
        let table = session.checkpoint.embedding
        let rows = min(table.rows, session.processor.tokenizer.vocabularySize)
        return session.weights.checkpoint.layerBytes + rows * table.columns * table.element.byteWidth
    }

    private func fixedMemory(inputs: Int, own: Int) -> MemoryEstimate.Rank {
        MemoryEstimate.fixed(
            session.checkpoint.config, layout, session.model.engine, tasks: start.adapters.count, trainedTasks: trainedTasks.count,
            inputs: inputs, own: own, maximumTokens: session.processor.maxTokens)
    }

    /// The batch of the first epoch whose texts have most tokens.
    private var largestBatch: [Int] {
        let batches = sampler.batches(epoch: 0)
        let tokens = batches.map { $0.reduce(0) { $0 + index.tokenCount(ofRow: $1) } }
        return batches[tokens.firstIndex(of: tokens.max()!)!]
    }
}
