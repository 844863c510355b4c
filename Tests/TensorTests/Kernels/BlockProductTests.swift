// Each element against its definition, a chain of fused multiply-adds in the order of k: to the bit, at every edge of the tiles.

import Support
import Testing

@testable import Tensor

@Suite struct BlockProductTests {
    private struct Layout {
        let aTransposed: Bool
        let accumulate: Bool
    }

    @Test(arguments: [1, 2, 7, 8, 9, 16, 31], InstructionSet.available)
    func everyElementIsOneChain(rows: Int, instructions: InstructionSet) {
        for columns in [1, 4, 8, 15, 16, 17, 31, 32, 33, 40, 48, 64, 70] {
            for depth in [0, 1, 2, 7, 64, 129] {
                for aTransposed in [false, true] {
                    let layout = Layout(aTransposed: aTransposed, accumulate: (rows + columns + depth) % 2 == 0)
                    check(rows, columns, depth, layout, instructions)
                }
            }
        }
    }

    private func check(_ rows: Int, _ columns: Int, _ depth: Int, _ layout: Layout, _ instructions: InstructionSet) {
        let (bStride, cStride) = (BlockProduct.padded(columns) + 16, columns + 3)
        let a = Samples(seed: 1).tensor(max(layout.aTransposed ? depth : rows, 1), max(layout.aTransposed ? rows : depth, 1) + 5)
        let b = Samples(seed: 2).tensor(max(depth, 1), bStride)
        let c = Samples(seed: 3).tensor(rows, cStride)
        let before = c.values
        let view =
            layout.aTransposed
            ? Strided(a.start, rowStride: 1, columnStride: a.columns) : Strided(a.start, rowStride: a.columns)
        BlockProduct.multiply(
            rows: rows, columns: columns, depth: depth, view, b.start, bStride: bStride, into: c.start, cStride: cStride,
            accumulate: layout.accumulate, instructions)
        var expected = before
        for row in 0..<rows {
            for column in 0..<columns {
                var sum = layout.accumulate ? before[row * cStride + column] : 0
                for k in 0..<depth {
                    let left = layout.aTransposed ? a.floats[k * a.columns + row] : a.floats[row * a.columns + k]
                    sum.addProduct(left, b.floats[k * bStride + column])
                }
                expected[row * cStride + column] = sum
            }
        }
        expectSameBits(c.values, expected, "product [\(rows), \(depth)] × [\(depth), \(columns)], \(layout)", shape: c.shape)
    }

    /// What the scores of the loss rest on: whoever computes a score, as A·B or as B·A, gets the same bits.
    @Test func rolesMayBeSwapped() {
        let (left, right, depth) = (Samples(seed: 4).tensor(48, 200), Samples(seed: 5).tensor(32, 200), 200)
        func product(_ a: Tensor, _ b: Tensor) -> Tensor {
            let (panel, result) = (Tensor(depth, b.rows), Tensor(a.rows, b.rows))
            for row in 0..<b.rows { for k in 0..<depth { panel[k, row] = b.floats[row * depth + k] } }
            BlockProduct.multiply(
                rows: a.rows, columns: b.rows, depth: depth, Strided(a.start, rowStride: depth), panel.start, bStride: b.rows,
                into: result.start, cStride: b.rows, accumulate: false)
            return result
        }
        let (one, other) = (product(left, right), product(right, left))
        let swapped = (0..<one.count).map { other.floats[$0 % 32 * 48 + $0 / 32] }
        expectSameBits(one.values, swapped, "scores", shape: one.shape)
    }
}
