// Embeds any number of texts and images over all ranks, without padding: longest first, so that microbatches are full and ranks
// finish together. An embedding's bits do not depend on who makes it or on what is packed beside it.

import Comm
import Data
import Files
import Model
import Tensor

/// A text with the prompt that stands before it.
package struct PromptedText: Sendable {
    /// What stands before the text.
    package let prefix: String
    /// The text in UTF-8.
    package let text: [UInt8]

    /// Creates a text with its prompt.
    package init(prefix: String, text: [UInt8]) {
        self.prefix = prefix
        self.text = text
    }
}

/// An input to embed: a text, or an image, which has no prompt of its own.
package enum EmbeddingInput: Sendable {
    case text(PromptedText)
    case image(ImageFile)

    /// The measure by which inputs are shared out: a text's bytes; of an image, whose tokens go through the vision tower first, eight a
    /// token. At least as many as it has tokens.
    fileprivate var size: Int {
        switch self {
        case .text(let text): text.text.count
        case .image(let image): 8 * image.tokens
        }
    }
}

/// Inputs and what the model made of them.
package struct EmbeddedTexts {
    /// Indices of the inputs, ascending.
    package let indices: [Int]
    /// The range of tokens of each input, in order, without gaps; empty for a text without tokens.
    package let segments: [Range<Int>]
    /// The vectors. Dense: [indices, hidden], zeros for a text without tokens. Late: [tokens, projectorDimension], text after text.
    package let embeddings: Embeddings

    /// Creates the embeddings of some inputs, one after the other.
    package init(indices: [Int], lengths: [Int], embeddings: Embeddings) {
        self.indices = indices
        segments = lengths.consecutiveRanges
        self.embeddings = embeddings
    }
}

/// Texts that were cut, and texts without tokens, over all ranks. Images are never cut and never empty.
package struct TextFaults {
    /// Number of texts that were cut at the limit.
    package let truncated: Int
    /// Indices of the texts without a single token, ascending.
    package let empty: [Int]
}

/// A model and an adapter, over all ranks.
///
///     let (texts, faults) = try TextEmbedder(session, adapter).embed(texts)
package struct TextEmbedder {
    /// Tokens that go through the layers together.
    package static let microbatchTokens = 2048
    /// Number of inputs that are dealt to a rank at a time.
    private static let deal = 16
    /// The most inputs of a group, and the most that their sizes add up to.
    private static let (groupInputs, groupSize) = (4096, 1 << 18)

    /// The model on all ranks.
    package let session: ModelSession
    /// The adapter; nil: the backbone alone.
    package let adapter: LoadedAdapter?
    /// The vectors that are made.
    package let heads: EmbeddingHeads

    /// Creates an embedder.
    package init(_ session: ModelSession, _ adapter: LoadedAdapter?, heads: EmbeddingHeads = .dense) {
        self.session = session
        self.adapter = adapter
        self.heads = heads
    }

    /// Embeds this rank's share, group by group, so that memory does not grow with the inputs.
    ///
    /// Collective.
    /// - Parameter body: gets each group of this rank; not collective
    /// - Throws: `UserError` of an image that cannot be decoded
    package func embedShare(_ inputs: [EmbeddingInput], _ body: (EmbeddedTexts) -> Void) throws -> TextFaults {
        let (truncated, empty) = try session.world.together { () throws -> (Int, [Int]) in
            var (truncated, empty) = (0, [Int]())
            for group in groups(of: share(of: inputs), inputs) {
                let (embedded, cut) = try embed(group, of: inputs)
                truncated += cut
                empty += group.indices.filter { embedded.segments[$0].isEmpty }.map { group[$0] }
                body(embedded)
            }
            return (truncated, empty)
        }
        return try faults(truncated, empty)
    }

    /// Embeds all inputs and gives every rank all of them.
    ///
    /// Collective.
    /// - Throws: `UserError` of an image that cannot be decoded
    package func embed(_ inputs: [EmbeddingInput]) throws -> (texts: EmbeddedTexts, faults: TextFaults) {
        let own = share(of: inputs)
        let (share, truncated) = try session.world.together { () throws -> (EmbeddedTexts, Int) in try embed(own, of: inputs) }
        let indices = try session.world.allGatherVariable(own)
        let lengths = try session.world.allGatherVariable(share.segments.map(\.count))
        let order = Array(indices.joined())
        var lengthOfInput = [Int](repeating: 0, count: inputs.count)
        for (input, length) in zip(order, lengths.joined()) { lengthOfInput[input] = length }
        let segments = lengthOfInput.consecutiveRanges

        let dense = try share.embeddings.dense.map { try gathered($0, counts: indices.map(\.count), to: order) }
        let late = try share.embeddings.late.map { late in
            try gathered(late, counts: lengths.map { $0.reduce(0, +) }, to: order.flatMap { segments[$0] })
        }
        let all = EmbeddedTexts(
            indices: Array(inputs.indices), lengths: lengthOfInput, embeddings: Embeddings(dense: dense, late: late))
        return (all, try faults(truncated, own.indices.filter { share.segments[$0].isEmpty }.map { own[$0] }))
    }

    /// Embeds texts; see `embed(_:)` of inputs. Collective.
    package func embed(_ texts: [PromptedText]) throws -> (texts: EmbeddedTexts, faults: TextFaults) {
        try embed(texts.map { .text($0) })
    }

    /// The number of tokens of each input, cut at the limit.    [inputs]
    ///
    /// Collective.
    package func tokenCounts(_ inputs: [EmbeddingInput]) throws -> (counts: [Int], faults: TextFaults) {
        let own = share(of: inputs)
        let (encoded, truncated) = encode(own.map { inputs[$0] })
        let indices = try session.world.allGatherVariable(own)
        let lengths = try session.world.allGatherVariable(encoded.map(\.tokens))
        var counts = [Int](repeating: 0, count: inputs.count)
        for (input, count) in zip(indices.joined(), lengths.joined()) { counts[input] = count }
        return (counts, try faults(truncated, own.indices.filter { encoded[$0].tokens == 0 }.map { own[$0] }))
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
        try gathered.withMutableFloats { try session.world.allGather(own.floats, counts: counts.map { $0 * width }, into: &$0) }
        rows.scatterRows(gathered, to: places)
        return rows
    }

    private func embed(_ own: [Int], of inputs: [EmbeddingInput]) throws(UserError) -> (EmbeddedTexts, truncated: Int) {
        let (encoded, truncated) = encode(own.map { inputs[$0] })
        let (lengths, config) = (encoded.map(\.tokens), session.model.config)
        let segments = lengths.consecutiveRanges
        let dense = heads.hasDense ? Tensor.zeros(own.count, config.text.hiddenSize) : nil
        let late = heads.hasLate ? Tensor(lengths.reduce(0, +), config.projectorDimension) : nil
        let batches = microbatches(lengths)
        let decoding = session.images?.decoding(batches.joined().compactMap { encoded[$0].image })
        for batch in batches {
            let inputs = batch.map { encoded[$0] }
            let features = try session.images?.features(of: inputs.count { $0.image != nil }, from: decoding!) ?? []
            let tokens = PackedTokens(inputs.sequences(features, session.images?.reader.prompt))
            let made = session.model.embed(tokens, adapter, heads: heads)
            dense?.scatterRows(made.dense!, to: batch)
            late?.scatterRows(made.late!, to: batch.flatMap { segments[$0] })
        }
        return (EmbeddedTexts(indices: own, lengths: lengths, embeddings: Embeddings(dense: dense, late: late)), truncated)
    }

    /// Longest inputs first, dealt round; then in the order of the inputs.
    private func share(of inputs: [EmbeddingInput]) -> [Int] {
        let (rank, worldSize, sizes) = (session.world.rank, session.world.worldSize, inputs.map(\.size))
        let order = sizes.indices.sorted { (sizes[$1], $0) < (sizes[$0], $1) }
        return order.indices.filter { $0 / Self.deal % worldSize == rank }.map { order[$0] }.sorted()
    }

    /// Runs of a rank's inputs that are embedded and given away together.
    private func groups(of own: [Int], _ inputs: [EmbeddingInput]) -> [[Int]] {
        var (groups, size): ([[Int]], Int) = ([], 0)
        for input in own {
            size += inputs[input].size
            if groups.isEmpty || groups[groups.count - 1].count == Self.groupInputs || size > Self.groupSize {
                groups.append([])
                size = inputs[input].size
            }
            groups[groups.count - 1].append(input)
        }
        return groups
    }

    private func encode(_ inputs: [EmbeddingInput]) -> (inputs: [EncodedInput], truncated: Int) {
        let results = Threads.map(inputs.count, grain: 8) { index -> (input: EncodedInput, isTruncated: Bool) in
            switch inputs[index] {
            case .image(let image): return (.image(image), false)
            case .text(let text):
                let (ids, isTruncated) = session.processor.encode(text.text, prefix: text.prefix)
                return (.text(ids), isTruncated)
            }
        }
        return (results.map(\.input), results.count(where: \.isTruncated))
    }

    /// Inputs that have tokens, longest first, as many at a time as fit.
    private func microbatches(_ lengths: [Int]) -> [[Int]] {
        var batches: [[Int]] = []
        var tokens = 0
        for input in lengths.indices.sorted(by: { (lengths[$1], $0) < (lengths[$0], $1) }) where lengths[input] > 0 {
            if batches.isEmpty || tokens + lengths[input] > Self.microbatchTokens {
                batches.append([])
                tokens = 0
            }
            batches[batches.count - 1].append(input)
            tokens += lengths[input]
        }
        return batches
    }
}
