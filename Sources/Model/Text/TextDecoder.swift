// The decoder: token embeddings, layers, final norm. Its output is the state after the final norm, float32.

import Tensor

/// What a forward pass keeps for its backward pass.
struct DecoderActivations {
    let pass: ForwardPass
    let layers: [LayerActivations]
    let finalNorm: NormalizedRows
}

struct TextDecoder: Sendable {
    /// [vocabulary, hidden]
    let embedding: WeightMatrix
    let layers: [DecoderLayer]
    let finalNorm: [Float]
    let normEpsilon: Float

    init(_ checkpoint: Checkpoint, _ engine: MatrixEngine) {
        let text = checkpoint.config.text
        let shape = AttentionShape(heads: text.heads, keyValueHeads: text.keyValueHeads, headDimension: text.headDimension)
        embedding = checkpoint.embedding
        finalNorm = checkpoint.finalNorm
        normEpsilon = text.normEpsilon
        layers = checkpoint.layers.enumerated().map { layer, weights in
            func linear(_ module: DecoderModule, _ weight: WeightMatrix) -> LoRALinear {
                LoRALinear(module: module.path(layer: layer), weight: engine.prepare(weight))
            }
            return DecoderLayer(
                attention: GroupedQueryAttention(
                    layer: layer, shape: shape, normWeight: weights.inputNorm, normEpsilon: text.normEpsilon,
                    q: linear(.q, weights.q), k: linear(.k, weights.k), v: linear(.v, weights.v), o: linear(.o, weights.o),
                    qBias: weights.qBias, kBias: weights.kBias, vBias: weights.vBias),
                mlp: GatedMLP(
                    layer: layer, normWeight: weights.postAttentionNorm, normEpsilon: text.normEpsilon,
                    gate: linear(.gate, weights.gate), up: linear(.up, weights.up), down: linear(.down, weights.down)))
        }
    }

    /// - Parameter keepsActivations: false where no backward pass follows; each layer's memory is then free after it
    /// - Returns: states after the final norm [tokens, hidden], float32
    func forward(_ pass: ForwardPass, keepsActivations: Bool) -> (states: Tensor, kept: DecoderActivations?) {
        let x = embedded(pass.tokens.ids)
        var kept: [LayerActivations] = []
        for layer in layers {
            let activations = layer.forward(x, pass)
            if keepsActivations { kept.append(activations) }
        }
        let (states, norm) = rmsNorm(x, weight: finalNorm, epsilon: normEpsilon, as: .float32)
        return (states, keepsActivations ? DecoderActivations(pass: pass, layers: kept, finalNorm: norm) : nil)
    }

    /// Adds the adapter's gradient; the embeddings below the layers are frozen.
    ///
    /// - Parameter dStates: [tokens, hidden], float32
    func backward(_ dStates: Tensor, _ kept: consuming DecoderActivations, into gradient: AdapterGradient) {
        let dX = Tensor.zeros(dStates.rows, dStates.columns)
        rmsNormBackward(dStates, kept.finalNorm, weight: finalNorm, addingTo: dX)
        for index in layers.indices.reversed() {
            layers[index].backward(dX, kept.layers[index], kept.pass, into: gradient, inputIsTrained: index > 0)
        }
    }

    /// The embedding rows of `ids`, widened.                       [tokens, hidden]
    private func embedded(_ ids: [Int32]) -> Tensor {
        let hidden = embedding.columns
        let x = Tensor(ids.count, hidden)
        Threads.run(ids.count, grain: 64) { tokens in
            for token in tokens {
                let row = Int(ids[token])
                embedding.widen(row * hidden..<(row + 1) * hidden, into: x.floats + token * hidden)
            }
        }
        return x
    }
}
