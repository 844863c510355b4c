// Images of one size for the vision tower, and what work they are.

import Images
import Model
import Tensor

/// Some equal images that go through the tower together.
struct TowerWorkload {
    /// Patches down and across, after resizing: 448 × 448 pixels are 256 tokens, 672 × 896 the most that the published processor
    /// makes of an image, 768.
    static let sizes = [ImageGrid(frames: 1, height: 32, width: 32), ImageGrid(frames: 1, height: 48, width: 64)]

    private let grid: ImageGrid
    private let config: ModelConfig.Vision
    private let images: [ImagePatches]

    /// - Parameter patches: of all images together, if one has not more already
    init(_ grid: ImageGrid, _ config: ModelConfig.Vision, patches: Int) {
        self.grid = grid
        self.config = config
        let width = config.inChannels * config.temporalPatchSize * config.patchSize * config.patchSize
        images = (0..<max(1, patches / grid.count)).map { _ in ImagePatches(grid: grid, values: Self.values(grid.count, width)) }
    }

    /// Of one pass: the linears, and the scores and sums of attention.
    private var operations: Double {
        let (hidden, cell) = (config.hiddenSize, config.spatialMergeSize * config.spatialMergeSize)
        let patch = config.inChannels * config.temporalPatchSize * config.patchSize * config.patchSize
        let block = 4 * hidden * hidden + 3 * hidden * config.intermediateSize
        let merged = cell * hidden
        let weights = patch * hidden + config.depth * block + merged * (merged + config.outHiddenSize) / cell
        let side = config.windowSize / config.patchSize
        // A patch attends to its frame, or to its window, which may be cut at the edge.
        let windows = stride(from: 0, to: grid.height, by: side).flatMap { top in
            stride(from: 0, to: grid.width, by: side).map { left in min(side, grid.height - top) * min(side, grid.width - left) }
        }
        let full = config.fullAttentionBlocks.count
        let pairs = full * grid.count * grid.count + (config.depth - full) * windows.reduce(0) { $0 + $1 * $1 }
        return Double(images.count) * (2 * Double(grid.count * weights) + 4 * Double(pairs * hidden))
    }

    /// In pixels: `448x448`.
    var name: String { "\(grid.height * config.patchSize)x\(grid.width * config.patchSize)" }

    /// Mean magnitude of a feature, by which runs are compared.
    func magnitude(_ tower: VisionTower) -> Double {
        let magnitudes = tower.forward(images).values.map { Double(abs($0)) }
        return magnitudes.reduce(0, +) / Double(magnitudes.count)
    }

    /// All images once.
    func pass(_ tower: VisionTower) { _ = tower.forward(images) }

    func timed(_ passes: Repetitions, magnitude: Double) -> TimedTower {
        TimedTower(
            name: name, tokens: grid.merged(by: config.spatialMergeSize).count, images: images.count, passes: passes,
            operations: operations, magnitude: magnitude)
    }

    /// Uniform in ±1, in a way that is easily repeated elsewhere: the place times a constant, modulo 2³².
    private static func values(_ rows: Int, _ columns: Int) -> Tensor {
        let tensor = Tensor(rows, columns)
        tensor.withMutableFloats { target in
            Threads.run(target.count, grain: 1 << 16) { range in
                for i in range { target[i] = Float(Int32(bitPattern: UInt32(truncatingIfNeeded: i) &* 2_654_435_769)) * 0x1p-31 }
            }
        }
        return tensor
    }
}

/// The figures of one size.
struct TimedTower {
    let name: String
    let tokens: Int
    /// Of a pass.
    let images: Int
    let passes: Repetitions
    /// Of a pass.
    let operations: Double
    let magnitude: Double
}
