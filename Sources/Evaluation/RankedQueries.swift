// A group of documents against blocks of queries: dot products of single vectors, or MaxSim of token vectors.

import Embedding
import Model
import Tensor

/// The query side of a comparison, and its best documents so far.
struct RankedQueries {
    let mode: EvaluationResult.Mode
    /// Width of the vectors that are compared.
    let dimension: Int
    /// Dense: unit prefixes, [queries, dimension]. Late: [tokens, dimension].
    private let vectors: Tensor
    private let segments: [Range<Int>]
    /// Length of the rankings.
    private let depth: Int
    /// The best documents of each query so far.    [queries]
    private(set) var best: [RankedList]

    /// Takes single vectors, cut to a Matryoshka width.
    init(dense queries: EmbeddedTexts, dimension: Int, depth: Int) {
        self.init(.dense, normalizedPrefix(of: queries.embeddings.dense!, dimension: dimension), queries, depth)
    }

    /// Takes token vectors.
    init(late queries: EmbeddedTexts, depth: Int) {
        self.init(.late, queries.embeddings.late!, queries, depth)
    }

    private init(_ mode: EvaluationResult.Mode, _ vectors: Tensor, _ queries: EmbeddedTexts, _ depth: Int) {
        (self.mode, self.vectors, self.depth) = (mode, vectors, depth)
        dimension = vectors.columns
        segments = queries.segments
        best = segments.map { _ in RankedList([]) }
    }

    /// Scores a group of documents, and keeps in each ranking the best of them and of those before.
    mutating func rank(_ documents: EmbeddedTexts, _ dataset: BeirDataset) {
        let panel = DocumentPanel(documents, mode, dimension: dimension)
        guard !panel.indices.isEmpty else { return }
        let places = Dictionary(uniqueKeysWithValues: panel.indices.enumerated().map { ($1, $0) })
        let (vectors, segments, best) = (vectors, segments, best)
        let grain = mode == .dense ? 64 : 16
        let ranked = Threads.map((segments.count + grain - 1) / grain, grain: 1) { number in
            let block = number * grain..<min((number + 1) * grain, segments.count)
            let scores = panel.scores(vectors, segments, block)
            return block.enumerated().map { row, query in
                let own = dataset.queries[query].ownDocument.flatMap { places[$0] }
                let found = topK(scores: scores.row(row), k: depth, excluding: own).entries.lazy.map {
                    RankedList.Entry(document: panel.indices[$0.document], score: $0.score)
                }
                return best[query].merged(with: found, k: depth)
            }
        }
        self.best = Array(ranked.joined())
    }
}

/// Documents laid out for the products that score them. A score's bits do not depend on the group it is made in.
private struct DocumentPanel {
    private enum Layout {
        /// Single vectors, a column a document.    [dimension, padded documents]
        case dense(Tensor)
        /// Token vectors: documents whose tokens a near cache holds together, each tile with the place of its first.
        case late([(tokens: DocumentTokens, first: Int)])
    }

    /// Indices of the documents, ascending. A document without tokens has no late vectors to be found by.
    let indices: [Int]
    private let layout: Layout

    /// The most tokens of a tile, unless one document has more.
    private static let tileTokens = 1024

    init(_ documents: EmbeddedTexts, _ mode: EvaluationResult.Mode, dimension: Int) {
        switch mode {
        case .dense:
            indices = documents.indices
            let prefixes = normalizedPrefix(of: documents.embeddings.dense!, dimension: dimension)
            layout = .dense(prefixes.transposed(paddedTo: BlockProduct.padded(prefixes.rows)))
        case .late:
            let places = documents.segments.indices.filter { !documents.segments[$0].isEmpty }
            indices = places.map { documents.indices[$0] }
            layout = .late(Self.tiles(documents.embeddings.late!, places.map { documents.segments[$0] }))
        }
    }

    private static func tiles(_ late: Tensor, _ segments: [Range<Int>]) -> [(tokens: DocumentTokens, first: Int)] {
        var (tiles, first): ([(tokens: DocumentTokens, first: Int)], Int) = ([], 0)
        for document in segments.indices {
            let (start, isLast) = (segments[first].lowerBound, document + 1 == segments.count)
            guard isLast || segments[document + 1].upperBound - start > tileTokens else { continue }
            let ranges = segments[first...document].map { $0.lowerBound - start..<$0.upperBound - start }
            tiles.append((DocumentTokens(late.rows(start..<segments[document].upperBound), ranges), first))
            first = document + 1
        }
        return tiles
    }

    /// The scores of a block of queries with all documents.        [block, documents]
    func scores(_ queries: Tensor, _ segments: [Range<Int>], _ block: Range<Int>) -> Tensor {
        switch layout {
        case .dense(let columns): return rowScores(queries, block, columns, count: indices.count)
        case .late(let tiles):
            let scores = Tensor(block.count, indices.count)
            for tile in tiles {
                MaxSim.score(
                    queries, Array(segments[block]), tile.tokens,
                    into: MaxSimScores(scores, from: tile.first, queryStride: indices.count, documentStride: 1))
            }
            return scores
        }
    }
}
