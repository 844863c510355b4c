// The model as the trainer and the commands see it: packed tokens in, unit vectors out, and the way back to the adapter.

import Tensor

/// What `forward` keeps for `backward`.
package struct Activations {
    fileprivate let decoder: DecoderActivations
    fileprivate let pooled: PooledRows?
    fileprivate let late: MultiVectorActivations?
}

/// Jina Embeddings V4 (arXiv:2506.18902) for one process: a frozen Qwen2.5-VL backbone with LoRA adapters.
///
///     let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 512)
///     let (embeddings, activations) = model.forward(tokens, adapter, dropout: 0.1, heads: .both)
///     model.backward(activations, Embeddings(dense: dDense, late: dLate), into: gradient)
///
/// An input's embedding, and that of each of its tokens, has the same bits whichever other inputs are packed with it.
package struct JinaEmbeddingsV4: Sendable {
    package let config: ModelConfig
    package let engine: MatrixEngine
    private let decoder: TextDecoder
    private let rotary: RotaryTable
    /// Of the multi-vector head; nil where the backbone brings none and none was added.
    package private(set) var projector: Projector?
    private var multiVectorHead: MultiVectorHead?

    /// - Parameter maxTokens: the longest input that will be given
    package init(_ checkpoint: Checkpoint, _ engine: MatrixEngine, maxTokens: Int) {
        let text = checkpoint.config.text
        config = checkpoint.config
        self.engine = engine
        decoder = TextDecoder(checkpoint, engine)
        rotary = RotaryTable(
            positions: maxTokens, headDimension: text.headDimension, theta: text.ropeTheta, sections: text.ropeSections)
        projector = checkpoint.projector
        multiVectorHead = projector.map { MultiVectorHead($0, engine, layers: text.layers) }
    }

    /// The same model with a projector, which its backbone lacks.
    package func adding(_ projector: Projector) -> JinaEmbeddingsV4 {
        var copy = self
        copy.projector = projector
        copy.multiVectorHead = MultiVectorHead(projector, engine, layers: config.text.layers)
        return copy
    }

    /// The embeddings of every input, or token, that `heads` make.
    ///
    /// - Parameter heads: late vectors need a projector
    package func embed(_ tokens: PackedTokens, _ adapter: LoadedAdapter?, heads: EmbeddingHeads) -> Embeddings {
        run(pass(tokens, adapter, dropout: 0), keeping: .nothing, heads).embeddings
    }

    /// The same with dropout, keeping what `backward` needs.
    ///
    /// - Parameter keeping: `.nothing` where no backward pass of these activations follows
    package func forward(
        _ tokens: PackedTokens, _ adapter: LoadedAdapter, dropout: Float, keeping: ActivationKeeping = .everything, heads: EmbeddingHeads
    ) -> (embeddings: Embeddings, kept: Activations) {
        run(pass(tokens, adapter, dropout: dropout), keeping: keeping, heads)
    }

    /// Adds the gradient of the adapter, chunk by chunk.
    ///
    /// - Parameter dEmbeddings: gradient of the loss with respect to the embeddings, of heads that the forward pass had
    package func backward(_ kept: consuming Activations, _ dEmbeddings: Embeddings, into gradient: AdapterGradient) {
        let pass = kept.decoder.pass
        var dStates: Tensor?
        if let dDense = dEmbeddings.dense {
            guard let pooled = kept.pooled else { preconditionFailure("backward: the forward pass made no dense embeddings") }
            dStates = meanPooledBackward(dDense, pooled, segments: pass.tokens.pooled, tokens: pass.tokens.ids.count)
        }
        if let dLate = dEmbeddings.late {
            guard let late = kept.late, let multiVectorHead else { preconditionFailure("backward: the forward pass made no late vectors") }
            let part = multiVectorHead.backward(dLate, late, states: decoder.states(kept.decoder), pass, into: gradient)
            if let part, var sum = dStates { add(part, to: &sum) } else { dStates = dStates ?? part }
        }
        guard let dStates else { return }
        decoder.backward(dStates, kept.decoder, into: gradient)
    }

    private func run(
        _ pass: ForwardPass, keeping: ActivationKeeping, _ heads: EmbeddingHeads
    ) -> (embeddings: Embeddings, kept: Activations) {
        let (states, kept) = decoder.forward(pass, keeping: keeping)
        let pooled = heads.hasDense ? meanPooled(states, segments: pass.tokens.pooled) : nil
        var late: MultiVectorActivations?
        if heads.hasLate {
            guard let multiVectorHead else { preconditionFailure("late vectors: the model has no projector") }
            late = multiVectorHead.forward(states, pass)
        }
        return (Embeddings(dense: pooled?.unit, late: late?.rows.unit), Activations(decoder: kept, pooled: pooled, late: late))
    }

    private func pass(_ tokens: PackedTokens, _ adapter: LoadedAdapter?, dropout: Float) -> ForwardPass {
        ForwardPass(
            engine: engine, adapter: adapter,
            dropout: dropout > 0 && adapter != nil ? Dropout(probability: dropout, rowKeys: tokens.dropoutKeys) : nil,
            tokens: tokens, rotary: rotary)
    }
}
