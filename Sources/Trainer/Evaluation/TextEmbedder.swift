// Embeds any number of texts over all ranks, without padding: longest first, so that microbatches are full and ranks finish
// together. An embedding's bits do not depend on who makes it or on what is packed beside it.

import Comm
import Model
import Tensor

/// A text with the prompt that stands before it.
package struct PromptedText: Sendable {
    package let prefix: String
    package let text: [UInt8]

    package init(prefix: String, text: [UInt8]) {
        self.prefix = prefix
        self.text = text
    }
}

/// The embeddings that one rank made.
package struct EmbeddingShare {
    /// Which texts, ascending.
    package let indices: [Int]
    /// [indices, hidden]; zeros for a text without tokens
    package let embeddings: Tensor
    /// Texts that were cut at the limit, over all ranks.
    package let truncated: Int
    /// Texts without a single token, over all ranks.
    package let empty: [Int]
}

/// A model and an adapter, over all ranks.
///
///     let (embeddings, truncated, empty) = try TextEmbedder(session, adapter).embed(texts)
package struct TextEmbedder {
    package static let microbatchTokens = 2048
    /// Texts that are dealt to a rank at a time.
    private static let deal = 16

    let session: ModelSession
    let adapter: LoadedAdapter?

    package init(_ session: ModelSession, _ adapter: LoadedAdapter?) {
        self.session = session
        self.adapter = adapter
    }

    /// Embeds this rank's share.
    ///
    /// Collective.
    package func embedShare(_ texts: [PromptedText]) throws -> EmbeddingShare {
        let own = share(of: texts)
        let (ids, truncated) = encode(own.map { texts[$0] })
        let embeddings = Tensor.zeros(own.count, session.model.config.text.hiddenSize)
        for batch in microbatches(ids) {
            embeddings.scatterRows(session.model.embed(PackedTokens(batch.map { ids[$0] }), adapter), to: batch)
        }
        let empty = ids.indices.filter { ids[$0].isEmpty }.map { own[$0] }
        return EmbeddingShare(
            indices: own, embeddings: embeddings, truncated: try session.world.allGather(truncated).reduce(0, +),
            empty: try session.world.allGatherVariable(empty).joined().sorted())
    }

    /// Embeds all texts and gives every rank all of them.         [texts, hidden]
    ///
    /// Collective.
    package func embed(_ texts: [PromptedText]) throws -> (embeddings: Tensor, truncated: Int, empty: [Int]) {
        let share = try embedShare(texts)
        defer { withExtendedLifetime(share) {} }
        let world = session.world
        let indices = try world.allGatherVariable(share.indices)
        let width = share.embeddings.columns
        let gathered = Tensor(texts.count, width)
        try world.allGather(
            UnsafeBufferPointer(start: share.embeddings.floats, count: share.embeddings.count), counts: indices.map { $0.count * width },
            into: UnsafeMutableBufferPointer(start: gathered.floats, count: gathered.count))
        let embeddings = Tensor(texts.count, width)
        embeddings.scatterRows(gathered, to: Array(indices.joined()))
        return (embeddings, share.truncated, share.empty)
    }

    /// Longest texts first, dealt round; then in the order of the texts.
    private func share(of texts: [PromptedText]) -> [Int] {
        let (rank, worldSize) = (session.world.rank, session.world.worldSize)
        let order = texts.indices.sorted { (texts[$1].text.count, $0) < (texts[$0].text.count, $1) }
        return order.indices.filter { $0 / Self.deal % worldSize == rank }.map { order[$0] }.sorted()
    }

    private func encode(_ texts: [PromptedText]) -> (ids: [[Int32]], truncated: Int) {
        var results = [TextProcessor.Encoded?](repeating: nil, count: texts.count)
        results.withUnsafeMutableBufferPointer { results in
            nonisolated(unsafe) let results = results
            Threads.run(texts.count, grain: 8) { block in
                for i in block { results[i] = session.processor.encode(texts[i].text, prefix: texts[i].prefix) }
            }
        }
        return (results.map { $0!.ids }, results.count { $0!.isTruncated })
    }

    /// Texts that have tokens, longest first, as many at a time as fit.
    private func microbatches(_ ids: [[Int32]]) -> [[Int]] {
        var batches: [[Int]] = []
        var tokens = 0
        for text in ids.indices.sorted(by: { (ids[$1].count, $0) < (ids[$0].count, $1) }) where !ids[text].isEmpty {
            if batches.isEmpty || tokens + ids[text].count > Self.microbatchTokens {
                batches.append([])
                tokens = 0
            }
            batches[batches.count - 1].append(text)
            tokens += ids[text].count
        }
        return batches
    }
}
