// Gradients of embeddings by their uses: an input that is the anchor of one row and the candidate of another has two. They grow
// tile by tile and are added to the input's at the end, in the order of the uses.

import Model
import Tensor

/// The gradients of some uses of own inputs. Tasks add to different uses.
final class UseGradient: @unchecked Sendable {
    /// [uses, dimension]
    let dense: Tensor?
    /// [tokens, padded late dimension]
    let late: Tensor?
    /// Rows of `late` of each use.
    let tokens: [Range<Int>]
    private let heads: ScoreHeads
    /// Σ gradient · cosine of each width.                          [widths, uses]
    private let along: Tensor

    /// - Parameter inputs: the input of each use
    init(_ inputs: [Int], _ pool: any EmbeddingSource) {
        heads = pool.heads
        dense = heads.widths.isEmpty ? nil : .zeros(inputs.count, heads.dimension)
        along = .zeros(max(heads.widths.count, 1), max(inputs.count, 1))
        var start = 0
        tokens =
            heads.hasLate
            ? inputs.map { input in
                defer { start += pool.ownRows.tokens[pool.ownPlaces[input]!].count }
                return start..<start + pool.ownRows.tokens[pool.ownPlaces[input]!].count
            } : []
        late = heads.hasLate ? .zeros(start, BlockProduct.padded(pool.ownRows.late!.columns)) : nil
    }

    /// Takes Σ gradient · cosine of a tile.
    func addAlong(_ value: Float, _ head: Int, use: Int) { along[head, use] += value }

    /// Adds each use's gradient to that of its input.
    func add(_ inputs: [Int], to gradient: Embeddings, _ pool: any EmbeddingSource) {
        for (use, input) in inputs.enumerated() {
            let place = pool.ownPlaces[input]!
            if let dense, let target = gradient.dense { addDense(use, dense, pool.ownRows.dense!, place, to: target) }
            guard let late, let target = gradient.late else { continue }
            target.addRows(from: pool.ownRows.tokens[place].lowerBound, late, tokens[use])
        }
    }

    private func addDense(_ use: Int, _ source: Tensor, _ vectors: Tensor, _ place: Int, to target: Tensor) {
        for (head, prefix) in heads.widths.enumerated() where prefix < heads.dimension {
            let inverse = inversePrefixLengths(of: vectors, dimension: prefix, rows: [place])[0]
            source.subtract(along[head, use] * inverse * inverse, vectors, row: place, count: prefix, fromRow: use)
        }
        target.addRows(from: place, source, use..<use + 1)
    }
}
