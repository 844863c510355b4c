// How many bytes a token costs in a pass, by what is kept of it: what the choice of a memory policy and its estimate rest on.
// Follows the tensors that the layers keep (LayerActivations) and hold while they work; a test compares it with what they take.

import Tensor

/// Bytes a token of one pass through the decoder.
package struct ActivationFootprint: Sendable, Equatable {
    /// Kept from the forward pass to the backward pass when everything is.
    package let everything: Int
    /// Kept when only the layers' inputs are.
    package let layerInputs: Int
    /// What one layer keeps; held while it is computed again.
    package let layer: Int
    /// In use at the widest moment of a pass beside what is kept.
    package let working: Int
    /// Bytes that do not depend on the tokens: a product's packed or widened weights.
    package let workspace: Int

    package init(everything: Int, layerInputs: Int, layer: Int, working: Int, workspace: Int) {
        self.everything = everything
        self.layerInputs = layerInputs
        self.layer = layer
        self.working = working
        self.workspace = workspace
    }

    /// - Parameter heads: that the passes end in
    package init(
        _ config: ModelConfig, _ layout: AdapterLayout, engine: MatrixEngine, hasDropout: Bool, heads: EmbeddingHeads
    ) {
        let (text, width) = (config.text, engine.element.byteWidth)
        let (hidden, queries) = (text.hiddenSize, text.heads * text.headDimension)
        let low = layout.rank * width
        let groups = DecoderModule.inputGroups.count
        let decoder = layout.groups.dropLast()
        let lowest = decoder.firstIndex { $0 != nil }.map { $0 / groups } ?? text.layers
        let adapted = decoder[(lowest * groups)...].reduce(0) { $0 + ($1?.pairs.count ?? 0) }
        let norms = 2 * (hidden * width + 4)
        let attention = (2 * queries + 2 * text.keyValueHeads * text.headDimension) * width + text.heads * 4
        let gated = text.intermediateSize * width
        let trained = text.layers - lowest
        let (stream, finalNorm) = (hidden * 4, hidden * 4 + 4)
        let late = heads.hasLate ? config.projectorDimension * 4 + 4 + (layout.groups.last! == nil ? 0 : low) : 0
        layer = norms + attention + 2 * gated + DecoderModule.allCases.count * low
        everything = trained * (norms + attention + 2 * gated) + adapted * low + finalNorm + late
        layerInputs = trained * stream + finalNorm + late
        // The backward pass of the MLP: the gradient of the stream and of the states; the product's gradient beside either
        // the product (and its copy with dropout) or the gradients of gate and up; and the gradient of the normed input. The heads hold less.
        working = 3 * stream + 2 * hidden * width + (hasDropout ? 4 : 3) * gated
        workspace = hidden * max(text.intermediateSize, queries) * width
    }

    /// Bytes of passes over `tokens` in microbatches of at most `microbatch` tokens.
    package func bytes(keeping: ActivationKeeping, tokens: Int, microbatch: Int) -> Int {
        let kept =
            switch keeping {
            case .nothing: microbatch * layer
            case .layerInputs: tokens * layerInputs + microbatch * layer
            case .everything: tokens * everything
            }
        return kept + microbatch * working + workspace
    }
}
