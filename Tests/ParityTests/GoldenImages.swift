// The golden values of images, as Tests/Golden/vision/make.py wrote them.

import Images
import Model
import Support
import Tensor
import Testing

/// A golden model with images, and rows of tokens that hold them.
struct GoldenImages: CustomTestStringConvertible, Sendable {
    static let all = ["merge-2", "merge-3"].map { GoldenImages(model: GoldenModel(subject: "vision", name: $0)) }

    let model: GoldenModel
    var testDescription: String { model.name }

    private func golden() throws -> GoldenTensors { try GoldenTensors("vision/\(model.name)/golden") }

    func patches() throws -> [ImagePatches] {
        let (golden, config) = (try golden(), try model.checkpoint().config.vision!)
        let width = config.inChannels * config.temporalPatchSize * config.patchSize * config.patchSize
        let (grids, values) = (try golden.integers("grids"), try golden.floats("patches"))
        var start = 0
        return stride(from: 0, to: grids.count, by: 3).map {
            let grid = ImageGrid(frames: grids[$0], height: grids[$0 + 1], width: grids[$0 + 2])
            defer { start += grid.count * width }
            return ImagePatches(
                grid: grid, values: Tensor(Array(values[start..<start + grid.count * width]), rows: grid.count, columns: width))
        }
    }

    /// Of every image, as the reference computed them.
    func features() throws -> [ImageFeatures] {
        let config = try model.checkpoint().config
        let (values, width) = (try model.tensor("features"), config.text.hiddenSize)
        var start = 0
        return try patches().map { image in
            let grid = image.grid.merged(by: config.vision!.spatialMergeSize)
            defer { start += grid.count * width }
            let rows = Tensor(Array(values[start..<start + grid.count * width]), rows: grid.count, columns: width)
            return ImageFeatures(grid: grid, rows: rows)
        }
    }

    /// The rows, with these features for the images.
    func rows(_ features: [ImageFeatures]) throws -> [TokenSequence] {
        let (golden, tokens) = (try golden(), try model.checkpoint().config.specialTokens)
        let markers = ImageMarkers(image: Int32(tokens.image!), start: Int32(tokens.visionStart!), end: Int32(tokens.visionEnd!))
        let (images, offsets) = (try golden.integers("images"), try golden.integers("image_offsets"))
        return try zip(model.segments(), zip(offsets, offsets.dropFirst())).map { ids, range in
            let images = images[range.0..<range.1].map { features[$0] }
            return images.isEmpty ? TokenSequence(text: ids) : TokenSequence(ids, images: images, markers)
        }
    }

    /// Time, height and width of every token.
    func positions() throws -> [[Int32]] {
        let values = try golden().values("positions", as: Int32.self)
        return (0..<3).map { Array(values[$0 * values.count / 3..<($0 + 1) * values.count / 3]) }
    }
}
