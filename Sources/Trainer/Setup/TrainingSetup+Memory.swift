// How much memory the run will take, and what that leaves for activations. The largest step decides: the batch of the first
// epoch with most tokens.

import Comm
import Data
import Embedding
import Model
import Project
import Tensor

extension TrainingSetup {
    /// How a step of this run keeps its activations.
    func activations(in world: Communicator) -> ActivationPolicy {
        let (config, engine) = (session.checkpoint.config, session.model.engine)
        let footprint = ActivationFootprint(
            config, layout, engine: engine, hasDropout: self.config.lora.dropout > 0, heads: self.config.loss.heads)
        let images = largestBatch.reduce(0) { $0 + index.tokenCount(ofRow: $1).images }
        let fixed = fixedMemory(embeddings(in: world), memoryBank: heldBank(in: world), imageTokens: images / world.worldSize)
        return ActivationPolicy(
            self.config.system.activationMemory, budget: max(0, rankShare(in: world) - fixed.total), footprint)
    }

    /// Whether this rank has too little memory for the embeddings of all ranks. The ranks' hosts may differ in this.
    var prefersStreaming: Bool {
        switch config.loss.pool {
        case .gather: false
        case .stream: true
        case nil: gatheredBytes(of: largestBatch) + bankBytes > rankShare(in: world) / 8
        }
    }

    /// What a rank may take, without the weights.
    private func rankShare(in world: Communicator) -> Int { (memoryLimit - weightBytes) / world.hosts.localSize }

    /// Of the embeddings of all texts of some rows.
    private func gatheredBytes(of rows: [Int]) -> Int {
        MemoryEstimate.Embedded(
            inputs: rows.reduce(0) { $0 + 2 + index[$1].negatives.count }, tokens: rows.reduce(0) { $0 + index.tokenCount(ofRow: $1).all }
        ).bytes(session.checkpoint.config, config.loss.heads)
    }

    /// Of all candidates that the memory banks hold once they are full.
    private var bankBytes: Int {
        let rows = largestBatch.map { index[$0] }
        let candidates = MemoryEstimate.Embedded(
            inputs: rows.reduce(0) { $0 + 1 + $1.negatives.count },
            tokens: rows.reduce(0) { $1.negatives.reduce($0 + Int($1.positive.tokens)) { $0 + Int($1.tokens) } })
        let steps = min(trainedTasks.count * config.loss.memoryBankSteps, totalSteps)
        return steps * candidates.bytes(session.checkpoint.config, config.loss.heads)
    }

    /// What a rank holds of them: streaming leaves it its share.
    private func heldBank(in world: Communicator) -> Int { bankBytes / (streamsPool ? world.worldSize : 1) }

    /// Of the largest batch, on a rank with an even share of it.
    private func embeddings(in world: Communicator) -> Int {
        let all = gatheredBytes(of: largestBatch)
        return MemoryEstimate.embeddings(
            all: all, own: all / world.worldSize, isGathered: world.worldSize > 1 && !streamsPool)
    }

    /// Of the largest step, on the rank with most to do.
    package func memoryEstimate(_ step: TrainingStep) -> MemoryEstimate {
        let plan = step.shards.plan(largestBatch, step: 1)
        let ranks = (0..<world.worldSize).map { rank in
            (choice: step.shards.activations(plan, rank: rank), inputs: plan.inputs(ofRank: rank))
        }
        let busiest = ranks.max { $0.choice.bytes < $1.choice.bytes }!
        let (model, heads) = (session.checkpoint.config, config.loss.heads)
        let all = MemoryEstimate.Embedded(inputs: plan.inputs.count, tokens: plan.tokens)
        let own = MemoryEstimate.Embedded(
            inputs: busiest.inputs.count, tokens: busiest.inputs.reduce(0) { $0 + plan.inputs[$1].tokens })
        var rank = fixedMemory(
            MemoryEstimate.embeddings(
                all: all.bytes(model, heads), own: own.bytes(model, heads), isGathered: world.worldSize > 1 && !streamsPool),
            memoryBank: heldBank(in: world),
            imageTokens: busiest.inputs.reduce(0) { $0 + (plan.inputs[$1].isImage ? plan.inputs[$1].tokens : 0) })
        rank.activations = busiest.choice.bytes
        return MemoryEstimate(
            weights: weightBytes, rank: rank, ranksOnHost: world.hosts.localSize, choice: busiest.choice,
            tokens: own.tokens, collectedBank: bankBytes - rank.memoryBank)
    }

    /// The layers' matrices, and of the embedding table the rows that the tokenizer's tokens can reach.
    private var weightBytes: Int {
        let table = session.checkpoint.embedding
        let rows = min(table.rows, session.processor.tokenizer.vocabularySize)
        return (session.weights.copy?.bytes ?? session.weights.checkpoint.layerBytes) + rows * table.columns * table.element.byteWidth
    }

    private func fixedMemory(_ embeddings: Int, memoryBank: Int, imageTokens: Int) -> MemoryEstimate.Rank {
        MemoryEstimate.fixed(
            session.checkpoint.config, layout, session.model.engine, tasks: start.adapters.count, trainedTasks: trainedTasks.count,
            heads: config.loss.heads, embeddings: embeddings, memoryBank: memoryBank,
            images: MemoryEstimate.images(session.checkpoint.config, session.model.engine, tokens: imageTokens),
            maximumTokens: session.processor.maxTokens)
    }
}
