// An image as a plan knows it, from the file's header alone.

import Files
import Images
import Model

/// A file that holds an image.
package struct ImageFile: Sendable, Equatable {
    /// Where the image lies.
    package let path: String
    /// Its patches.
    package let grid: ImageGrid
    /// Number of tokens of the decoder's input, prompt included.
    package let tokens: Int
    /// Hash of the file's bytes; nil where nobody has asked yet.
    package let content: ContentHash?

    /// Creates an image that has been measured.
    package init(path: String, grid: ImageGrid, tokens: Int, content: ContentHash? = nil) {
        self.path = path
        self.grid = grid
        self.tokens = tokens
        self.content = content
    }
}

extension ImageReader {
    /// Reads the header of an image file, which says how many tokens it becomes.
    ///
    /// - Throws: `UserError` as `ImageProcessor.grid`; `.content` for an image of more than `maximumTokens`
    package func file(_ path: String, maximumTokens: Int) throws(UserError) -> ImageFile {
        let grid = try processor.grid(path: path)
        let file = ImageFile(path: path, grid: grid, tokens: tokenCount(grid))
        guard file.tokens <= maximumTokens else {
            throw UserError(
                .content, path,
                "the image becomes \(file.tokens) tokens, and an input has \(maximumTokens) at most; lower --max-pixels, which is "
                    + "\(processor.config.maxPixels), or raise --max-length")
        }
        return file
    }
}
