// What every command that runs the model begins with: threads, backbone, tokenizer, engine, agreed by all ranks.

import Comm
import Files
import Model
import Tensor

/// A loaded model, ready to embed.
package struct ModelSession {
    package let world: Communicator
    package let checkpoint: Checkpoint
    package private(set) var model: JinaEmbeddingsV4
    package let processor: TextProcessor
    /// How the backbone's matrices are held.
    package let weights: HostWeights
    /// Nil until images are asked for.
    package private(set) var images: ImageEncoder?

    /// The same session with a projector, where the backbone brings none.
    package func adding(_ projector: Projector?) -> ModelSession {
        var copy = self
        if let projector { copy.model = model.adding(projector) }
        return copy
    }

    package func adding(_ images: ImageEncoder) -> ModelSession {
        var copy = self
        copy.images = images
        return copy
    }

    /// The projector that must be saved with what is trained: one that the backbone does not bring.
    package var addedProjector: Projector? { checkpoint.projector == nil ? model.projector : nil }

    /// Collective.
    ///
    /// - Parameters:
    ///   - threads: of this rank; nil: its share of the cores that it may run on
    ///   - maximumTokens: of an input, prompt included; nil: the model's limit
    ///   - memoryLimit: bytes of this host that widened weights may take half of; 0 where a few products are not worth the copy
    package static func open(
        _ world: Communicator, folder: String, computeType: ComputeType, threads: Int?, maximumTokens: Int?,
        memoryLimit: Int = 0
    ) throws -> ModelSession {
        Threads.count = threads ?? world.hosts.coresPerRank
        let engine = try world.together { try MatrixEngine(configured: computeType) }
        try world.requireSameEngine(engine)
        let checkpoint = try world.together { try Checkpoint.read(folder: folder) }
        try world.requireSameOnHosts(checkpoint.fingerprint(), path: folder, "backbone")
        let limit = min(maximumTokens ?? checkpoint.config.maxTokens, checkpoint.config.maxTokens)
        let processor = try world.together { () throws(UserError) in
            let tokenizer = try TextProcessor.tokenizer(folder: folder, config: checkpoint.config)
            return TextProcessor(tokenizer, maxTokens: limit)
        }
        let weights = try HostWeights(checkpoint, engine, world, memoryLimit: memoryLimit)
        return ModelSession(
            world: world, checkpoint: checkpoint, model: JinaEmbeddingsV4(weights.checkpoint, engine, maxTokens: limit),
            processor: processor, weights: weights)
    }
}

extension Communicator {
    /// Throws on every rank when the processors chose different engines: their embeddings would not be of one kind.
    ///
    /// Collective.
    fileprivate func requireSameEngine(_ engine: MatrixEngine) throws {
        guard let differing = try ranksUnlikeRank0(Array(engine.kind.rawValue.utf8)) else { return }
        throw UserError(
            .configuration,
            "some processors have bfloat16 products and some have not: \(differing) differ from \(hosts.describe([0])); "
                + "set system.compute_dtype (--compute-dtype) to float32")
    }
}
