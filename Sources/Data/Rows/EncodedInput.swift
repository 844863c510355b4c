// What is embedded, once its length is known: the ids of a text, or an image that becomes so many tokens.

import Model

/// An input on its way into the decoder.
package enum EncodedInput: Sendable, Equatable {
    /// The token ids of a text, prompt included, cut at the limit.
    case text([Int32])
    /// An image, which becomes so many tokens.
    case image(ImageFile)

    /// Number of tokens.
    package var tokens: Int {
        switch self {
        case .text(let ids): ids.count
        case .image(let image): image.tokens
        }
    }

    /// The image; nil for a text.
    package var image: ImageFile? {
        if case .image(let image) = self { image } else { nil }
    }
}

extension [EncodedInput] {
    /// The decoder's inputs, in order.
    ///
    /// - Parameters:
    ///   - features: of the images, in order
    ///   - prompt: what stands around an image; may be nil where there is none
    package func sequences(_ features: [ImageFeatures], _ prompt: ImagePrompt?) -> [TokenSequence] {
        var features = features[...]
        return map { input in
            switch input {
            case .text(let ids): return TokenSequence(text: ids)
            case .image:
                guard let prompt, let own = features.popFirst() else { preconditionFailure("an image without features or prompt") }
                return prompt.sequence(own)
            }
        }
    }
}
