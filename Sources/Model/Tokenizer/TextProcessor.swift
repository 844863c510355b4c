// Text to the tokens that the decoder takes: prompt, tokenizer, cut at the limit.

import Files

/// Safe to use from many threads at once.
package struct TextProcessor: Sendable {
    /// `ids` is empty when neither prefix nor text gives a token; `isTruncated` when tokens on the right were cut off.
    package typealias Encoded = (ids: [Int32], isTruncated: Bool)

    package let tokenizer: Tokenizer
    /// Of an input, prefix included.
    package let maxTokens: Int

    package init(_ tokenizer: Tokenizer, maxTokens: Int) {
        precondition(maxTokens > 0, "text processor: at most \(maxTokens) tokens")
        self.tokenizer = tokenizer
        self.maxTokens = maxTokens
    }

    /// The tokenizer in a checkpoint's folder. It may have fewer ids than the embedding table has rows, whose rest is padding.
    ///
    /// - Throws: `UserError` `.missing`; `.content` when it is malformed, or has ids beyond the embedding table
    package static func tokenizer(folder: String, config: ModelConfig) throws(UserError) -> Tokenizer {
        let path = folder + "/tokenizer.json"
        let tokenizer = try Tokenizer(path: path)
        let rows = config.text.vocabularySize
        guard tokenizer.vocabularySize <= rows else {
            throw UserError(
                .content, path,
                "has ids up to \(tokenizer.vocabularySize - 1), but the model's embedding table has \(rows) rows; take the tokenizer that belongs to the model"
            )
        }
        return tokenizer
    }

    /// The text after its prefix, as one string: words at the seam are split as anywhere else.
    ///
    /// - Parameter text: UTF-8
    package func encode(_ text: some Collection<UInt8>, prefix: String) -> Encoded {
        var bytes = Array(prefix.utf8)
        bytes.append(contentsOf: text)
        let ids = bytes.withUnsafeBufferPointer { tokenizer.encode($0) }
        return ids.count > maxTokens ? (Array(ids.prefix(maxTokens)), true) : (ids, false)
    }
}
