// AdamW with decoupled weight decay, in the arithmetic of torch.optim.AdamW: float32 values, scalars from Double.

import Glibc
import Synchronization
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
        let decay = Float(1 - learningRate * configuration.weightDecay)
        let (blend, keep, add) = (Float(1 - beta1), Float(beta2), Float(1 - beta2))
        let rate = Float(learningRate / (1 - pow(beta1, Double(steps))))
        let correction = Float((1 - pow(beta2, Double(steps))).squareRoot())
        let epsilon = Float(configuration.epsilon)
        let isFinite = Atomic(true)
        values.withUnsafeMutableBufferPointer { values in
            firstMoment.withUnsafeMutableBufferPointer { first in
                secondMoment.withUnsafeMutableBufferPointer { second in
                    gradient.withUnsafeBufferPointer { gradient in
                        nonisolated(unsafe) let (p, m, v, g) = (
                            values.baseAddress!, first.baseAddress!, second.baseAddress!, gradient.baseAddress!
                        )
                        Threads.run(gradient.count, grain: 1 << 15) { range in
                            var largest: UInt32 = 0
                            for i in range {
                                m[i] += blend * (g[i] - m[i])
                                v[i] = v[i] * keep + add * g[i] * g[i]
                                p[i] = p[i] * decay - rate * (m[i] / (v[i].squareRoot() / correction + epsilon))
                                largest = max(largest, p[i].bitPattern & 0x7fff_ffff)
                            }
                            if largest >= Float.infinity.bitPattern { isFinite.store(false, ordering: .relaxed) }
                        }
                    }
                }
            }
        }
        return isFinite.load(ordering: .relaxed)
    }
}
