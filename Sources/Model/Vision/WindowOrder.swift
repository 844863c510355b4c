// The order of patches in which each attention window is one run of rows. Pure arithmetic.
//
// A cell is the square of patches that becomes one token: patches come, move and leave by cells. A window is a square of cells,
// cut at the right and bottom edge of the image.

import Images
import Tensor

/// The way of some images' cells into window order, and what lies where in it.
struct WindowOrder {
    /// Which cell, counted through all images in merge order, stands at each place.    [cells]
    let cells: [Int]
    /// Patches of each window, and of each frame, in window order.
    let windows: [Range<Int>]
    let frames: [Range<Int>]
    /// Row and column of each patch within its image, in window order.
    let positions: RotaryPositions

    init(_ grids: [ImageGrid], _ config: ModelConfig.Vision) {
        let side = config.spatialMergeSize
        let windowSide = config.windowSize / side / config.patchSize
        var (cells, windows, frames) = ([Int](), [Range<Int>](), [Range<Int>]())
        var (rows, columns) = ([Int32](), [Int32]())
        for grid in grids {
            let tokens = grid.merged(by: side)
            for _ in 0..<grid.frames {
                let firstCell = cells.count
                for window in Self.windows(of: tokens, side: windowSide) {
                    let firstPatch = rows.count
                    for (row, column) in window {
                        cells.append(firstCell + row * tokens.width + column)
                        for patch in 0..<side * side {
                            rows.append(Int32(row * side + patch / side))
                            columns.append(Int32(column * side + patch % side))
                        }
                    }
                    windows.append(firstPatch..<rows.count)
                }
                frames.append(firstCell * side * side..<rows.count)
            }
        }
        self.cells = cells
        self.windows = windows
        self.frames = frames
        positions = RotaryPositions(streams: [rows, columns])
    }

    /// The cells of each window of a frame, (row, column), windows and cells row by row.
    private static func windows(of grid: TokenGrid, side: Int) -> [[(row: Int, column: Int)]] {
        stride(from: 0, to: grid.height, by: side).flatMap { top in
            stride(from: 0, to: grid.width, by: side).map { left in
                (top..<min(top + side, grid.height)).flatMap { row in
                    (left..<min(left + side, grid.width)).map { (row, $0) }
                }
            }
        }
    }
}
