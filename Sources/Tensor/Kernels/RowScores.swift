// Scores of single vectors: the dot products of some rows with all columns of a panel.

/// Scores of some rows of `queries` with the first `count` columns of `panel`, each one chain of fused multiply-adds in the
/// order of the dimensions.
///
/// - Parameters:
///   - queries: [queries, dimension], float32
///   - panel: [dimension, at least `count` padded to whole vectors], float32: documents as columns
/// - Returns: [rows, count]
package func rowScores(_ queries: Tensor, _ rows: Range<Int>, _ panel: Tensor, count: Int) -> Tensor {
    precondition(
        panel.rows == queries.columns && panel.columns >= BlockProduct.padded(count) && rows.lowerBound >= 0
            && rows.upperBound <= queries.rows,
        "rowScores: rows \(rows) of [\(queries.rows), \(queries.columns)] × [\(panel.rows), \(panel.columns)]")
    let scores = Tensor(rows.count, count)
    BlockProduct.multiply(
        rows: rows.count, columns: count, depth: queries.columns,
        Strided(queries.start + rows.lowerBound * queries.columns, rowStride: queries.columns), panel.start, bStride: panel.columns,
        into: scores.start, cStride: count, accumulate: false)
    return scores
}
