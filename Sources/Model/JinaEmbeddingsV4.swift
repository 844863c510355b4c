// The model as the trainer and the commands see it: packed tokens in, unit vectors out, and the way back to the adapter.

import Tensor

/// What `forward` keeps for `backward`.
package struct Activations {
    fileprivate let decoder: DecoderActivations
    fileprivate let pooled: PooledRows

    /// How many inputs the pass embedded.
    package var inputs: Int { pooled.unit.rows }
}

/// Jina Embeddings V4 (arXiv:2506.18902) for one process: a frozen Qwen2.5-VL backbone with LoRA adapters.
///
///     let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 512)
///     let (embeddings, activations) = model.forward(tokens, adapter, dropout: 0.1)
///     model.backward(activations, dEmbeddings, into: gradient)
///
/// An input's embedding has the same bits whichever other inputs are packed with it.
package struct JinaEmbeddingsV4: Sendable {
    package let config: ModelConfig
    package let engine: MatrixEngine
    private let decoder: TextDecoder
    private let rotary: RotaryTable

    /// - Parameter maxTokens: the longest input that will be given
    package init(_ checkpoint: Checkpoint, _ engine: MatrixEngine, maxTokens: Int) {
        let text = checkpoint.config.text
        config = checkpoint.config
        self.engine = engine
        decoder = TextDecoder(checkpoint, engine)
        rotary = RotaryTable(
            positions: maxTokens, headDimension: text.headDimension, theta: text.ropeTheta, sections: text.ropeSections)
    }

    /// One unit vector an input.                                   [inputs, hidden], float32
    package func embed(_ tokens: PackedTokens, _ adapter: LoadedAdapter?) -> Tensor {
        let (states, _) = decoder.forward(pass(tokens, adapter, dropout: 0), keeping: .nothing)
        return meanPooled(states, segments: tokens.pooled).unit
    }

    /// The same with dropout, keeping what `backward` needs.
    ///
    /// - Parameter keeping: `.nothing` where no backward pass of these activations follows
    package func forward(
        _ tokens: PackedTokens, _ adapter: LoadedAdapter, dropout: Float, keeping: ActivationKeeping = .everything
    ) -> (embeddings: Tensor, kept: Activations) {
        let (states, kept) = decoder.forward(pass(tokens, adapter, dropout: dropout), keeping: keeping)
        let pooled = meanPooled(states, segments: tokens.pooled)
        return (pooled.unit, Activations(decoder: kept, pooled: pooled))
    }

    /// Adds the gradient of the adapter, chunk by chunk.
    ///
    /// - Parameter dEmbeddings: gradient of the loss with respect to the embeddings, [inputs, hidden]
    package func backward(_ kept: consuming Activations, _ dEmbeddings: Tensor, into gradient: AdapterGradient) {
        let tokens = kept.decoder.pass.tokens
        let dStates = meanPooledBackward(dEmbeddings, kept.pooled, segments: tokens.pooled, tokens: tokens.ids.count)
        decoder.backward(dStates, kept.decoder, into: gradient)
    }

    private func pass(_ tokens: PackedTokens, _ adapter: LoadedAdapter?, dropout: Float) -> ForwardPass {
        ForwardPass(
            engine: engine, adapter: adapter,
            dropout: dropout > 0 && adapter != nil ? Dropout(probability: dropout, rowKeys: tokens.dropoutKeys) : nil,
            tokens: tokens, rotary: rotary)
    }
}
