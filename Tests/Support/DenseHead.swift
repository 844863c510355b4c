// The model as most tests ask for it: single vectors alone.

import Model
import Tensor

/// The single-vector head alone.
extension JinaEmbeddingsV4 {
    /// One unit vector an input.                                   [inputs, hidden], float32
    package func embed(_ tokens: PackedTokens, _ adapter: LoadedAdapter?) -> Tensor {
        embed(tokens, adapter, heads: .dense).dense!
    }

    /// One unit vector an input [inputs, hidden], and what the backward pass needs.
    package func forward(
        _ tokens: PackedTokens, _ adapter: LoadedAdapter, dropout: Float, keeping: ActivationKeeping = .everything
    ) -> (embeddings: Tensor, kept: Activations) {
        let (embeddings, kept) = forward(tokens, adapter, dropout: dropout, keeping: keeping, heads: .dense)
        return (embeddings.dense!, kept)
    }

    /// Adds the adapter's gradient to `gradient`; dEmbeddings [inputs, hidden].
    package func backward(_ kept: consuming Activations, _ dEmbeddings: Tensor, into gradient: AdapterGradient) {
        backward(kept, Embeddings(dense: dEmbeddings), into: gradient)
    }
}
