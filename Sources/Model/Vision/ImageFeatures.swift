// What the vision tower makes of an image.

import Images
import Tensor

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
