// An image on its way through the model: as patches of pixels, and as the features that stand for them in the decoder.

import Tensor

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

/// The patches of an image, normalised, as the vision tower takes them.
package struct ImagePatches: Sendable {
    package let grid: ImageGrid
    /// A patch a row, ordered channel, frame, pixel row, pixel column. Rows in the order of merging: frames, then squares of
    /// patches row by row, then the patches of a square row by row.   [patches, channels · frames · pixels · pixels], float32
    package let values: Tensor

    package init(grid: ImageGrid, values: Tensor) {
        precondition(values.rows == grid.count, "image: \(values.rows) patches for \(grid)")
        self.grid = grid
        self.values = values
    }
}

/// What stands in the decoder's input for an image.
package struct ImageFeatures: Sendable {
    package let grid: TokenGrid
    /// Row by row, float32 or bfloat16.                               [tokens, hidden]
    package let rows: Tensor

    package init(grid: TokenGrid, rows: Tensor) {
        precondition(rows.rows == grid.count, "image: \(rows.rows) rows of features for \(grid)")
        self.grid = grid
        self.rows = rows
    }
}
