// Scores of a block of rows against the columns of a panel, by several heads, and the gradients of these scores: planes of lines,
// made by products and read line by line. Every function here works in the calling thread alone.

/// Planes of lines of floats, a line a row of the block.             [planes, rows, stride]
package struct ScorePlanes {
    /// Rows of a plane.
    package let rows: Int
    /// Floats between two lines: the columns that a line has room for.
    package let stride: Int
    private let planes: Int
    let memory: Tensor

    /// Takes memory for planes, not initialised.
    package init(_ planes: Int, rows: Int, stride: Int) {
        (self.planes, self.rows, self.stride) = (planes, rows, stride)
        memory = Tensor(planes * rows, stride)
    }

    /// A line, as long as these planes are held.                   [stride]
    package func line(_ plane: Int, _ row: Int) -> UnsafeMutablePointer<Float> {
        precondition((0..<planes).contains(plane) && (0..<rows).contains(row), "ScorePlanes: line \(row) of plane \(plane)")
        return memory.start + (plane * rows + row) * stride
    }

    // MARK: - Products

    /// plane = a · b, or plane += a · b, over some of their depth.
    ///
    /// - Parameters:
    ///   - a: [at least as many rows as the block has, depth], float32
    ///   - b: [depth, at least `columns` padded to whole vectors], float32
    ///   - depth: what is multiplied
    package func multiply(_ a: Tensor, _ b: Tensor, _ depth: Range<Int>, columns: Int, into plane: Int, accumulate: Bool) {
        precondition(
            rows <= a.rows && depth.upperBound <= min(a.columns, b.rows) && BlockProduct.padded(columns) <= b.columns && columns <= stride,
            "ScorePlanes: [\(a.rows), \(a.columns)] × [\(b.rows), \(b.columns)] over \(depth)")
        guard rows > 0 else { return }
        BlockProduct.multiply(
            rows: rows, columns: columns, depth: depth.count, Strided(a.start + depth.lowerBound, rowStride: a.columns),
            b.start + depth.lowerBound * b.columns, bStride: b.columns, into: line(plane, 0), cStride: stride, accumulate: accumulate)
    }

    /// target += plane · b: some columns of b, added to the same columns of as many rows of `target`.
    ///
    /// - Parameters:
    ///   - depth: columns of the plane and rows of b that are multiplied
    ///   - b: [at least depth, width], float32, of whose last rows a vector more may be read
    ///   - first: row of `target` that the block's first row is added to
    package func addProduct(of plane: Int, depth: Int, _ b: Tensor, columns: Range<Int>, to target: Tensor, from first: Int) {
        precondition(
            depth <= min(stride, b.rows) && columns.upperBound <= min(b.columns, target.columns) && first >= 0
                && first + rows <= target.rows, "ScorePlanes: \(columns) of [\(b.rows), \(b.columns)] to row \(first)")
        guard rows > 0 else { return }
        BlockProduct.multiply(
            rows: rows, columns: columns.count, depth: depth, Strided(line(plane, 0), rowStride: stride), b.start + columns.lowerBound,
            bStride: b.columns, into: target.start + first * target.columns + columns.lowerBound, cStride: target.columns,
            accumulate: true)
    }

    // MARK: - Scores of dense vectors

    /// Scores of one head from the products of its prefixes.
    ///
    /// - Parameters:
    ///   - products: the plane of the dot products
    ///   - plane: where the cosines go: product · 1/‖row‖ · 1/‖column‖
    ///   - ofRows, ofColumns: 1 / length of each prefix
    package func scaleProducts(_ products: Int, into plane: Int, ofRows: [Float], ofColumns: [Float]) {
        precondition(ofRows.count == rows && ofColumns.count <= stride, "ScorePlanes: lengths of \(ofRows.count) and \(ofColumns.count)")
        for row in 0..<rows {
            let (from, to, own) = (line(products, row), line(plane, row), ofRows[row])
            ofColumns.withUnsafeBufferPointer { lengths in
                for column in 0..<lengths.count { to[column] = from[column] * (own * lengths[column]) }
            }
        }
    }

    /// Turns cosines into negative distances of unit vectors. Of vectors close to one another 2 - 2·cosine keeps no digit: their
    /// differences are squared instead.
    ///
    /// - Parameters:
    ///   - a, b: the vectors of the rows and of the columns, [rows, at least width] and [columns, at least width], float32
    ///   - width: of the prefixes
    ///   - ofRows, ofColumns: 1 / length of each prefix
    package func measureDistances(_ plane: Int, _ a: Tensor, _ b: Tensor, width: Int, ofRows: [Float], ofColumns: [Float]) {
        precondition(
            ofRows.count == rows && rows <= a.rows && ofColumns.count <= min(b.rows, stride) && width <= min(a.columns, b.columns),
            "ScorePlanes: distances of [\(a.rows), \(a.columns)] and [\(b.rows), \(b.columns)]")
        for row in 0..<rows {
            let line = line(plane, row)
            for column in ofColumns.indices {
                if line[column] < 0.99 {
                    line[column] = -(max(2 - 2 * line[column], 0)).squareRoot()
                } else {
                    let (x, y) = (a.start + row * a.columns, b.start + column * b.columns)
                    let lengths = (ofRows[row], ofColumns[column])
                    var square: Float = 0
                    for i in 0..<width {
                        let difference = x[i] * lengths.0 - y[i] * lengths.1
                        square += difference * difference
                    }
                    line[column] = -square.squareRoot()
                }
            }
        }
    }

    /// What one head's gradients mean for the products of its prefixes: adds g · 1/‖row‖ · 1/‖column‖ to the plane `sums`, g the
    /// gradient with respect to the cosine.
    ///
    /// - Parameters:
    ///   - scores, gradients: the head's planes
    ///   - ofRows, ofColumns: 1 / length of each prefix
    ///   - isDistance: whether scores are negative distances of unit vectors; else they are cosines
    /// - Returns: Σ g · cosine of each row, [rows]
    package func addCosineGradients(
        _ scores: Int, _ gradients: Int, to sums: Int, ofRows: [Float], ofColumns: [Float], isDistance: Bool
    ) -> [Float] {
        precondition(ofRows.count == rows && ofColumns.count <= stride, "ScorePlanes: lengths of \(ofRows.count) and \(ofColumns.count)")
        return (0..<rows).map { row in
            let (score, gradient, to, own) = (line(scores, row), line(gradients, row), line(sums, row), ofRows[row])
            var along: Float = 0
            ofColumns.withUnsafeBufferPointer { lengths in
                for column in 0..<lengths.count where gradient[column] != 0 {
                    let value = score[column]
                    // Equal vectors have no direction to move apart in.
                    let slope: Float = isDistance ? (value < 0 ? -1 / value : 0) : 1
                    let change = gradient[column] * slope
                    along += change * (isDistance ? 1 - 0.5 * value * value : value)
                    to[column] += change * (own * lengths[column])
                }
            }
            return along
        }
    }

    /// Sets the first `columns` values of every line of a plane to zero.
    package func clear(_ plane: Int, columns: Int) {
        precondition(columns <= stride, "ScorePlanes: \(columns) columns of \(stride)")
        for row in 0..<rows { line(plane, row).update(repeating: 0, count: columns) }
    }
}
