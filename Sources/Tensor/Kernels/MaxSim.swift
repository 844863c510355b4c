// Late interaction: each token of a query finds its best token of a document, and the products add up (Khattab and Zaharia
// 2020, arXiv:2004.12832). Many queries against many documents, the documents' tokens side by side as one matrix.

/// The tokens of several documents, ready to be searched.
package struct DocumentTokens {
    /// [dimension, padded tokens]
    let transposed: Tensor
    /// The tokens of each document, without gaps from 0 on.        [documents]
    package let ranges: [Range<Int>]

    /// - Parameters:
    ///   - rows: [at least as many as there are tokens, dimension], float32
    ///   - ranges: the rows of each document, without gaps from 0 on; none is empty
    package init(_ rows: Tensor, _ ranges: [Range<Int>]) {
        let tokens = ranges.last?.upperBound ?? 0
        let (columns, width) = (rows.columns, BlockProduct.padded(tokens))
        let transposed = Tensor.zeros(columns, width)
        Threads.run(columns, grain: 16) { block in
            for token in 0..<tokens {
                for column in block { transposed.floats[column * width + token] = rows.floats[token * columns + column] }
            }
        }
        self.transposed = transposed
        self.ranges = ranges
    }
}

/// Where the scores of queries and documents go.
package struct MaxSimScores {
    package let start: UnsafeMutablePointer<Float>
    package let queryStride: Int
    package let documentStride: Int

    package init(_ start: UnsafeMutablePointer<Float>, queryStride: Int, documentStride: Int) {
        self.start = start
        self.queryStride = queryStride
        self.documentStride = documentStride
    }
}

package enum MaxSim {
    /// So many document tokens, and their products with so many query tokens, stay in the second cache: the documents, which
    /// no cache holds, are read from memory once for all of these query tokens.
    private static let blockTokens = 256
    private static let blockRows = 64

    /// score(q, d) = Σ_a max_b q_a · d_b, summed in the order of a: the bits of a pair do not depend on the other queries and
    /// documents, nor on which of the two the caller holds.
    ///
    /// - Parameters:
    ///   - queries: rows of at least the documents' dimension
    ///   - queryTokens: the rows of each query, without gaps
    ///   - best: receives each query token's best token, counted within the document, the lowest on ties:
    ///     [query tokens, documents]
    package static func score(
        _ queries: Tensor, _ queryTokens: [Range<Int>], _ documents: DocumentTokens, into scores: MaxSimScores,
        best: UnsafeMutablePointer<Int32>? = nil
    ) {
        let count = documents.ranges.count
        withUnsafeTemporaryAllocation(of: Float.self, capacity: blockRows * (blockTokens + count) + count) { scratch in
            let products = scratch.baseAddress!
            let maxima = products + blockRows * blockTokens
            let sums = maxima + blockRows * count
            for (query, tokens) in queryTokens.enumerated() {
                sums.update(repeating: 0, count: count)
                for first in stride(from: tokens.lowerBound, to: tokens.upperBound, by: blockRows) {
                    let rows = min(blockRows, tokens.upperBound - first)
                    search(queries, first, rows, documents, products, maxima, best.map { $0 + first * count })
                    for row in 0..<rows {
                        for document in 0..<count { sums[document] += maxima[row * count + document] }
                    }
                }
                for document in 0..<count {
                    scores.start[query * scores.queryStride + document * scores.documentStride] = sums[document]
                }
            }
        }
    }

    /// Maxima over each document's tokens of a few query tokens.   [rows, documents]
    private static func search(
        _ queries: Tensor, _ first: Int, _ rows: Int, _ documents: DocumentTokens, _ products: UnsafeMutablePointer<Float>,
        _ maxima: UnsafeMutablePointer<Float>, _ best: UnsafeMutablePointer<Int32>?
    ) {
        let (count, width) = (documents.ranges.count, documents.transposed.columns)
        let tokens = documents.ranges.last?.upperBound ?? 0
        maxima.update(repeating: -.infinity, count: rows * count)
        var document = 0
        for start in stride(from: 0, to: tokens, by: blockTokens) {
            let end = min(start + blockTokens, tokens)
            BlockProduct.multiply(
                rows: rows, columns: end - start, depth: documents.transposed.rows,
                Strided(queries.floats + first * queries.columns, rowStride: queries.columns), documents.transposed.floats + start,
                bStride: width, into: products, cStride: blockTokens, accumulate: false)
            while document < count {
                let range = documents.ranges[document]
                let part = max(range.lowerBound, start)..<min(range.upperBound, end)
                for row in 0..<rows {
                    let place = row * count + document
                    let (maximum, index) = largest(products + row * blockTokens + part.lowerBound - start, part.count)
                    if maximum > maxima[place] {
                        maxima[place] = maximum
                        best?[place] = Int32(part.lowerBound - range.lowerBound + index)
                    }
                }
                if range.upperBound > end { break }
                document += 1
                if document < count && documents.ranges[document].lowerBound >= end { break }
            }
        }
    }

    /// The largest value and where it stands first. Not a number counts as smallest.
    @inline(__always)
    private static func largest(_ values: UnsafePointer<Float>, _ count: Int) -> (Float, Int) {
        var (maximum, place) = (-Float.infinity, 0)
        var i = 0
        if count >= 16 {
            var (lanes, indices) = (SIMD16<Float>(repeating: -.infinity), SIMD16<Int32>.zero)
            var current = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
            while i &+ 16 <= count {
                let next = UnsafeRawPointer(values + i).loadUnaligned(as: SIMD16<Float>.self)
                let isLarger = next .> lanes
                lanes.replace(with: next, where: isLarger)
                indices.replace(with: current, where: isLarger)
                current &+= SIMD16(repeating: 16)
                i &+= 16
            }
            maximum = lanes.max()
            let candidates = SIMD16<Int32>(repeating: .max).replacing(with: indices, where: lanes .== SIMD16(repeating: maximum))
            place = Int(candidates.min())
        }
        while i < count {
            if values[i] > maximum { (maximum, place) = (values[i], i) }
            i &+= 1
        }
        return (maximum, place)
    }
}
