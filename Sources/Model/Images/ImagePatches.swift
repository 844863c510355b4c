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
        let values = Tensor(grid.count, config.patchValues)
        let (levels, target) = (config.normalisedLevels, values.floats)
        // A row of tokens is a task.
        let tokenRowPatches = grid.width * config.mergeSize
        Threads.run(grid.height / config.mergeSize) { tokenRow in
            levels.withUnsafeBufferPointer { levels in
                for patch in 0..<tokenRowPatches {
                    let (cell, inCell) = patch.quotientAndRemainder(dividingBy: config.mergeSize * config.mergeSize)
                    let row = tokenRow * config.mergeSize + inCell / config.mergeSize
                    let column = cell * config.mergeSize + inCell % config.mergeSize
                    let pixels = image.row(row * config.patchSize) + 3 * column * config.patchSize
                    let place = (tokenRow * tokenRowPatches + patch) * config.patchValues
                    Self.write(pixels, image.rowBytes, levels, config, to: target + place)
                }
            }
        }
        self.init(grid: grid, values: values)
    }

    /// One patch.                                                   [3, frames, patchSize, patchSize]
    private static func write(
        _ pixels: UnsafePointer<UInt8>, _ rowBytes: Int, _ levels: UnsafeBufferPointer<Float>, _ config: ImageProcessorConfig,
        to target: UnsafeMutablePointer<Float>
    ) {
        let (size, frame) = (config.patchSize, config.patchSize * config.patchSize)
        for colour in 0..<3 {
            let first = target + colour * config.temporalPatchSize * frame
            let levels = levels.baseAddress! + 256 * colour
            for row in 0..<size {
                let (source, place) = (pixels + row * rowBytes + colour, first + row * size)
                for column in 0..<size { place[column] = levels[Int(source[3 * column])] }
            }
            for repeated in 1..<max(config.temporalPatchSize, 1) { (first + repeated * frame).update(from: first, count: frame) }
        }
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
