// The product of float32 operands where they lie, for everything that is not a frozen matrix: attention, weight gradients,
// scores.
//
// One convention carries the project's exactness: an element of C is Σ A[m,k]·B[k,n] as one chain of fused multiply-adds
// in the order of k, begun with what C holds or with zero. So its bits depend on its row of A and column of B alone: not on the
// tile it falls into, the number of rows or threads, the width of the vectors, or which operand is called A.

import CMatrixKernels

/// A view of floats as a matrix: element (row, column) lies at `start[row · rowStride + column · columnStride]`.
package struct Strided {
    /// The first element.
    package let start: UnsafePointer<Float>
    /// Floats from one row to the next.
    package let rowStride: Int
    /// Floats from one column to the next.
    package let columnStride: Int

    /// Creates a view; it does not keep the memory.
    @inline(__always)
    package init(_ start: UnsafePointer<Float>, rowStride: Int, columnStride: Int = 1) {
        self.start = start
        self.rowStride = rowStride
        self.columnStride = columnStride
    }
}

/// Products of float32 matrices whose rows have the same bits in any company.
package enum BlockProduct {
    /// Columns that B's rows must have in memory for `columns` columns of the product: a multiple of the vector's 16.
    package static func padded(_ columns: Int) -> Int { (columns + 15) & ~15 }

    /// C = A·B, or C += A·B.                   A [rows, depth], B [depth, columns], C [rows, columns]
    ///
    /// - Parameters:
    ///   - b: row-major with `bStride` floats a row, of which `padded(columns)` are read
    ///   - c: row-major with `cStride` floats a row, of which `columns` are written
    package static func multiply(
        rows: Int, columns: Int, depth: Int, _ a: Strided, _ b: UnsafePointer<Float>, bStride: Int,
        into c: UnsafeMutablePointer<Float>, cStride: Int, accumulate: Bool, _ instructions: InstructionSet = .current
    ) {
        let tile = float32_tile(
            depth: depth, a: a.start, a_row: a.rowStride, a_step: a.columnStride, b: b, b_step: bStride, c: c, c_row: cStride,
            accumulate: accumulate ? 1 : 0, ahead: panel_ahead())
        if instructions == .avx2 {
            float32_strided_avx2(rows, columns, tile)
        } else {
            float32_strided_avx512(rows, columns, tile)
        }
    }
}
