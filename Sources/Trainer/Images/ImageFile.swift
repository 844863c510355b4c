// An image as a plan knows it, from the file's header alone.

import Comm
import Files
import Model

/// A file that holds an image.
package struct ImageFile: Sendable, Equatable {
    package let path: String
    package let grid: ImageGrid
    /// Of the decoder's input, prompt included.
    package let tokens: Int
    /// Of the file's bytes; nil where nobody has asked yet.
    package let content: ContentHash?

    package init(path: String, grid: ImageGrid, tokens: Int, content: ContentHash? = nil) {
        self.path = path
        self.grid = grid
        self.tokens = tokens
        self.content = content
    }
}

extension ImageReader {
    /// - Parameter content: of the file's bytes, where it is known
    /// - Throws: `UserError` as `ImageProcessor.grid`; `.content` for an image of more than `maximumTokens`
    func file(_ path: String, maximumTokens: Int) throws(UserError) -> ImageFile {
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

extension ModelSession {
    /// Reads the headers of image files by shares.
    ///
    /// Collective.
    /// - Throws: `UserError` of a file that is missing, no image, or too long for an input
    func imageFiles(_ paths: [String]) throws -> [ImageFile] {
        guard !paths.isEmpty else { return [] }
        guard let reader = images?.reader else { preconditionFailure("image files: a session without images") }
        let share = Shard.range(of: paths.count, rank: world.rank, worldSize: world.worldSize)
        let own = try world.together {
            try share.map { index throws(UserError) in try reader.file(paths[index], maximumTokens: processor.maxTokens) }
        }
        let sizes = try world.allGatherVariable(own.flatMap { [$0.grid.frames, $0.grid.height, $0.grid.width, $0.tokens] }).joined()
        let numbers = Array(sizes)
        return paths.indices.map { index in
            let own = numbers[4 * index..<4 * index + 4].map(\.self)
            return ImageFile(
                path: paths[index], grid: ImageGrid(frames: own[0], height: own[1], width: own[2]), tokens: own[3])
        }
    }
}
