// The float32 products of frozen weights, by OpenBLAS: one thread a call, rows cut into fixed blocks over our own pool.
//
// A row's bits must not depend on how many rows share its block. OpenBLAS keeps that at every shape with
// rows × columns × depth above 10⁶; at or below it takes a small-matrix path with other bits, so such blocks are filled
// up with zero rows to the first count above it.

import COpenBLAS

/// Products with float32 operands and results.
enum OpenBLAS {
    /// Rows of a block at least: OpenBLAS packs the weights once more for every block.
    private static let blockRows = 128
    private static let smallMatrixLimit = 1_000_000

    private static let singleThreaded: Void = openblas_set_num_threads(1)

    /// target[rows, columns] (+)= source[rows, depth] · weights
    ///
    /// - Parameter transposed: weights lie as [columns, depth], not as [depth, columns]
    static func multiply(
        rows: Int, columns: Int, depth: Int, transposed: Bool, accumulate: Bool,
        _ source: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>
    ) {
        _ = singleThreaded
        let fewest = smallMatrixLimit / (columns * depth) + 1
        let share = (rows + Threads.count - 1) / Threads.count
        Threads.run(rows, grain: max(blockRows, fewest, share)) { block in
            let (from, to) = (source + block.lowerBound * depth, target + block.lowerBound * columns)
            func product(_ count: Int, _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>) {
                cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, blasint(count), blasint(columns),
                    blasint(depth), 1, source, blasint(depth), weights, blasint(transposed ? depth : columns),
                    accumulate ? 1 : 0, target, blasint(columns))
            }
            guard block.count < fewest else { return product(block.count, from, to) }
            let filled = Tensor.zeros(fewest, depth)
            let result = Tensor.zeros(fewest, columns)
            filled.floats.update(from: from, count: block.count * depth)
            if accumulate { result.floats.update(from: to, count: block.count * columns) }
            product(fewest, filled.floats, result.floats)
            to.update(from: result.floats, count: block.count * columns)
            withExtendedLifetime((filled, result)) {}
        }
    }
}
