// The decoder: token embeddings, layers, final norm. Its output is the state after the final norm, float32.

import Tensor

/// What a forward pass keeps for a backward pass. The gradients have the same bits either way.
package enum ActivationKeeping: Sendable {
    /// No backward pass follows; each layer's memory is free after it.
    case nothing
    /// Each adapted layer's input; the layer is computed again just before its backward pass.
    case layerInputs
    /// All that the backward pass reads.
    case everything
}

/// What a forward pass keeps for its backward pass.
struct DecoderActivations {
    /// Of one layer.
    enum Layer {
        /// [tokens, hidden], float32
        case input(Tensor)
        case activations(LayerActivations)
    }

    let pass: ForwardPass
    /// Of the layers from the lowest adapted one upwards.
    var layers: [Layer]
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
            let matrices = Dictionary(uniqueKeysWithValues: zip(DecoderModule.allCases, weights.matrices))
            let groups = DecoderModule.inputGroups.enumerated().map { index, modules in
                LinearGroup(
                    place: layer * DecoderModule.inputGroups.count + index,
                    linears: modules.map { FrozenLinear(module: $0.path(layer: layer), weight: engine.prepare(matrices[$0]!)) })
            }
            return DecoderLayer(
                attention: GroupedQueryAttention(
                    shape: shape, normWeight: weights.inputNorm, normEpsilon: text.normEpsilon, input: groups[0], o: groups[1],
                    qBias: weights.qBias, kBias: weights.kBias, vBias: weights.vBias),
                mlp: GatedMLP(
                    normWeight: weights.postAttentionNorm, normEpsilon: text.normEpsilon, input: groups[2], down: groups[3]))
        }
    }

    /// - Returns: states after the final norm [tokens, hidden], float32; and what `keeping` says
    func forward(_ pass: ForwardPass, keeping: ActivationKeeping) -> (states: Tensor, kept: DecoderActivations) {
        var x = embedded(pass.tokens)
        var kept: [DecoderActivations.Layer] = []
        for (index, layer) in layers.enumerated() {
            let isKept = index >= lowestTrained(pass)
            if isKept, keeping == .layerInputs { kept.append(.input(x.rows(0..<x.rows))) }
            let activations = layer.forward(&x, pass)
            if isKept, keeping == .everything { kept.append(.activations(activations)) }
        }
        let (states, norm) = rmsNorm(x, weight: finalNorm, epsilon: normEpsilon, as: .float32)
        return (states, DecoderActivations(pass: pass, layers: kept, finalNorm: norm))
    }

    /// Adds the adapter's gradient, down to the lowest adapted layer. What was kept of a layer is free after it.
    ///
    /// - Parameter dStates: [tokens, hidden], float32
    func backward(_ dStates: Tensor, _ kept: consuming DecoderActivations, into gradient: AdapterGradient) {
        var dX = Tensor.zeros(dStates.rows, dStates.columns)
        rmsNormBackward(dStates, kept.finalNorm, weight: finalNorm, addingTo: &dX)
        let pass = kept.pass
        var index = layers.count
        while let layer = kept.layers.popLast() {
            index -= 1
            let activations =
                switch layer {
                case .input(var x): layers[index].forward(&x, pass)
                case .activations(let activations): activations
                }
            layers[index].backward(&dX, activations, pass, into: gradient)
        }
    }

    /// The states that a forward pass returned, from what it kept.
    func states(_ kept: DecoderActivations) -> Tensor { rescaled(kept.finalNorm, weight: finalNorm) }

    /// The lowest layer with an adapted linear; none where only the projector is adapted.
    private func lowestTrained(_ pass: ForwardPass) -> Int {
        pass.adapter.map { $0.lowestPlace / DecoderModule.inputGroups.count } ?? layers.count
    }

    /// The embedding rows of the ids, widened, and the features of images where they stand.    [tokens, hidden]
    private func embedded(_ tokens: PackedTokens) -> Tensor {
        let x = embedding.widenedRows(tokens.ids)
        for image in tokens.images {
            let features = image.features.rows
            precondition(
                features.columns == x.columns && features.rows == image.tokens.count,
                "decoder: features [\(features.rows), \(features.columns)] for \(image.tokens.count) tokens of width \(x.columns)")
            x.setRows(from: image.tokens.lowerBound, to: features)
        }
        return x
    }
}
