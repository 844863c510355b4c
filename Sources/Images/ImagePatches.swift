// A scaled picture as the vision tower takes it: normalised, cut into patches, the patches of one token side by side.

import Tensor

/// The patches of an image, normalised, as the vision tower takes them.
package struct ImagePatches: Sendable {
    package let grid: ImageGrid
    /// A patch a row, ordered channel, frame, pixel row, pixel column. Rows in the order of merging: frames, then squares of
    /// patches row by row, then the patches of a square row by row.   [patches, channels · frames · pixels · pixels], float32
    package let values: Tensor

    package init(grid: ImageGrid, values: Tensor) {
        precondition(values.rows == grid.count, "image: \(values.rows) patches for \(grid)")
        self.grid = grid
        self.values = values
    }
}

extension ImagePatches {
    /// - Parameter image: scaled to whole tokens, in the size that `smartResize` gives
    /// Runs on all threads, except inside a task of theirs.
    package init(_ image: RGBImage, _ config: ImageProcessorConfig) {
        precondition(
            image.width % config.factor == 0 && image.height % config.factor == 0,
            "ImagePatches: \(image.width) × \(image.height), not of whole \(config.factor)")
        let grid = ImageGrid(frames: 1, height: image.height / config.patchSize, width: image.width / config.patchSize)
        let shape = PatchShape(
            size: config.patchSize, frames: config.temporalPatchSize, height: grid.height, width: grid.width, group: config.mergeSize)
        self.init(
            grid: grid, values: pixelPatches(image.values, rowBytes: image.rowBytes, levels: config.normalisedLevels, shape))
    }
}

extension ImageProcessorConfig {
    /// What each of the 256 levels of red, green and blue becomes, with each backend's own order of roundings.    [3, 256]
    ///
    ///     torchvision: (x − mean / factor) / (deviation / factor), all in Float
    ///     Pillow:      (Float(x · factor) − mean) / deviation, the product in Double
    ///
    /// Source: image_processing_backends.py and image_transforms.py of transformers 5.23.
    var normalisedLevels: [Float] {
        (0..<3).flatMap { colour in
            let (mean, deviation) = (Float(mean[colour]), Float(standardDeviation[colour]))
            return (0..<256).map { level in
                switch backend {
                case .torchvision:
                    let inverse = Float(1 / rescaleFactor)
                    return (Float(level) - mean * inverse) / (deviation * inverse)
                case .pillow: return (Float(Double(level) * rescaleFactor) - mean) / deviation
                }
            }
        }
    }
}
