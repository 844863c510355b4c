// Late interaction: each token of a query finds its best token of a document, and the products add up (Khattab and Zaharia
// 2020, arXiv:2004.12832). Many queries against many documents, the documents' tokens side by side as one matrix.

/// The tokens of several documents, ready to be searched.
package struct DocumentTokens {
    /// [dimension, padded tokens]
    let transposed: Tensor
    /// The tokens of each document, without gaps from 0 on.        [documents]
    package let ranges: [Range<Int>]

    /// Lays out the tokens of some documents, to be searched.
    ///
    /// - Parameters:
    ///   - rows: [at least as many as there are tokens, dimension], float32
    ///   - ranges: the rows of each document, without gaps from 0 on; none is empty
    package init(_ rows: Tensor, _ ranges: [Range<Int>]) {
        let tokens = ranges.last?.upperBound ?? 0
        precondition(tokens <= rows.rows, "DocumentTokens: \(tokens) of \(rows.rows)")
        let (columns, width) = (rows.columns, BlockProduct.padded(tokens))
        let transposed = Tensor.zeros(columns, width)
        Threads.run(columns, grain: 16) { block in
            for token in 0..<tokens {
                for column in block { transposed.start[column * width + token] = rows.start[token * columns + column] }
            }
        }
        self.transposed = transposed
        self.ranges = ranges
    }
}

/// Where the scores of queries and documents go: that of query q and document d to element
/// `offset + q · queryStride + d · documentStride` of a tensor, counted row by row.
package struct MaxSimScores {
    let target: Tensor
    let offset: Int
    let queryStride: Int
    let documentStride: Int

    /// Names elements of `target`, float32.
    package init(_ target: Tensor, from offset: Int = 0, queryStride: Int, documentStride: Int) {
        self.target = target
        self.offset = offset
        self.queryStride = queryStride
        self.documentStride = documentStride
    }

    /// The first score, once it is certain that the last lies within the tensor.
    func start(queries: Int, documents: Int) -> UnsafeMutablePointer<Float> {
        let last = offset + (queries - 1) * queryStride + (documents - 1) * documentStride
        precondition(
            queries == 0 || documents == 0 || offset >= 0 && min(queryStride, documentStride) > 0 && last < target.count,
            "MaxSim: [\(queries), \(documents)] scores from \(offset) in \(target.count) elements")
        return target.start + offset
    }
}

/// Scores of token vectors against token vectors.
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
    package static func score(_ queries: Tensor, _ queryTokens: [Range<Int>], _ documents: DocumentTokens, into scores: MaxSimScores) {
        score(queries, queryTokens, documents, into: scores, best: nil)
    }

    /// The same with each query token's best token, counted within the document, the lowest on ties.
    ///
    /// - Returns: [query tokens, documents]
    package static func scoreAndFind(
        _ queries: Tensor, _ queryTokens: [Range<Int>], _ documents: DocumentTokens, into scores: MaxSimScores
    ) -> [Int32] {
        let tokens = queryTokens.last?.upperBound ?? 0
        return [Int32](unsafeUninitializedCapacity: tokens * documents.ranges.count) { best, initialized in
            best.initialize(repeating: 0)
            score(queries, queryTokens, documents, into: scores, best: best.baseAddress)
            initialized = best.count
        }
    }

    private static func score(
        _ queries: Tensor, _ queryTokens: [Range<Int>], _ documents: DocumentTokens, into scores: MaxSimScores,
        best: UnsafeMutablePointer<Int32>?
    ) {
        let count = documents.ranges.count
        let target = scores.start(queries: queryTokens.count, documents: count)
        precondition(
            queries.columns >= documents.transposed.rows
                && queryTokens.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= queries.rows },
            "MaxSim: queries [\(queries.rows), \(queries.columns)] for tokens of \(documents.transposed.rows)")
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
                    target[query * scores.queryStride + document * scores.documentStride] = sums[document]
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
                Strided(queries.start + first * queries.columns, rowStride: queries.columns), documents.transposed.start + start,
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
