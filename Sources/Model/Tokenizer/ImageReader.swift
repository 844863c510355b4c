// A model's view of image files: how many tokens a picture becomes, its patches, and the prompt around it. Needs no weights.

import Files
import Images

/// Image processor and prompt of one model, which fit its vision tower.
///
///     let reader = try ImageReader(folder: folder, config, tokenizer)
///     let grid = try reader.processor.grid(path: "page.png")
///     let tokens = reader.tokenCount(grid)                               // prompt included
///
/// Safe to share between threads.
package struct ImageReader: Sendable {
    package let processor: ImageProcessor
    package let prompt: ImagePrompt

    /// - Parameters:
    ///   - folder: of the model
    ///   - options: limits of a scaled picture, and how it is looked at
    /// - Throws: `UserError` `.content` when the model takes no images, or its files do not fit together; `.configuration` when the
    ///   limits are out of range or cross
    package init(
        folder: String, _ config: ModelConfig, _ tokenizer: Tokenizer, _ options: ImageOptions = ImageOptions()
    ) throws(UserError) {
        prompt = try ImagePrompt(tokenizer, folder: folder, config)
        let settings = try ImageProcessorConfig.read(folder: folder)
        guard let tower = config.vision else { preconditionFailure("image reader: a prompt without a vision tower") }
        let path = folder + "/preprocessor_config.json"
        for (key, value, expected) in [
            ("patch_size", settings.patchSize, tower.patchSize),
            ("temporal_patch_size", settings.temporalPatchSize, tower.temporalPatchSize),
            ("merge_size", settings.mergeSize, tower.spatialMergeSize), ("the number of colours", 3, tower.inChannels),
        ] where value != expected {
            throw UserError(
                .content, path, "\(key) is \(value), but vision_config of config.json says \(expected); take the files of one model")
        }
        processor = ImageProcessor(try settings.choosing(options))
    }

    /// Tokens of the decoder's input for an image, prompt included.
    package func tokenCount(_ grid: ImageGrid) -> Int { prompt.tokenCount(for: grid.merged(by: processor.config.mergeSize)) }
}
