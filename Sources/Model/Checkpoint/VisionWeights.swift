// The vision tower on disk. Its matrices stay in the mapped files, as the decoder's do.

import Files
import Tensor

/// A linear with a bias, y = W·x + b.
package struct BiasedLinear: Sendable {
    /// [outputs, inputs]
    package let weight: WeightMatrix
    /// [outputs]
    package let bias: [Float]
}

/// The weights of one block.
package struct VisionBlockWeights: Sendable {
    package let attentionNorm: [Float]
    package let mlpNorm: [Float]
    /// Queries, keys and values one below the other.               [3 · hidden, hidden]
    package let qkv: BiasedLinear
    package let output: BiasedLinear
    package let gate: BiasedLinear
    package let up: BiasedLinear
    package let down: BiasedLinear
}

/// The weights of the vision tower.
package struct VisionWeights: Sendable {
    package let config: ModelConfig.Vision
    /// The convolution over a patch as a matrix.                   [hidden, channels · frames · pixels · pixels]
    package let patchEmbedding: WeightMatrix
    package let blocks: [VisionBlockWeights]
    package let mergerNorm: [Float]
    /// From the patches of a token, side by side, to as many values.
    package let mergerInput: BiasedLinear
    package let mergerOutput: BiasedLinear
}

extension VisionWeights {
    /// Takes all tensors of the tower.
    init(_ config: ModelConfig.Vision, _ tensors: inout TensorTable) throws(UserError) {
        self.config = config
        let (hidden, merged) = (config.hiddenSize, config.hiddenSize * config.spatialMergeSize * config.spatialMergeSize)
        patchEmbedding = try tensors.matrix(
            "visual.patch_embed.proj.weight",
            shape: [hidden, config.inChannels, config.temporalPatchSize, config.patchSize, config.patchSize])
        var blocks: [VisionBlockWeights] = []
        for block in 0..<config.depth { blocks.append(try VisionBlockWeights("visual.blocks.\(block).", config, &tensors)) }
        self.blocks = blocks
        mergerNorm = try tensors.vector("visual.merger.ln_q.weight", count: hidden)
        mergerInput = try tensors.linear("visual.merger.mlp.0", outputs: merged, inputs: merged)
        mergerOutput = try tensors.linear("visual.merger.mlp.2", outputs: config.outHiddenSize, inputs: merged)
    }
}

extension VisionBlockWeights {
    fileprivate init(_ prefix: String, _ config: ModelConfig.Vision, _ tensors: inout TensorTable) throws(UserError) {
        let (hidden, intermediate) = (config.hiddenSize, config.intermediateSize)
        attentionNorm = try tensors.vector(prefix + "norm1.weight", count: hidden)
        mlpNorm = try tensors.vector(prefix + "norm2.weight", count: hidden)
        qkv = try tensors.linear(prefix + "attn.qkv", outputs: 3 * hidden, inputs: hidden)
        output = try tensors.linear(prefix + "attn.proj", outputs: hidden, inputs: hidden)
        gate = try tensors.linear(prefix + "mlp.gate_proj", outputs: intermediate, inputs: hidden)
        up = try tensors.linear(prefix + "mlp.up_proj", outputs: intermediate, inputs: hidden)
        down = try tensors.linear(prefix + "mlp.down_proj", outputs: hidden, inputs: intermediate)
    }
}

extension TensorTable {
    fileprivate mutating func linear(_ name: String, outputs: Int, inputs: Int) throws(UserError) -> BiasedLinear {
        BiasedLinear(
            weight: try matrix(name + ".weight", rows: outputs, columns: inputs), bias: try vector(name + ".bias", count: outputs))
    }
}
