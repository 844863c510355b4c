// The vision tower of Qwen2.5-VL (arXiv:2502.13923), forward only: it is frozen and has no adapters. Patches are embedded, go
// through the blocks in window order, and are merged into tokens of the decoder's width.

import Images
import Tensor

/// Patches to features.
///
///     let tower = VisionTower(checkpoint.vision!, engine)
///     let features = tower.forward([image, other])              // tokens of both images, float32
///
/// An image's features have the same bits whichever other images are in the call. A pass takes about 24 bytes (in
/// float32 48) times the tower's width for each patch: the caller decides how many images go together.
package struct VisionTower: Sendable {
    package let config: ModelConfig.Vision
    private let engine: MatrixEngine
    private let weights: VisionWeights
    private let blocks: [VisionBlock]

    private static let ropeTheta = 10_000.0

    /// Matrices of a type that the engine does not multiply are converted here, in this process: the tower lives as long as
    /// images are turned into features, and the published weights are multiplied as they are mapped.
    package init(_ weights: VisionWeights, _ engine: MatrixEngine) {
        let (config, prepared) = (weights.config, weights.prepared(for: engine))
        self.config = config
        self.engine = engine
        self.weights = prepared
        blocks = prepared.blocks.enumerated().map { index, weights in
            VisionBlock(weights: weights, seesFrame: config.fullAttentionBlocks.contains(index))
        }
    }

    /// What features are made in: the element type of the engine.
    package var element: Tensor.Element { engine.element }

    /// The features of some images, one below the other.             [tokens, outHidden] in `element`
    ///
    /// - Parameter element: what features are rounded to at the end
    package func forward(_ images: [ImagePatches], as element: Tensor.Element = .float32) -> Tensor {
        let order = WindowOrder(images.map(\.grid), config)
        let (cell, heads) = (config.spatialMergeSize * config.spatialMergeSize, config.heads)
        let dimension = config.hiddenSize / heads
        let pass = VisionPass(
            engine: engine, attention: AttentionShape(heads: heads, keyValueHeads: heads, headDimension: dimension), order: order,
            rotary: RotaryTable(
                axialPositions: images.reduce(1) { max($0, $1.grid.height, $1.grid.width) }, headDimension: dimension,
                theta: Self.ropeTheta))
        let patches = gatheredRows(images.map(\.values), order: order.cells, group: cell, as: engine.element)
        var x = ResidualStream(engine.forward(patches, weights.patchEmbedding), engine)
        for block in blocks { block.forward(&x, pass) }
        let merged = engine.forward(
            x.normalized(weight: weights.mergerNorm, together: cell), weights.mergerInput.weight, as: engine.element)
        let y = engine.forward(gelu(merged, bias: weights.mergerInput.bias), weights.mergerOutput.weight)
        return scatteredRows(y, bias: weights.mergerOutput.bias, order: order.cells, as: element)
    }

    /// The features of each image by itself, in the engine's element type: what is kept of an image.
    package func features(_ images: [ImagePatches]) -> [ImageFeatures] {
        let features = forward(images, as: element)
        let grids = images.map { $0.grid.merged(by: config.spatialMergeSize) }
        return zip(grids, grids.map(\.count).consecutiveRanges).map { ImageFeatures(grid: $0, rows: features.rows($1)) }
    }
}

extension VisionWeights {
    /// With the matrices that `engine` multiplies.
    fileprivate func prepared(for engine: MatrixEngine) -> VisionWeights {
        func linear(_ linear: BiasedLinear) -> BiasedLinear { BiasedLinear(weight: engine.prepare(linear.weight), bias: linear.bias) }
        return VisionWeights(
            config: config, patchEmbedding: engine.prepare(patchEmbedding),
            blocks: blocks.map {
                VisionBlockWeights(
                    attentionNorm: $0.attentionNorm, mlpNorm: $0.mlpNorm, qkv: linear($0.qkv), output: linear($0.output),
                    gate: linear($0.gate), up: linear($0.up), down: linear($0.down))
            }, mergerNorm: mergerNorm, mergerInput: linear(mergerInput), mergerOutput: linear(mergerOutput))
    }
}
