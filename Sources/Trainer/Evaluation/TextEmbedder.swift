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

/// Texts and what the model made of them.
package struct EmbeddedTexts {
    /// Which texts, ascending.
    package let indices: [Int]
    /// Each one's range of tokens, in order, without gaps; empty for a text without tokens.
    package let segments: [Range<Int>]
    /// Dense: [indices, hidden], zeros for a text without tokens. Late: [tokens, projectorDimension], text after text.
    package let embeddings: Embeddings

    init(indices: [Int], lengths: [Int], embeddings: Embeddings) {
        self.indices = indices
        segments = Self.segments(of: lengths)
        self.embeddings = embeddings
    }

    /// Ranges of these lengths, one after the other.
    static func segments(of lengths: [Int]) -> [Range<Int>] {
        var start = 0
        return lengths.map { length in
            defer { start += length }
            return start..<start + length
        }
    }
}

/// What was found of texts on the way, over all ranks.
package struct TextFaults {
    /// Texts that were cut at the limit.
    package let truncated: Int
    /// Texts without a single token, ascending.
    package let empty: [Int]
}

/// A model and an adapter, over all ranks.
///
///     let (texts, faults) = try TextEmbedder(session, adapter).embed(texts)
package struct TextEmbedder {
    package static let microbatchTokens = 2048
    /// Texts that are dealt to a rank at a time.
    private static let deal = 16
    /// Texts of a group, and their bytes: a token has at least one.
    private static let (groupTexts, groupBytes) = (4096, 1 << 18)

    let session: ModelSession
    let adapter: LoadedAdapter?
    let heads: EmbeddingHeads

    package init(_ session: ModelSession, _ adapter: LoadedAdapter?, heads: EmbeddingHeads = .dense) {
        self.session = session
        self.adapter = adapter
        self.heads = heads
    }

    /// Embeds this rank's share, group by group, so that memory does not grow with the texts.
    ///
    /// Collective.
    /// - Parameter body: gets each group of this rank; not collective
    package func embedShare(_ texts: [PromptedText], _ body: (EmbeddedTexts) -> Void) throws -> TextFaults {
        var (truncated, empty) = (0, [Int]())
        for group in groups(of: share(of: texts), texts) {
            let (embedded, cut) = embed(group, of: texts)
            truncated += cut
            empty += group.indices.filter { embedded.segments[$0].isEmpty }.map { group[$0] }
            body(embedded)
        }
        return try faults(truncated, empty)
    }

    /// Embeds all texts and gives every rank all of them.
    ///
    /// Collective.
    package func embed(_ texts: [PromptedText]) throws -> (texts: EmbeddedTexts, faults: TextFaults) {
        let own = share(of: texts)
        let (share, truncated) = embed(own, of: texts)
        let indices = try session.world.allGatherVariable(own)
        let lengths = try session.world.allGatherVariable(share.segments.map(\.count))
        let order = Array(indices.joined())
        var lengthOfText = [Int](repeating: 0, count: texts.count)
        for (text, length) in zip(order, lengths.joined()) { lengthOfText[text] = length }
        let segments = EmbeddedTexts.segments(of: lengthOfText)

        let dense = try share.embeddings.dense.map { try gathered($0, counts: indices.map(\.count), to: order) }
        let late = try share.embeddings.late.map { late in
            try gathered(late, counts: lengths.map { $0.reduce(0, +) }, to: order.flatMap { segments[$0] })
        }
        let all = EmbeddedTexts(
            indices: Array(texts.indices), lengths: lengthOfText, embeddings: Embeddings(dense: dense, late: late))
        return (all, try faults(truncated, own.indices.filter { share.segments[$0].isEmpty }.map { own[$0] }))
    }

    /// Tokens of each text, cut at the limit.
    ///
    /// Collective.
    package func tokenCounts(_ texts: [PromptedText]) throws -> (counts: [Int], faults: TextFaults) {
        let own = share(of: texts)
        let (ids, truncated) = encode(own.map { texts[$0] })
        let indices = try session.world.allGatherVariable(own)
        var counts = [Int](repeating: 0, count: texts.count)
        for (text, count) in zip(indices.joined(), try session.world.allGatherVariable(ids.map(\.count)).joined()) { counts[text] = count }
        return (counts, try faults(truncated, own.indices.filter { ids[$0].isEmpty }.map { own[$0] }))
    }

    private func faults(_ truncated: Int, _ empty: [Int]) throws -> TextFaults {
        TextFaults(
            truncated: try session.world.allGather(truncated).reduce(0, +),
            empty: try session.world.allGatherVariable(empty).joined().sorted())
    }

    /// The rows of all ranks in another order.
    ///
    /// - Parameters:
    ///   - counts: rows of each rank
    ///   - places: where each row goes, rank after rank
    private func gathered(_ own: Tensor, counts: [Int], to places: [Int]) throws -> Tensor {
        let width = own.columns
        let (gathered, rows) = (Tensor(places.count, width), Tensor(places.count, width))
        defer { withExtendedLifetime(gathered) {} }
        try session.world.allGather(
            UnsafeBufferPointer(start: own.floats, count: own.count), counts: counts.map { $0 * width },
            into: UnsafeMutableBufferPointer(start: gathered.floats, count: gathered.count))
        rows.scatterRows(gathered, to: places)
        return rows
    }

    private func embed(_ own: [Int], of texts: [PromptedText]) -> (EmbeddedTexts, truncated: Int) {
        let (ids, truncated) = encode(own.map { texts[$0] })
        let (lengths, config) = (ids.map(\.count), session.model.config)
        let segments = EmbeddedTexts.segments(of: lengths)
        let dense = heads.hasDense ? Tensor.zeros(own.count, config.text.hiddenSize) : nil
        let late = heads.hasLate ? Tensor(lengths.reduce(0, +), config.projectorDimension) : nil
        for batch in microbatches(ids) {
            let made = session.model.embed(PackedTokens(batch.map { ids[$0] }), adapter, heads: heads)
            dense?.scatterRows(made.dense!, to: batch)
            late?.scatterRows(made.late!, to: batch.flatMap { segments[$0] })
        }
        return (EmbeddedTexts(indices: own, lengths: lengths, embeddings: Embeddings(dense: dense, late: late)), truncated)
    }

    /// Longest texts first, dealt round; then in the order of the texts.
    private func share(of texts: [PromptedText]) -> [Int] {
        let (rank, worldSize) = (session.world.rank, session.world.worldSize)
        let order = texts.indices.sorted { (texts[$1].text.count, $0) < (texts[$0].text.count, $1) }
        return order.indices.filter { $0 / Self.deal % worldSize == rank }.map { order[$0] }.sorted()
    }

    /// Runs of a rank's texts that are embedded and given away together.
    private func groups(of own: [Int], _ texts: [PromptedText]) -> [[Int]] {
        var (groups, bytes): ([[Int]], Int) = ([], 0)
        for text in own {
            bytes += texts[text].text.count
            if groups.isEmpty || groups[groups.count - 1].count == Self.groupTexts || bytes > Self.groupBytes {
                groups.append([])
                bytes = texts[text].text.count
            }
            groups[groups.count - 1].append(text)
        }
        return groups
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
