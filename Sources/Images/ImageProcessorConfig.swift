// preprocessor_config.json of a checkpoint as a type: how large a picture is scaled, how it is normalised, and by which of the
// reference's two backends. Where the file is absent, the published model's values hold.

import Files
import Foundation

/// The settings of the way from a picture to patches.
package struct ImageProcessorConfig: Sendable, Equatable {
    /// Which backend of the reference is followed, bit for bit. Their pictures differ by up to 2 of 255.
    package enum Backend: Sendable, Equatable {
        /// torchvision's, "fast": what the published model is loaded with.
        case torchvision
        /// Pillow's, "slow".
        case pillow
    }

    /// Pixels of a scaled picture, at least and at most. A picture of 28 × 28 pixels is one token.
    package private(set) var minPixels = 3136
    package private(set) var maxPixels = 602_112
    /// Pixels on each side of a patch.
    package private(set) var patchSize = 14
    /// Frames of a patch; a still picture is repeated.
    package private(set) var temporalPatchSize = 2
    /// Patches on each side of a token.
    package private(set) var mergeSize = 2
    package private(set) var rescaleFactor = 1.0 / 255
    /// Of red, green and blue, after `rescaleFactor`.
    package private(set) var mean = [0.48145466, 0.4578275, 0.40821073]
    package private(set) var standardDeviation = [0.26862954, 0.26130258, 0.27577711]
    package private(set) var backend = Backend.torchvision
    /// Whether a picture is turned and laid on white; not in the file.
    package private(set) var view = PictureView()

    /// The published model's.
    package init() {}

    /// Pixels of which both sides of a scaled picture are multiples.
    package var factor: Int { patchSize * mergeSize }

    /// Values of a patch: colours × frames × rows × columns.
    package var patchValues: Int { 3 * temporalPatchSize * patchSize * patchSize }

    /// Reads `preprocessor_config.json` in a checkpoint's folder; the published model's values where there is none.
    ///
    /// - Throws: `UserError` `.content` naming the key that is out of range or asks for what is not here
    package static func read(folder: String) throws(UserError) -> ImageProcessorConfig {
        let path = folder + "/preprocessor_config.json"
        guard FileManager.default.fileExists(atPath: path) else { return ImageProcessorConfig() }
        return try ImageProcessorConfig(ConfigObject(path: path))
    }

    /// The same with what a user chooses.
    ///
    /// - Parameter options: limits from 1 to the number of pixels that are decoded
    /// - Throws: `UserError` `.configuration` when a limit is out of range or they cross
    package func choosing(_ options: ImageOptions) throws(UserError) -> ImageProcessorConfig {
        var copy = self
        copy.view = options.view
        copy.minPixels = options.minPixels ?? minPixels
        copy.maxPixels = options.maxPixels ?? maxPixels
        guard Self.pixelRange.contains(copy.minPixels), Self.pixelRange.contains(copy.maxPixels) else {
            let largest = Self.pixelRange.upperBound
            throw UserError(
                .configuration, "min_pixels \(copy.minPixels) and max_pixels \(copy.maxPixels) of an image must lie from 1 to \(largest)")
        }
        guard copy.minPixels <= copy.maxPixels else {
            throw UserError(
                .configuration,
                "an image's min_pixels \(copy.minPixels) is above its max_pixels \(copy.maxPixels); lower one or raise the other")
        }
        return copy
    }

    private static let pixelRange = 1...ImageHeader.maximumPixels
}

extension ImageProcessorConfig {
    private init(_ root: ConfigObject) throws(UserError) {
        for key in ["do_convert_rgb", "do_resize", "do_rescale", "do_normalize"] {
            guard try root.optionalBool(key) ?? true else { throw root.fault(key, "is false; this version always does it") }
        }
        if let resample = try root.optionalInteger("resample", in: 0...5), resample != 3 {
            throw root.fault("resample", "is \(resample); this version knows 3, bicubic")
        }
        try readPixels(root)
        patchSize = try root.optionalInteger("patch_size", in: 1...256) ?? patchSize
        temporalPatchSize = try root.optionalInteger("temporal_patch_size", in: 1...16) ?? temporalPatchSize
        mergeSize = try root.optionalInteger("merge_size", in: 1...16) ?? mergeSize
        if root.has("rescale_factor") { rescaleFactor = try root.number("rescale_factor", in: 1e-6...1) }
        mean = try root.optionalNumbers("image_mean", count: 3, in: -1e3...1e3) ?? mean
        standardDeviation = try root.optionalNumbers("image_std", count: 3, in: 1e-6...1e3) ?? standardDeviation
        backend = try Self.backend(root)
    }

    /// The limits stand in `size`, by themselves, or both; by themselves they win, as in the reference.
    private mutating func readPixels(_ root: ConfigObject) throws(UserError) {
        let size = try root.section("size")
        for (object, smallest, largest) in [
            (size, "shortest_edge", "longest_edge"), (size, "min_pixels", "max_pixels"), (root, "min_pixels", "max_pixels"),
        ] {
            minPixels = try object?.optionalInteger(smallest, in: Self.pixelRange) ?? minPixels
            maxPixels = try object?.optionalInteger(largest, in: Self.pixelRange) ?? maxPixels
        }
        guard minPixels <= maxPixels else {
            throw root.fault("min_pixels", "(or size.shortest_edge) is \(minPixels), above max_pixels, \(maxPixels)")
        }
    }

    private static func backend(_ root: ConfigObject) throws(UserError) -> Backend {
        let torchvision = ["Qwen2VLImageProcessor", "Qwen2VLImageProcessorFast"]
        let pillow = "Qwen2VLImageProcessorPil"
        try root.expect("image_processor_type", oneOf: torchvision + [pillow])
        if let useFast = try root.optionalBool("use_fast") { return useFast ? .torchvision : .pillow }
        return try root.optionalString("image_processor_type") == pillow ? .pillow : .torchvision
    }
}
