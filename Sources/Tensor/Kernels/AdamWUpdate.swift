// The update of AdamW, an element at a time, in the arithmetic of torch.optim.AdamW: float32 values, scalars from Double.

import Synchronization

/// The factors of one update, alike for all elements.
package struct AdamWFactors: Sendable {
    let decay, blend, keep, add, rate, correction, epsilon: Float

    /// Creates the factors of an update.
    ///
    /// - Parameters:
    ///   - decay: what values keep of themselves, 1 - η·λ
    ///   - blend: what is new in the first moment, 1 - β₁
    ///   - keep, add: what the second moment keeps and takes, β₂ and 1 - β₂
    ///   - rate: η / (1 - β₁ᵗ)
    ///   - correction: √(1 - β₂ᵗ)
    ///   - epsilon: added to the divisor
    package init(decay: Float, blend: Float, keep: Float, add: Float, rate: Float, correction: Float, epsilon: Float) {
        (self.decay, self.blend, self.keep, self.add) = (decay, blend, keep, add)
        (self.rate, self.correction, self.epsilon) = (rate, correction, epsilon)
    }
}

/// Updates values and moments by a gradient, on all threads. The first `gradient.count` values change.
///
///     m ← m + blend·(g - m);  v ← keep·v + add·g²;  p ← p·decay - rate · m / (√v / correction + epsilon)
///
/// - Parameters:
///   - values: [at least as many as the gradient has]
///   - first, second: moments, as many as the gradient has
/// - Returns: whether all updated values are finite
package func adamWUpdate(
    _ values: inout [Float], _ first: inout [Float], _ second: inout [Float], _ gradient: [Float], _ factors: AdamWFactors
) -> Bool {
    precondition(
        first.count == gradient.count && second.count == gradient.count && gradient.count <= values.count,
        "adamWUpdate: \(gradient.count) gradients for \(values.count) values")
    guard !gradient.isEmpty else { return true }
    let isFinite = Atomic(true)
    let (decay, blend, keep, add) = (factors.decay, factors.blend, factors.keep, factors.add)
    let (rate, correction, epsilon) = (factors.rate, factors.correction, factors.epsilon)
    values.withUnsafeMutableBufferPointer { values in
        first.withUnsafeMutableBufferPointer { first in
            second.withUnsafeMutableBufferPointer { second in
                gradient.withUnsafeBufferPointer { gradient in
                    let (p, m, v, g) = (values.baseAddress!, first.baseAddress!, second.baseAddress!, gradient.baseAddress!)
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
