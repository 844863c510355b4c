// From an image file to the patches of the vision tower: decode, scale, normalise, cut.

import Files

/// The way from a picture to patches with one model's settings.
///
///     let processor = ImageProcessor(try ImageProcessorConfig.read(folder: model))
///     let grid = try processor.grid(path: "page.png")                   // from the header
///     let patches = try processor.patches(path: "page.png")
///
/// Safe to share between threads. Source: Qwen2VLImageProcessor of transformers 5.23.
package struct ImageProcessor: Sendable {
    package let config: ImageProcessorConfig

    package init(_ config: ImageProcessorConfig) { self.config = config }

    /// The patches and tokens that a file's picture becomes, from its header alone.
    ///
    /// - Throws: as `ImageHeader.read`; `UserError` `.content` for a picture 200 times longer than wide
    package func grid(path: String) throws(UserError) -> ImageGrid { try config.grid(of: ImageHeader.read(path: path), path: path) }

    /// The patches of a file's picture; their grid is the one that `grid` gives.
    ///
    /// - Throws: as `grid`, and as `RGBImage.read`
    package func patches(path: String) throws(UserError) -> ImagePatches { try patches(of: MappedFile(path: path)) }

    package func patches(of file: MappedFile) throws(UserError) -> ImagePatches {
        // A shape that is refused costs no decoding.
        _ = try config.grid(of: ImageHeader(file), path: file.path)
        return patches(try RGBImage.decode(file, config.view))
    }

    /// The patches of a decoded picture, whose shape `grid` must have allowed.
    package func patches(_ image: RGBImage) -> ImagePatches {
        guard let size = config.smartResize(height: image.height, width: image.width) else {
            preconditionFailure("ImageProcessor: \(image.width) × \(image.height) pixels")
        }
        return ImagePatches(image.resized(height: size.height, width: size.width, backend: config.backend), config)
    }
}
