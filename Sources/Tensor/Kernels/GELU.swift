// The exact Gaussian error linear unit, by the error function, and the bias before it.

/// gelu(x + bias) with gelu(x) = x · Φ(x), Φ the normal distribution's integral.
///
/// - Parameters:
///   - x: [tokens, width]
///   - bias: [width]
/// - Returns: the same shape and element type
///
/// Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
package func gelu(_ x: Tensor, bias: [Float]) -> Tensor {
    func run<S: Scalar>(_: S.Type) -> Tensor {
        let (y, width) = (Tensor(x.rows, x.columns, S.element), x.columns)
        let (source, target) = (x.pointer(to: S.self), y.pointer(to: S.self))
        bias.withUnsafeBufferPointer { bias in
            Threads.run(x.rows, grain: 8) { rows in
                for row in rows {
                    let (source, target) = (source + row * width, target + row * width)
                    for i in 0..<width {
                        let value = source[i].float + bias[i]
                        target[i] = S(rounding: value * normalIntegral(value))
                    }
                }
            }
        }
        return y
    }
    precondition(bias.count == x.columns, "gelu: bias \(bias.count) for [\(x.rows), \(x.columns)]")
    return x.element == .float32 ? run(Float.self) : run(BFloat16.self)
}

/// Φ(x) = ½ (1 + erf(x / √2)), with an error below 2 · 10⁻⁷, without a branch.
///
/// The rational approximation of erfc by Hastings (Abramowitz and Stegun 1964, 7.1.26), for |x| / √2.
@inline(__always)
private func normalIntegral(_ x: Float) -> Float {
    let z = abs(x) * 0.707_106_78
    let t = 1 / Float(1).addingProduct(0.327_591_1, z)
    var p: Float = 1.061_405_429
    p = Float(-1.453_152_027).addingProduct(p, t)
    p = Float(1.421_413_741).addingProduct(p, t)
    p = Float(-0.284_496_736).addingProduct(p, t)
    p = Float(0.254_829_592).addingProduct(p, t)
    let tail = 0.5 * p * t * exponential(-z * z)
    return x < 0 ? tail : 1 - tail
}
