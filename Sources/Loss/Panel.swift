// Embeddings of a list of inputs as products want them: dense rows and token rows, each padded with zeros to whole vectors,
// and the factors that make unit vectors of prefixes.

import Tensor

/// Embeddings of some inputs.
package struct Panel {
    /// Inputs of a panel at most.
    package static let limit = 256

    /// Number of inputs.
    package let count: Int
    /// [count + 1, padded dimension]; the last row is there to be read over.
    package let dense: Tensor?
    /// 1 / length of each prefix; 1 for whole vectors.             [widths][count]
    let inverseLengths: [[Float]]
    /// [tokens + 1, padded late dimension]
    package let late: Tensor?
    /// Each input's rows of `late`.                                [count]
    package let tokens: [Range<Int>]

    /// Copies the inputs at `places` of `rows`.
    package init(_ rows: EmbeddingRows, _ places: [Int], _ heads: ScoreHeads) {
        count = places.count
        dense = heads.widths.isEmpty ? nil : Self.copy(of: rows.dense!, places.map { $0..<$0 + 1 })
        inverseLengths = heads.widths.map { width in
            width == heads.dimension
                ? Array(repeating: 1, count: places.count) : inversePrefixLengths(of: rows.dense!, dimension: width, rows: places)
        }
        late = heads.hasLate ? Self.copy(of: rows.late!, places.map { rows.tokens[$0] }) : nil
        var start = 0
        tokens =
            heads.hasLate
            ? places.map { place in
                defer { start += rows.tokens[place].count }
                return start..<start + rows.tokens[place].count
            } : []
    }

    /// One of the inputs alone.
    package func only(_ place: Int) -> Panel {
        Panel(
            dense: dense?.rows(place..<place + 2), inverseLengths: inverseLengths.map { [$0[place]] },
            late: late?.rows(tokens[place].lowerBound..<tokens[place].upperBound + 1), tokens: late == nil ? [] : [0..<tokens[place].count])
    }

    private init(dense: Tensor?, inverseLengths: [[Float]], late: Tensor?, tokens: [Range<Int>]) {
        count = 1
        self.dense = dense
        self.inverseLengths = inverseLengths
        self.late = late
        self.tokens = tokens
    }

    /// Rows of whole vectors, and one more to be read over.
    private static func copy(of source: Tensor, _ ranges: [Range<Int>]) -> Tensor {
        source.rows(ranges, paddedTo: BlockProduct.padded(source.columns), spare: 1)
    }
}

/// Embeddings of inputs one after the other: dense rows [inputs, dimension], and token rows [tokens, late dimension].
package struct EmbeddingRows: Sendable {
    /// Dense vectors [inputs, dimension]; nil where none are compared.
    package let dense: Tensor?
    /// Token vectors [tokens, late dimension]; nil where none are compared.
    package let late: Tensor?
    /// Each input's rows of `late`; empty without them.
    package let tokens: [Range<Int>]

    /// Creates the rows of some inputs.
    package init(dense: Tensor?, late: Tensor?, tokens: [Range<Int>]) {
        self.dense = dense
        self.late = late
        self.tokens = tokens
    }
}
