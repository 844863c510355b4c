// What every command that runs the model begins with: threads, backbone, tokenizer, engine, agreed by all ranks.

import Comm
import Files
import Model
import Tensor

/// A loaded model, ready to embed.
package struct ModelSession {
    /// All ranks.
    package let world: Communicator
    /// The files of the backbone.
    package let checkpoint: Checkpoint
    /// The model on this rank.
    package private(set) var model: JinaEmbeddingsV4
    /// Makes token ids of texts.
    package let processor: TextProcessor
    /// The engine of products, and what is known of it.
    package let engine: EngineChoice
    /// How the backbone's matrices are held.
    package let weights: HostWeights
    /// The encoder of images; nil until images are asked for.
    package private(set) var images: ImageEncoder?

    /// The same session with a projector, for a backbone that brings none; nil changes nothing.
    package func adding(_ projector: Projector?) -> ModelSession {
        var copy = self
        if let projector { copy.model = model.adding(projector) }
        return copy
    }

    /// The same session with another way to take images.
    package func adding(_ images: ImageEncoder) -> ModelSession {
        var copy = self
        copy.images = images
        return copy
    }

    /// The projector that must be saved with what is trained: one that the backbone does not bring.
    package var addedProjector: Projector? { checkpoint.projector == nil ? model.projector : nil }

    /// Opens a model on all ranks: threads, backbone, tokenizer, engine and weights.
    ///
    /// Collective.
    ///
    /// - Parameters:
    ///   - folder: the backbone's
    ///   - threads: number of threads of this rank; nil: its share of the cores that it may run on
    ///   - maximumTokens: the most tokens of an input, prompt included; nil: the model's limit
    ///   - packing: whether weights are packed once for all products
    ///   - memoryLimit: bytes of this host that a copy of the weights may take half of; 0 where a few products are not worth it
    /// - Throws: `UserError`, the same on every rank
    package static func open(
        _ world: Communicator, folder: String, engine settings: EngineSettings, threads: Int?, maximumTokens: Int?,
        packing: PackedWeights = .off, memoryLimit: Int = 0
    ) throws -> ModelSession {
        Threads.count = threads ?? world.hosts.coresPerRank
        let checkpoint = try world.together { try Checkpoint.read(folder: folder) }
        try world.requireSameOnHosts(checkpoint.fingerprint(), path: folder, "backbone")
        let limit = min(maximumTokens ?? checkpoint.config.maxTokens, checkpoint.config.maxTokens)
        let processor = try world.together { () throws(UserError) in
            let tokenizer = try TextProcessor.tokenizer(folder: folder, config: checkpoint.config)
            return TextProcessor(tokenizer, maxTokens: limit)
        }
        let choice = try EngineChoice.make(settings, shapes: checkpoint.productShapes, world)
        let engine = choice.engine
        let weights = try HostWeights(checkpoint, engine, world, packing: packing, memoryLimit: memoryLimit)
        return ModelSession(
            world: world, checkpoint: checkpoint, model: JinaEmbeddingsV4(weights.checkpoint, engine, maxTokens: limit),
            processor: processor, engine: choice, weights: weights)
    }
}

extension Checkpoint {
    /// The different shapes of the matrices that products take, as a run multiplies them.
    fileprivate var productShapes: [EngineProof.Shape] {
        var shapes: [EngineProof.Shape] = []
        for matrix in layers.flatMap(\.matrices) {
            let shape = EngineProof.Shape(out: matrix.rows, in: matrix.columns)
            if !shapes.contains(shape) { shapes.append(shape) }
        }
        return shapes
    }
}
