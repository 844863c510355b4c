// How an image is divided: into patches, which the vision tower reads, and into tokens, which the decoder reads.

/// How many patches an image has in each direction.
package struct ImageGrid: Sendable, Hashable {
    package let frames: Int
    package let height: Int
    package let width: Int

    package init(frames: Int, height: Int, width: Int) {
        self.frames = frames
        self.height = height
        self.width = width
    }

    package var count: Int { frames * height * width }

    /// The grid of tokens into which squares of `size` × `size` patches are merged.
    package func merged(by size: Int) -> TokenGrid {
        precondition(height % size == 0 && width % size == 0 && count > 0, "image: \(self) in squares of \(size)")
        return TokenGrid(frames: frames, height: height / size, width: width / size)
    }
}

/// How many tokens an image has in each direction.
package struct TokenGrid: Sendable, Hashable {
    package let frames: Int
    package let height: Int
    package let width: Int

    package init(frames: Int, height: Int, width: Int) {
        self.frames = frames
        self.height = height
        self.width = width
    }

    package var count: Int { frames * height * width }
}
