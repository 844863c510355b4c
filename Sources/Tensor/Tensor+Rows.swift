// Rows of a tensor copied out, put in and added to: what is done between the products, a row at a time.

extension Tensor {
    /// A copy of some rows, in the same element type.
    package func rows(_ range: Range<Int>) -> Tensor {
        let (copy, width) = (Tensor(range.count, columns, element), columns * element.byteWidth)
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows: \(range) of \(rows)")
        copy.memory.copyMemory(from: memory + range.lowerBound * width, byteCount: range.count * width)
        return copy
    }

    /// Copies of some runs of rows, one after the other, float32: [rows of all ranges + spare, width].
    ///
    /// - Parameters:
    ///   - width: at least `columns`; what lies beyond them is zero
    ///   - spare: rows of zeros at the end, there to be read over
    package func rows(_ ranges: [Range<Int>], paddedTo width: Int? = nil, spare: Int = 0) -> Tensor {
        let width = width ?? columns
        let copy = Tensor(ranges.reduce(spare) { $0 + $1.count }, width)
        var target = copy.start
        for row in ranges.joined() {
            precondition(row >= 0 && row < rows, "rows: \(row) of \(rows)")
            target.update(from: start + row * columns, count: columns)
            (target + columns).update(repeating: 0, count: width - columns)
            target += width
        }
        target.update(repeating: 0, count: spare * width)
        return copy
    }

    /// Adds some rows of `source` to as many rows of this tensor, from `row` on, float32.
    ///
    /// - Parameter source: at least as many columns; what lies beyond this tensor's is not read
    package func addRows(from row: Int, _ source: Tensor, _ range: Range<Int>) {
        precondition(
            source.columns >= columns && range.lowerBound >= 0 && range.upperBound <= source.rows && row >= 0
                && row + range.count <= rows, "addRows: \(range) of [\(source.rows), \(source.columns)] at \(row)")
        for (place, other) in range.enumerated() {
            let (from, to) = (source.start + other * source.columns, start + (row + place) * columns)
            for i in 0..<columns { to[i] += from[i] }
        }
    }

    /// Subtracts factor · the first `count` values of a row of `source` from those of a row of this tensor, float32.
    package func subtract(_ factor: Float, _ source: Tensor, row other: Int, count: Int, fromRow row: Int) {
        precondition(
            count <= min(columns, source.columns) && (0..<rows).contains(row) && (0..<source.rows).contains(other),
            "subtract: row \(other) of [\(source.rows), \(source.columns)] from row \(row)")
        let (from, to) = (source.start + other * source.columns, start + row * columns)
        for i in 0..<count { to[i] -= factor * from[i] }
    }

    /// Writes the rows of `source`, widened where they are bfloat16, from `row` on. This tensor must be float32.
    package func setRows(from row: Int, to source: Tensor) {
        precondition(
            source.columns == columns && row >= 0 && row + source.rows <= rows, "setRows: [\(source.rows), \(source.columns)] at \(row)")
        WeightMatrix(source).widen(0..<source.count, into: start + row * columns)
    }

    /// Writes row i of `source` to row places[i], float32.
    package func scatterRows(_ source: Tensor, to places: [Int]) {
        precondition(source.columns == columns && source.rows == places.count, "scatterRows: [\(source.rows), \(source.columns)]")
        for (row, place) in places.enumerated() {
            precondition((0..<rows).contains(place), "scatterRows: row \(place) of \(rows)")
            (start + place * columns).update(from: source.start + row * columns, count: columns)
        }
    }

    /// [columns, width] with width ≥ rows, zeros beyond, float32.
    package func transposed(paddedTo width: Int) -> Tensor {
        let result = Tensor.zeros(columns, width)
        let (source, target) = (start, result.start)
        Threads.run(columns, grain: 16) { block in
            for row in 0..<rows {
                for column in block { target[column * width + row] = source[row * columns + column] }
            }
        }
        return result
    }
}
