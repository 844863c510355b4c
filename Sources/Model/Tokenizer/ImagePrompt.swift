// What stands around an image: the words that the published model was trained with, as token ids.

import Files
import Images

/// The prompt of an image, whose placeholder becomes as many image tokens as the image has features.
///
///     let prompt = try ImagePrompt(tokenizer, folder: folder, config)
///     let input = prompt.sequence(features)
package struct ImagePrompt: Sendable {
    package static let text = "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Describe the image.<|im_end|>\n"

    package let markers: ImageMarkers
    /// With one image token.
    private let ids: [Int32]
    private let place: Int

    /// - Parameter folder: of the model, for messages
    /// - Throws: `UserError` `.content` when the model takes no images, or its tokenizer has other ids for their markers
    package init(_ tokenizer: Tokenizer, folder: String, _ config: ModelConfig) throws(UserError) {
        let path = folder + "/config.json"
        guard config.vision != nil else {
            throw UserError(.content, path, "has no vision_config, so this model takes no images; name one with a vision tower")
        }
        func id(_ key: String, _ id: Int?, _ token: String) throws(UserError) -> Int32 {
            guard let id else { throw UserError(.content, path, "\(key) is missing; take the model's own config.json, unchanged") }
            guard let found = tokenizer.id(of: token), found == id else {
                let found = tokenizer.id(of: token).map { "the id \($0)" } ?? "no id"
                throw UserError(
                    .content, path, "\(key) is \(id), but tokenizer.json has \(found) for \(token); take the files of one model")
            }
            return found
        }
        markers = ImageMarkers(
            image: try id("image_token_id", config.specialTokens.image, "<|image_pad|>"),
            start: try id("vision_start_token_id", config.specialTokens.visionStart, "<|vision_start|>"),
            end: try id("vision_end_token_id", config.specialTokens.visionEnd, "<|vision_end|>"))
        ids = tokenizer.encode(Self.text)
        place = ids.firstIndex(of: markers.image)!
    }

    /// The ids of the prompt for an image.
    package func ids(for grid: TokenGrid) -> [Int32] {
        ids[..<place] + Array(repeating: markers.image, count: grid.count) + ids[(place + 1)...]
    }

    /// How many these are.
    package func tokenCount(for grid: TokenGrid) -> Int { ids.count - 1 + grid.count }

    /// The decoder's input for an image.
    package func sequence(_ features: ImageFeatures) -> TokenSequence {
        TokenSequence(ids(for: features.grid), images: [features], markers)
    }
}
