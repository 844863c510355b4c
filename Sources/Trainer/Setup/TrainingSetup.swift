// Everything that a run needs before its first step: configuration, model, data, adapters, agreed by all ranks.
// Shared by training and by the verification of gradients.

import Comm
import Config
import Data
import Embedding
import Files
import Foundation
import Loss
import Model
import Project

/// A run, ready to step.
package struct TrainingSetup {
    package let world: Communicator
    package let config: ProjectConfig
    package private(set) var session: ModelSession
    package let source: TrainingSource
    package let index: RowIndex
    package let sampler: BatchSampler
    /// The batch of the first epoch whose texts have most tokens.
    let largestBatch: [Int]
    /// SHA-256 of each training file, and the fingerprint of the backbone, by path: what a run that goes on must find again.
    package let dataFingerprints: [String: String]
    package let start: AdapterStart
    package let schedule: LearningRateSchedule
    /// Where the run goes on from; nil in a run that starts.
    package private(set) var checkpoint: RunCheckpoint?
    /// Bytes that all ranks of this host may take together.
    let memoryLimit: Int
    /// Whether embeddings of other ranks are fetched block by block in a step; the same on every rank.
    package private(set) var streamsPool = false
    /// Sentences for the user, of the configuration and of what was found.
    package let notices: [String]

    package var globalRows: Int { sampler.batchRows }
    package var totalSteps: Int { schedule.totalSteps }
    package var layout: AdapterLayout { start.adapters[0].layout }

    /// Reads the configuration on rank 0 and decodes the same bytes on every rank.
    ///
    /// Collective.
    package static func configuration(_ world: Communicator, path: String, overrides: [String]) throws -> ProjectConfig {
        let bytes = try world.together { () throws(UserError) -> [UInt8] in
            world.rank == 0 ? try MappedFile(path: path).copied() : []
        }
        let shared = try world.broadcast(bytes)
        return try world.together { try ProjectConfig.decode(yaml: shared, path: path, overrides: overrides) }
    }

    /// Collective.
    ///
    /// - Parameters:
    ///   - console: shows how far rows are tokenized, when that takes long
    ///   - resume: finds the checkpoint that the run goes on from; it keeps that run's global batch
    package static func load(
        _ world: Communicator, _ given: ProjectConfig, _ console: Console? = nil,
        resume: (ResumeSetting) throws -> RunCheckpoint? = { _ in nil }
    ) throws -> TrainingSetup {
        let memoryLimit = given.system.memoryLimit ?? SystemConfig.freeMemory
        var session = try ModelSession.open(
            world, folder: given.baseModelPath, engine: EngineSettings(given), threads: given.system.threads,
            maximumTokens: given.system.maximumTokens, packing: given.system.packing, memoryLimit: memoryLimit)
        let start = try world.together { try AdapterStart(given, session.checkpoint, heads: given.loss.heads) }
        try world.requireSameOnHosts(start.fingerprint, path: start.place, "adapter")
        let config = start.config
        let source = try TrainingSource.open(world, config, session, tasks: start.adapters.map(\.task))
        let data = try TrainingData.find(source, world, TokenCache(setting: config.data.cacheFolder))
        var fingerprints = data.fingerprints
        fingerprints[config.baseModelPath] = SHA256.hex(session.checkpoint.fingerprint())
        let checkpoint = try resume(
            ResumeSetting(
                model: session.checkpoint.config, layout: start.adapters[0].layout, tasks: start.adapters.map(\.task),
                heads: config.loss.heads, memoryBankSteps: config.loss.memoryBankSteps, optimizer: config.training.optimizer,
                rule: ResumeRule(config: config, worldSize: world.worldSize, dataFingerprints: fingerprints)))
        session = session.adding(checkpoint?.projector ?? start.projector)
        var notices: [String] = []
        if start.projectorIsRandom, checkpoint == nil {
            notices.append("the backbone has no projector: a random one is made, and saved with the adapters")
        }
        let progress = TokenizingProgress(console)
        let index = try data.index(notices: &notices) { progress.show($0, rows: $1, of: $2) }
        if index.hasImages { session = try session.withImages(config.data, console) }
        let rows = checkpoint?.info.globalBatchRows ?? config.training.batch.globalRows(worldSize: world.worldSize)
        let sampler = BatchSampler(
            kinds: index.kinds, sets: source.sets(index, config.data), batchRows: rows,
            shuffles: config.training.shuffle, seed: config.training.seed)
        try world.together { try check(config, index, source, sampler, worldSize: world.worldSize) }
        notices += Self.notices(config, sampler, source, index)
        var setup = TrainingSetup(
            world: world, config: config, session: session, source: source, index: index, sampler: sampler,
            largestBatch: sampler.largestBatch(of: index), dataFingerprints: fingerprints, start: start,
            schedule: schedule(config.training, sampler), checkpoint: checkpoint,
            memoryLimit: memoryLimit,
            notices: config.notices + start.notices + session.notices(given) + notices + (checkpoint?.notices ?? []))
        setup.streamsPool = try world.anyTrue(setup.prefersStreaming)
        if !setup.streamsPool { try setup.checkpoint?.state.gatherBanks(world) }
        return setup
    }

    func replacing(session: ModelSession) -> TrainingSetup {
        var copy = self
        copy.session = session
        return copy
    }

    /// The step of this run.
    ///
    /// - Parameter world: the run's own or, for verification, one of a single rank
    package func step(in world: Communicator) -> TrainingStep {
        let objective = Objective(config.loss, dimension: session.checkpoint.config.text.hiddenSize)
        return TrainingStep(
            world, session.model, source, index, images: index.hasImages ? session.images : nil, layout: layout,
            ShardEmbedder.Configuration(
                heads: objective.heads.embeddingHeads, masksDuplicates: config.loss.maskDuplicates, poolLimit: config.loss.poolLimit,
                dropout: Float(config.lora.dropout), seed: config.training.seed, chunkTokens: config.system.chunkTokens,
                microbatchTokens: microbatchTokens, activations: activations(in: world)),
            TrainingStep.Configuration(
                objective: objective, memoryBankSteps: config.loss.memoryBankSteps, streamsPool: streamsPool,
                reduction: config.training.reduction, maximumGradientNorm: config.training.maximumGradientNorm,
                optimizer: config.training.optimizer, schedule: schedule, taskWeights: config.loss.taskWeights,
                taskLearningRates: config.training.taskLearningRates))
    }

    /// Tokens that go through the layers together. Where the configuration leaves it to us: enough for full products, more in
    /// narrow models, where the start of each product would show.
    package var microbatchTokens: Int {
        config.system.microbatchTokens ?? max(2048, (1 << 19) / session.checkpoint.config.text.hiddenSize)
    }

    /// The adapters and moments that the first step begins with.
    package var state: TrainingState { checkpoint?.state ?? TrainingState(adapters: start.adapters) }

    private static func schedule(_ training: TrainingConfig, _ sampler: BatchSampler) -> LearningRateSchedule {
        let total = training.maximumSteps ?? training.epochs * sampler.batchesPerEpoch
        return LearningRateSchedule(
            peak: training.learningRate, decay: training.decay, warmupSteps: training.warmup.steps(of: total), totalSteps: total)
    }
}

extension BatchSampler {
    /// The batch of the first epoch whose texts have most tokens.
    fileprivate func largestBatch(of index: RowIndex) -> [Int] {
        let batches = batches(epoch: 0)
        let tokens = batches.map { $0.reduce(0) { $0 + index.tokenCount(ofRow: $1).all } }
        return batches[tokens.firstIndex(of: tokens.max()!)!]
    }
}

extension TrainingConfig {
    var optimizer: AdamW.Configuration {
        AdamW.Configuration(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay)
    }
}

extension ModelSession {
    /// What the user should know of how the model meets the configuration.
    fileprivate func notices(_ config: ProjectConfig) -> [String] {
        var notices: [String] = []
        if config.system.maximumTokens > processor.maxTokens {
            notices.append(
                "\(SystemSettings.maximumTokens) is \(config.system.maximumTokens), but the model takes \(processor.maxTokens) tokens; texts are cut there"
            )
        }
        return notices + weights.notices
    }
}
