// How a step trades time for memory.

/// `system.activation_memory`, in the order from fast to small.
package enum ActivationMemory: String, CaseIterable, Sendable {
    /// All activations of the step, from embedding to backpropagation: one forward pass.
    case keep
    /// The layers' inputs; each layer is computed again in the backward pass: two forward passes.
    case recompute
    /// Nothing but embeddings; each microbatch is embedded again before its backward pass (Gao et al. 2021, arXiv:2101.06983).
    case cache
}
