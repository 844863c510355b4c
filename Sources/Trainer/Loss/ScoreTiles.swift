// Products of embeddings against embeddings, tile by tile, in memory that does not grow with the pool. An element's bits do
// not depend on its tile, nor on which side it was asked from (see BlockProduct), so any rank computes the same score.

import Tensor

/// The gathered embeddings of a step.
struct EmbeddingPool {
    /// [inputs, dimension], in the order of the gather
    let embeddings: Tensor
    /// Row of each input of the plan.
    let rows: [Int]

    var dimension: Int { embeddings.columns }

    func embedding(_ input: Int) -> UnsafePointer<Float> {
        UnsafePointer(embeddings.floats + rows[input] * dimension)
    }
}

/// Columns of a tile, and rows of a task of the thread pool.
private let tileColumns = 256
private let taskRows = 32

extension EmbeddingPool {
    /// Calls `body` for scores of `rows` against `columns`, tile after tile in column order.
    ///
    /// - Parameters:
    ///   - rows, columns: inputs of the plan
    ///   - body: (range of rows, range of columns, scores [rows, 256], embeddings of the columns [columns, width]); called from
    ///     several threads, for one row always in the order of the columns. It may overwrite the scores.
    func forEachTile(
        rows: [Int], columns: [Int],
        _ body: (_ rows: Range<Int>, _ columns: Range<Int>, _ scores: UnsafeMutablePointer<Float>, _ embeddings: Panel) -> Void
    ) {
        guard !rows.isEmpty else { return }
        let left = Panel(self, rows)
        for start in stride(from: 0, to: columns.count, by: tileColumns) {
            let range = start..<min(start + tileColumns, columns.count)
            let right = Panel(self, Array(columns[range]))
            let transposed = right.tensor.transposed(paddedTo: tileColumns)
            Threads.run(rows.count, grain: taskRows) { block in
                withUnsafeTemporaryAllocation(of: Float.self, capacity: block.count * tileColumns) { scores in
                    BlockProduct.multiply(
                        rows: block.count, columns: range.count, depth: dimension,
                        Strided(left.start + block.lowerBound * left.width, rowStride: left.width), transposed.floats,
                        bStride: tileColumns, into: scores.baseAddress!, cStride: tileColumns, accumulate: false)
                    body(block, range, scores.baseAddress!, right)
                }
            }
        }
    }

    /// Floats between two rows of the scores that `forEachTile` gives.
    static var scoreStride: Int { tileColumns }
}

/// Embeddings of a list of inputs as dense rows, padded with zeros to whole vectors.
struct Panel {
    let tensor: Tensor
    let dimension: Int

    var width: Int { tensor.columns }
    var start: UnsafePointer<Float> { UnsafePointer(tensor.floats) }

    init(_ pool: EmbeddingPool, _ inputs: [Int]) {
        dimension = pool.dimension
        let width = BlockProduct.padded(dimension)
        let rows = width == dimension ? Tensor(inputs.count, width) : .zeros(inputs.count, width)
        Threads.run(inputs.count, grain: 64) { block in
            for row in block { (rows.floats + row * width).update(from: pool.embedding(inputs[row]), count: pool.dimension) }
        }
        tensor = rows
    }

    /// target [rows, dimension] += weights [rows, inputs] · embeddings
    func add(weights: UnsafePointer<Float>, rows: Int, to target: UnsafeMutablePointer<Float>) {
        BlockProduct.multiply(
            rows: rows, columns: dimension, depth: tensor.rows, Strided(weights, rowStride: EmbeddingPool.scoreStride), start,
            bStride: width, into: target, cStride: dimension, accumulate: true)
    }
}
