// The product for everything that is not a big frozen matrix: attention, LoRA's factors, weight gradients, scores.
//
// One convention carries the project's exactness: an element of C is Σ A[m,k]·B[k,n] as one chain of fused multiply-adds
// in the order of k. So its bits depend on its row of A and column of B alone: not on the tile it falls into, the number
// of rows or threads, the width of the vectors, or which operand is called A.

private typealias Vector = SIMD16<Float>

/// A view of floats as a matrix: element (row, column) lies at `start[row · rowStride + column · columnStride]`.
package struct Strided {
    package let start: UnsafePointer<Float>
    package let rowStride: Int
    package let columnStride: Int

    @inline(__always)
    package init(_ start: UnsafePointer<Float>, rowStride: Int, columnStride: Int = 1) {
        self.start = start
        self.rowStride = rowStride
        self.columnStride = columnStride
    }

    @inline(__always)
    func advanced(byRows rows: Int) -> Strided {
        Strided(start + rows * rowStride, rowStride: rowStride, columnStride: columnStride)
    }
}

/// Products of float32 matrices whose rows have the same bits in any company.
package enum BlockProduct {
    static let tileRows = 8
    static let tileColumns = 32

    /// Columns that B's rows must have in memory for `columns` columns of the product: a multiple of the vector's 16.
    package static func padded(_ columns: Int) -> Int { (columns + 15) & ~15 }

    /// C = A·B, or C += A·B.                   A [rows, depth], B [depth, columns], C [rows, columns]
    ///
    /// - Parameters:
    ///   - b: row-major with `bStride` floats a row, of which `padded(columns)` are read
    ///   - c: row-major with `cStride` floats a row, of which `columns` are written
    package static func multiply(
        rows: Int, columns: Int, depth: Int, _ a: Strided, _ b: UnsafePointer<Float>, bStride: Int,
        into c: UnsafeMutablePointer<Float>, cStride: Int, accumulate: Bool
    ) {
        var column = 0
        while column < columns {
            let wide = columns - column > 16
            let width = min(wide ? tileColumns : 16, columns - column)
            for row in stride(from: 0, to: rows, by: tileRows) {
                let height = min(tileRows, rows - row)
                let target = c + row * cStride + column
                if wide {
                    tile8x32(height, width, depth, a.advanced(byRows: row), b + column, bStride, target, cStride, accumulate)
                } else {
                    tile8x16(height, width, depth, a.advanced(byRows: row), b + column, bStride, target, cStride, accumulate)
                }
            }
            column += wide ? tileColumns : 16
        }
    }

    /// Eight rows of 32 columns in sixteen registers. Rows beyond `height` repeat the last one and are not stored.
    @inline(__always)
    private static func tile8x32(
        _ height: Int, _ width: Int, _ depth: Int, _ a: Strided, _ b: UnsafePointer<Float>, _ bStride: Int,
        _ c: UnsafeMutablePointer<Float>, _ cStride: Int, _ accumulate: Bool
    ) {
        let last = height - 1
        var (a0, a1, a2, a3) = (row(a, 0, last), row(a, 1, last), row(a, 2, last), row(a, 3, last))
        var (a4, a5, a6, a7) = (row(a, 4, last), row(a, 5, last), row(a, 6, last), row(a, 7, last))
        var (c00, c01, c10, c11) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var (c20, c21, c30, c31) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var (c40, c41, c50, c51) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var (c60, c61, c70, c71) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var from = UnsafeRawPointer(b)
        let (step, next) = (a.columnStride, bStride &* 4)
        var k = 0
        while k < depth {
            let b0 = from.loadUnaligned(as: Vector.self)
            let b1 = from.loadUnaligned(fromByteOffset: 64, as: Vector.self)
            add(a0.pointee, b0, b1, &c00, &c01)
            add(a1.pointee, b0, b1, &c10, &c11)
            add(a2.pointee, b0, b1, &c20, &c21)
            add(a3.pointee, b0, b1, &c30, &c31)
            add(a4.pointee, b0, b1, &c40, &c41)
            add(a5.pointee, b0, b1, &c50, &c51)
            add(a6.pointee, b0, b1, &c60, &c61)
            add(a7.pointee, b0, b1, &c70, &c71)
            a0 += step
            a1 += step
            a2 += step
            a3 += step
            a4 += step
            a5 += step
            a6 += step
            a7 += step
            from += next
            k &+= 1
        }
        let store = Store(c: c, stride: cStride, width: width, accumulate: accumulate)
        store.row(0, c00, c01)
        if last >= 1 { store.row(1, c10, c11) }
        if last >= 2 { store.row(2, c20, c21) }
        if last >= 3 { store.row(3, c30, c31) }
        if last >= 4 { store.row(4, c40, c41) }
        if last >= 5 { store.row(5, c50, c51) }
        if last >= 6 { store.row(6, c60, c61) }
        if last >= 7 { store.row(7, c70, c71) }
    }

    /// The same for at most 16 columns.
    @inline(__always)
    private static func tile8x16(
        _ height: Int, _ width: Int, _ depth: Int, _ a: Strided, _ b: UnsafePointer<Float>, _ bStride: Int,
        _ c: UnsafeMutablePointer<Float>, _ cStride: Int, _ accumulate: Bool
    ) {
        let last = height - 1
        var (a0, a1, a2, a3) = (row(a, 0, last), row(a, 1, last), row(a, 2, last), row(a, 3, last))
        var (a4, a5, a6, a7) = (row(a, 4, last), row(a, 5, last), row(a, 6, last), row(a, 7, last))
        var (c0, c1, c2, c3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var (c4, c5, c6, c7) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var from = UnsafeRawPointer(b)
        let (step, next) = (a.columnStride, bStride &* 4)
        var k = 0
        while k < depth {
            let b0 = from.loadUnaligned(as: Vector.self)
            c0.addProduct(Vector(repeating: a0.pointee), b0)
            c1.addProduct(Vector(repeating: a1.pointee), b0)
            c2.addProduct(Vector(repeating: a2.pointee), b0)
            c3.addProduct(Vector(repeating: a3.pointee), b0)
            c4.addProduct(Vector(repeating: a4.pointee), b0)
            c5.addProduct(Vector(repeating: a5.pointee), b0)
            c6.addProduct(Vector(repeating: a6.pointee), b0)
            c7.addProduct(Vector(repeating: a7.pointee), b0)
            a0 += step
            a1 += step
            a2 += step
            a3 += step
            a4 += step
            a5 += step
            a6 += step
            a7 += step
            from += next
            k &+= 1
        }
        let store = Store(c: c, stride: cStride, width: width, accumulate: accumulate)
        store.row(0, c0)
        if last >= 1 { store.row(1, c1) }
        if last >= 2 { store.row(2, c2) }
        if last >= 3 { store.row(3, c3) }
        if last >= 4 { store.row(4, c4) }
        if last >= 5 { store.row(5, c5) }
        if last >= 6 { store.row(6, c6) }
        if last >= 7 { store.row(7, c7) }
    }

    @inline(__always)
    private static func row(_ a: Strided, _ index: Int, _ last: Int) -> UnsafePointer<Float> {
        a.start + min(index, last) * a.rowStride
    }

    @inline(__always)
    private static func add(_ a: Float, _ b0: Vector, _ b1: Vector, _ c0: inout Vector, _ c1: inout Vector) {
        let a = Vector(repeating: a)
        c0.addProduct(a, b0)
        c1.addProduct(a, b1)
    }

    /// Where a tile's rows go: whole vectors where the width allows, single floats at the right edge.
    private struct Store {
        let c: UnsafeMutablePointer<Float>
        let stride: Int
        let width: Int
        let accumulate: Bool

        @inline(__always)
        func row(_ index: Int, _ first: Vector, _ second: Vector) {
            put(first, at: c + index * stride, width)
            put(second, at: c + index * stride + 16, width - 16)
        }

        @inline(__always)
        func row(_ index: Int, _ values: Vector) {
            put(values, at: c + index * stride, width)
        }

        @inline(__always)
        private func put(_ values: Vector, at target: UnsafeMutablePointer<Float>, _ width: Int) {
            let raw = UnsafeMutableRawPointer(target)
            if width >= 16 {
                raw.storeBytes(of: accumulate ? raw.loadUnaligned(as: Vector.self) + values : values, as: Vector.self)
            } else {
                for lane in 0..<max(width, 0) {
                    target[lane] = accumulate ? target[lane] + values[lane] : values[lane]
                }
            }
        }
    }
}
