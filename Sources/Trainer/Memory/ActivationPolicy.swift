// What a rank keeps of its forward passes. The choice is a rank's own, step by step: it never changes the bits.

import Model
import Project

/// Chooses how a rank's step is done within its memory.
package struct ActivationPolicy: Sendable {
    /// Nil: the first that fits the budget.
    let setting: ActivationMemory?
    /// Bytes for activations on this rank.
    package let budget: Int
    package let footprint: ActivationFootprint

    package init(_ setting: ActivationMemory?, budget: Int, _ footprint: ActivationFootprint) {
        self.setting = setting
        self.budget = budget
        self.footprint = footprint
    }

    /// How a step is done.
    package struct Choice: Sendable, Equatable {
        package let memory: ActivationMemory
        /// What the passes keep that are backpropagated.
        let keeping: ActivationKeeping
        package let bytes: Int

        /// What the passes keep that make the embeddings.
        var embedding: ActivationKeeping { memory == .cache ? .nothing : keeping }
    }

    /// - Parameters:
    ///   - tokens: of this rank in the step
    ///   - microbatch: of its largest microbatch
    package func choice(tokens: Int, microbatch: Int) -> Choice {
        let choices = [
            choice(.keep, .everything, tokens, microbatch), choice(.recompute, .layerInputs, tokens, microbatch),
            choice(.cache, .everything, microbatch, microbatch), choice(.cache, .layerInputs, microbatch, microbatch),
        ].filter { setting == nil || $0.memory == setting }
        return choices.first { $0.bytes <= budget } ?? choices.last!
    }

    private func choice(_ memory: ActivationMemory, _ keeping: ActivationKeeping, _ tokens: Int, _ microbatch: Int) -> Choice {
        Choice(memory: memory, keeping: keeping, bytes: footprint.bytes(keeping: keeping, tokens: tokens, microbatch: microbatch))
    }
}
