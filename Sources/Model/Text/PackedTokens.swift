// A microbatch as the layers see it: the tokens of several inputs one after the other, without padding.

import Tensor

/// Packed inputs of one forward pass.
package struct PackedTokens: Sendable {
    /// Token ids of all inputs.                                    [tokens]
    package let ids: [Int32]
    /// Where features stand in for embeddings.
    package let images: [TokenSequence.Image]
    /// Each input's range of tokens, in order, without gaps.
    package let segments: [Range<Int>]
    /// Of each input, the tokens whose mean is its single vector.
    package let pooled: [Range<Int>]
    package let positions: RotaryPositions
    /// Ranges of tokens whose weight gradients are summed as one part: runs of whole inputs.
    package let chunks: [Range<Int>]
    /// A key for each token, from which dropout masks are made; empty where there is no dropout.
    package let dropoutKeys: [UInt64]

    package init(_ inputs: [TokenSequence], chunks: [Range<Int>]? = nil, dropoutKeys: [UInt64] = []) {
        ids = inputs.flatMap(\.ids)
        segments = inputs.map(\.ids.count).consecutiveRanges
        images = zip(inputs, segments).flatMap { input, segment in
            input.images.map {
                TokenSequence.Image(tokens: $0.tokens.shifted(by: segment.lowerBound), features: $0.features)
            }
        }
        pooled = zip(inputs, segments).map { $0.pooled.shifted(by: $1.lowerBound) }
        positions = RotaryPositions(inputs)
        self.chunks = chunks ?? [0..<ids.count]
        self.dropoutKeys = dropoutKeys
        precondition(segments.allSatisfy { !$0.isEmpty }, "packed tokens: an input without tokens")
        precondition(dropoutKeys.isEmpty || dropoutKeys.count == ids.count, "packed tokens: \(dropoutKeys.count) keys for \(ids.count)")
    }

    /// Texts.
    package init(_ texts: [[Int32]], chunks: [Range<Int>]? = nil, dropoutKeys: [UInt64] = []) {
        self.init(texts.map { TokenSequence(text: $0) }, chunks: chunks, dropoutKeys: dropoutKeys)
    }
}

extension Range<Int> {
    fileprivate func shifted(by offset: Int) -> Range<Int> { lowerBound + offset..<upperBound + offset }
}

/// What stays the same through all layers of one pass.
struct ForwardPass: Sendable {
    let engine: MatrixEngine
    let adapter: LoadedAdapter?
    let dropout: Dropout?
    let tokens: PackedTokens
    let rotary: RotaryTable

    /// What the adapters of the group at `place` read of its input.
    func dropped(_ x: Tensor, at place: Int) -> Tensor { dropout?.applied(to: x, stream: UInt64(place)) ?? x }

    /// Whether a group before this one is adapted, so that the gradient of this one's input is needed.
    func trainsBelow(_ place: Int) -> Bool { adapter.map { $0.lowestPlace < place } ?? false }
}
