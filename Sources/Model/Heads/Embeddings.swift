// What the model makes of its inputs: one vector an input, one vector a token, or both from one pass.

import Tensor

/// The heads that a pass ends in.
package enum EmbeddingHeads: String, Sendable {
    /// One vector an input: the mean over its tokens.
    case dense
    /// One vector a token: what late interaction compares.
    case late
    case both

    package var hasDense: Bool { self != .late }
    package var hasLate: Bool { self != .dense }
}

/// The embeddings of a pass, or the gradient of a loss with respect to them; nil for a head that has no part in it.
package struct Embeddings {
    /// Unit rows.                                                  [inputs, hidden], float32
    package let dense: Tensor?
    /// Unit rows in the order of the tokens.                       [tokens, projectorDimension], float32
    package let late: Tensor?

    package init(dense: Tensor? = nil, late: Tensor? = nil) {
        self.dense = dense
        self.late = late
    }

    /// Multiplies every value, in place.
    package mutating func multiply(by factor: Float) {
        dense?.multiply(by: factor)
        late?.multiply(by: factor)
    }
}
