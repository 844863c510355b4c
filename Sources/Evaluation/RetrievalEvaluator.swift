// How well a model retrieves: queries against the documents of a BEIR folder, by single vectors at every Matryoshka width, by
// token vectors, or both. Queries are gathered on every rank; documents are scored by the rank that embeds them, group by group,
// and only the best hits of each rank travel. So memory grows with the queries, not with the corpus.

import Comm
import Data
import Embedding
import Model

/// Evaluates one dataset.
///
///     let evaluator = RetrievalEvaluator(session, adapter, task: "code", prefixes: prefixes, heads: .both)
///     let report = try evaluator.run(dataset, dimensions: [64, 256])
package struct RetrievalEvaluator {
    /// Figures and rankings of an evaluation.
    package struct Report {
        /// One result for each width of the single vectors, then that of the token vectors.
        package let results: [EvaluationResult]
        /// The best documents of each query, in the order of the results.    [results][queries]
        package let rankings: [[RankedList]]
        /// Number of texts that were cut at the limit of tokens.
        package let truncated: Int
    }

    private let embedder: TextEmbedder
    private let task: String
    private let prefixes: (query: String, document: String)

    /// Creates an evaluator of a model with an adapter.
    /// - Parameters:
    ///   - adapter: nil: the bare backbone
    ///   - prefixes: what stands before the texts of queries and of documents
    ///   - heads: what is compared: single vectors by dot product, token vectors by MaxSim
    package init(
        _ session: ModelSession, _ adapter: LoadedAdapter?, task: String, prefixes: (query: String, document: String),
        heads: EmbeddingHeads
    ) {
        embedder = TextEmbedder(session, adapter, heads: heads)
        self.task = task
        self.prefixes = prefixes
    }

    /// Evaluates one dataset. Every rank gets the same report.
    ///
    /// Collective.
    /// - Parameters:
    ///   - dimensions: widths of the single vectors
    ///   - depth: length of the rankings, at least what the metrics look at
    /// - Throws: `UserError` of an image that cannot be read
    package func run(_ dataset: BeirDataset, dimensions: [Int], depth: Int = RetrievalMetric.depth) throws -> Report {
        let queries = try embedder.embed(inputs(dataset.queries.map { ($0.text, $0.image, $0.prompt ?? prefixes.query) }))
        var ranked: [RankedQueries] = []
        if embedder.heads.hasDense {
            ranked += dimensions.map { RankedQueries(dense: queries.texts, dimension: $0, depth: depth) }
        }
        if embedder.heads.hasLate { ranked.append(RankedQueries(late: queries.texts, depth: depth)) }
        let documents = try inputs(dataset.documents.map { ($0.text, $0.image, prefixes.document) })
        let faults = try embedder.embedShare(documents) { group in
            for place in ranked.indices { ranked[place].rank(group, dataset) }
        }

        let rankings = try ranked.map { try merged($0.best, depth: depth) }
        let results = zip(ranked, rankings).map { ranked, ranking in
            EvaluationResult(
                dataset: dataset.name, task: task, mode: ranked.mode, dimension: ranked.dimension, queries: dataset.queries.count,
                metrics: RetrievalMetric.means(of: ranking, dataset.queries.map(\.judgements)))
        }
        return Report(results: results, rankings: rankings, truncated: faults.truncated + queries.faults.truncated)
    }

    /// Texts with their prompt, and images with what their headers say, as the embedder takes them.
    ///
    /// Collective.
    private func inputs(_ contents: [(text: [UInt8], image: String?, prefix: String)]) throws -> [EmbeddingInput] {
        var files = try embedder.session.imageFiles(contents.compactMap(\.image))[...]
        return contents.map { text, image, prefix in
            image == nil ? .text(PromptedText(prefix: prefix, text: text)) : .image(files.removeFirst())
        }
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
            return RankedList([]).merged(with: entries, k: depth)
        }
    }
}
