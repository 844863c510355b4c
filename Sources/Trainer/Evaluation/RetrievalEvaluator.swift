// How well a model retrieves: queries against the documents of a BEIR folder, at every Matryoshka width.
// Documents stay with the rank that embedded them; queries and the best hits of each rank are gathered.

import Comm
import Model
import Tensor

/// Evaluates one dataset.
///
///     let report = try RetrievalEvaluator(session, adapter, task: "code").run(dataset, dimensions: [64, 256])
package struct RetrievalEvaluator {
    /// What an evaluation found.
    package struct Report {
        /// One a width.
        package let results: [EvaluationResult]
        /// Best documents of each query, by width.                 [widths][queries]
        package let rankings: [[RankedList]]
        /// Texts that were cut at the limit of tokens.
        package let truncated: Int
    }

    private let embedder: TextEmbedder
    private let task: String
    private let prefixes: (query: String, document: String)

    /// Queries scored at a time.
    private static let queryBlock = 64

    package init(_ session: ModelSession, _ adapter: LoadedAdapter?, task: String, prefixes: (query: String, document: String)) {
        embedder = TextEmbedder(session, adapter)
        self.task = task
        self.prefixes = prefixes
    }

    /// Collective. Every rank gets the same report.
    ///
    /// - Parameter depth: length of the rankings, at least what the metrics look at
    package func run(_ dataset: BeirDataset, dimensions: [Int], depth: Int = RetrievalMetric.depth) throws -> Report {
        let documents = try embedder.embedShare(dataset.documents.map { PromptedText(prefix: prefixes.document, text: $0.text) })
        let queries = try embedder.embed(dataset.queries.map { PromptedText(prefix: prefixes.query, text: $0.text) })
        var (results, rankings): ([EvaluationResult], [[RankedList]]) = ([], [])
        for dimension in dimensions {
            let local = best(
                queries: normalizedPrefix(of: queries.embeddings, dimension: dimension),
                documents: normalizedPrefix(of: documents.embeddings, dimension: dimension), documents.indices, dataset, depth)
            let ranking = try merged(local, depth: depth)
            rankings.append(ranking)
            results.append(
                EvaluationResult(
                    dataset: dataset.name, task: task, dimension: dimension, queries: dataset.queries.count,
                    metrics: RetrievalMetric.means(of: ranking, grades: dataset.queries.map(\.grades))))
        }
        return Report(results: results, rankings: rankings, truncated: documents.truncated + queries.truncated)
    }

    /// The best of this rank's documents for each query.           [queries]
    private func best(queries: Tensor, documents: Tensor, _ indices: [Int], _ dataset: BeirDataset, _ depth: Int) -> [RankedList] {
        let (count, dimension) = (documents.rows, documents.columns)
        guard count > 0 else { return dataset.queries.map { _ in RankedList([]) } }
        let columns = documents.transposed(paddedTo: BlockProduct.padded(count))
        let places = Dictionary(uniqueKeysWithValues: indices.enumerated().map { ($1, $0) })
        var lists = [RankedList](repeating: RankedList([]), count: queries.rows)
        lists.withUnsafeMutableBufferPointer { lists in
            nonisolated(unsafe) let lists = lists
            Threads.run(queries.rows, grain: Self.queryBlock) { block in
                let scores = Tensor(block.count, count)
                BlockProduct.multiply(
                    rows: block.count, columns: count, depth: dimension,
                    Strided(queries.floats + block.lowerBound * dimension, rowStride: dimension), columns.floats,
                    bStride: columns.columns, into: scores.floats, cStride: count, accumulate: false)
                for (row, query) in block.enumerated() {
                    let line = UnsafeBufferPointer(start: scores.floats + row * count, count: count)
                    let own = dataset.queries[query].ownDocument.flatMap { places[$0] }
                    let list = topK(scores: line, k: depth, excluding: own)
                    lists[query] = RankedList(list.entries.map { RankedList.Entry(document: indices[$0.document], score: $0.score) })
                }
                withExtendedLifetime(scores) {}
            }
        }
        return lists
    }

    /// The best over all ranks: by score, then corpus order.       [queries]
    private func merged(_ local: [RankedList], depth: Int) throws -> [RankedList] {
        let world = embedder.session.world
        let lengths = try world.allGatherVariable(local.map(\.entries.count))
        let documents = try world.allGatherVariable(local.flatMap { $0.entries.map(\.document) })
        let scores = try world.allGatherVariable(local.flatMap { $0.entries.map(\.score) })
        var next = [Int](repeating: 0, count: world.worldSize)
        return local.indices.map { query in
            var entries: [RankedList.Entry] = []
            for rank in 0..<world.worldSize {
                for place in next[rank]..<next[rank] + lengths[rank][query] {
                    entries.append(RankedList.Entry(document: documents[rank][place], score: scores[rank][place]))
                }
                next[rank] += lengths[rank][query]
            }
            entries.sort { $0.score != $1.score ? $0.score > $1.score : $0.document < $1.document }
            return RankedList(Array(entries.prefix(depth)))
        }
    }
}
