// AdamW with decoupled weight decay, in the arithmetic of torch.optim.AdamW: float32 values, scalars from Double.

import Glibc
import Tensor

/// One task's moments, and the update.
///
///     p ← p·(1 - η·λ);  m ← m + (1-β₁)(g - m);  v ← β₂·v + (1-β₂)·g²
///     p ← p - η/(1-β₁ᵗ) · m / (√v / √(1-β₂ᵗ) + ε)
///
/// Source: Loshchilov and Hutter 2019, arXiv:1711.05101.
package struct AdamW: Sendable {
    /// β₁, β₂, ε and λ.
    package struct Configuration: Sendable {
        package let beta1: Double
        package let beta2: Double
        package let epsilon: Double
        package let weightDecay: Double

        package init(beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double) {
            self.beta1 = beta1
            self.beta2 = beta2
            self.epsilon = epsilon
            self.weightDecay = weightDecay
        }
    }

    package let configuration: Configuration
    /// Updates made.
    package var steps = 0
    /// First and second moments.                                   [parameters]
    package var firstMoment: [Float]
    package var secondMoment: [Float]

    package init(_ configuration: Configuration, count: Int) {
        self.configuration = configuration
        firstMoment = Array(repeating: 0, count: count)
        secondMoment = Array(repeating: 0, count: count)
    }

    /// Updates the first `gradient.count` values; what lies behind them has no gradient and stays.
    ///
    /// - Returns: whether all of them are still finite
    @discardableResult
    package mutating func update(_ values: inout [Float], _ gradient: [Float], learningRate: Double) -> Bool {
        precondition(gradient.count == firstMoment.count && gradient.count <= values.count, "AdamW: \(gradient.count) gradients")
        steps += 1
        let (beta1, beta2) = (configuration.beta1, configuration.beta2)
        let factors = AdamWFactors(
            decay: Float(1 - learningRate * configuration.weightDecay), blend: Float(1 - beta1), keep: Float(beta2), add: Float(1 - beta2),
            rate: Float(learningRate / (1 - pow(beta1, Double(steps)))), correction: Float((1 - pow(beta2, Double(steps))).squareRoot()),
            epsilon: Float(configuration.epsilon))
        return adamWUpdate(&values, &firstMoment, &secondMoment, gradient, factors)
    }
}
