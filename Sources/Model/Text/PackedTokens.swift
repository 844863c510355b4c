// A microbatch as the layers see it: the tokens of several inputs one after the other, without padding.

import Tensor

/// Packed inputs of one forward pass.
package struct PackedTokens: Sendable {
    /// Token ids of all inputs.                                    [tokens]
    package let ids: [Int32]
    /// Each input's range of tokens, in order, without gaps.
    package let segments: [Range<Int>]
    /// Ranges of tokens whose weight gradients are summed as one part: runs of whole inputs.
    package let chunks: [Range<Int>]
    /// A key for each token, from which dropout masks are made; empty where there is no dropout.
    package let dropoutKeys: [UInt64]

    package init(_ inputs: [[Int32]], chunks: [Range<Int>]? = nil, dropoutKeys: [UInt64] = []) {
        ids = Array(inputs.joined())
        var start = 0
        segments = inputs.map { input in
            defer { start += input.count }
            return start..<start + input.count
        }
        self.chunks = chunks ?? [0..<ids.count]
        self.dropoutKeys = dropoutKeys
        precondition(segments.allSatisfy { !$0.isEmpty }, "packed tokens: an input without tokens")
        precondition(dropoutKeys.isEmpty || dropoutKeys.count == ids.count, "packed tokens: \(dropoutKeys.count) keys for \(ids.count)")
    }
}

/// What stays the same through all layers of one pass.
struct ForwardPass: Sendable {
    let engine: MatrixEngine
    let adapter: LoadedAdapter?
    let dropout: Dropout?
    let tokens: PackedTokens
    let rotary: RotaryTable
    let positions: RotaryPositions

    /// What the adapters of the group at `place` read of its input.
    func dropped(_ x: Tensor, at place: Int) -> Tensor { dropout?.applied(to: x, stream: UInt64(place)) ?? x }

    /// Whether a group before this one is adapted, so that the gradient of this one's input is needed.
    func trainsBelow(_ place: Int) -> Bool { adapter.map { $0.lowestPlace < place } ?? false }
}
