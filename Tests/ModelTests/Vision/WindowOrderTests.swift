// The order of cells in windows, small enough to be written down.

import Images
import Support
import Testing

@testable import Model

@Suite struct WindowOrderTests {
    /// Cells of 2 × 2 patches of 4 pixels; windows of 2 × 2 cells.
    private func config(window: Int = 16) throws -> ModelConfig.Vision {
        let folder = try TemporaryFolder()
        try TinyCheckpoint().setting("vision_config.window_size", .integer(Int64(window))).write(to: folder.path)
        return try ModelConfig.read(folder: folder.path).vision!
    }

    /// Three by three cells: one whole window, two cut on one side, one cut on both.
    @Test func windowsAreCutAtTheEdge() throws {
        let order = WindowOrder([ImageGrid(frames: 1, height: 6, width: 6)], try config())
        #expect(order.cells == [0, 1, 3, 4, 2, 5, 6, 7, 8])
        #expect(order.windows == [0..<16, 16..<24, 24..<32, 32..<36])
        #expect(order.frames == [0..<36])
        // The patches of cell 5, the sixth in window order: row 1, column 2 of the cells.
        let patches = 20..<24
        #expect(Array(order.positions.streams[0][patches]) == [2, 2, 3, 3])
        #expect(Array(order.positions.streams[1][patches]) == [4, 5, 4, 5])
    }

    /// A frame whose sides are whole windows has no empty ones beside it.
    @Test func everyFrameHasItsOwnWindows() throws {
        let grids = [ImageGrid(frames: 2, height: 4, width: 4), ImageGrid(frames: 1, height: 2, width: 6)]
        let order = WindowOrder(grids, try config())
        #expect(order.cells == Array(0..<11))
        #expect(order.windows == [0..<16, 16..<32, 32..<40, 40..<44])
        #expect(order.frames == [0..<16, 16..<32, 32..<44])
        #expect(order.positions.streams[0][16..<32].elementsEqual(order.positions.streams[0][0..<16]))
    }

    /// The width of a window in cells is rounded down.
    @Test func aWindowHoldsWholeCells() throws {
        let order = WindowOrder([ImageGrid(frames: 1, height: 2, width: 6)], try config(window: 15))
        #expect(order.windows == [0..<4, 4..<8, 8..<12])
    }
}
