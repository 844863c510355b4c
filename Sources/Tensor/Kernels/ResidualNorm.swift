// The normalisation of a network without a backward pass: it keeps nothing, and completes the residual stream on its way.

/// Adds `bias` to each row of `x`, in place, and normalises the sum.
///
///     x = x + bias,   y = x / sqrt(mean(x²) + epsilon) · weight
///
/// A product that was added to the stream leaves its bias to this pass, which reads the stream in any case. The quotient is
/// rounded to `element` before the weight is applied, as `rmsNorm` does.
/// - Parameters:
///   - x: [rows, hidden], float32
///   - bias, weight: [hidden]
///   - together: how many consecutive rows become one of the result
/// - Returns: y [rows / together, together · hidden] in `element`
package func rmsNorm(
    addingTo x: inout Tensor, bias: [Float]?, weight: [Float], epsilon: Float, together: Int = 1, as element: Tensor.Element
) -> Tensor {
    let x = x
    func run<S: Scalar>(_: S.Type) -> Tensor {
        let hidden = x.columns
        let y = Tensor(x.rows / together, together * hidden, S.element)
        let bias = bias ?? [Float](repeating: 0, count: hidden)
        let (stream, target) = (x.start, y.pointer(to: S.self))
        weight.withUnsafeBufferPointer { weight in
            bias.withUnsafeBufferPointer { bias in
                Threads.run(x.rows, grain: 32) { rows in
                    for row in rows {
                        let (x, y) = (stream + row * hidden, target + row * hidden)
                        for i in 0..<hidden { x[i] += bias[i] }
                        let scale = 1 / (dot(UnsafePointer(x), UnsafePointer(x), hidden) / Float(hidden) + epsilon).squareRoot()
                        for i in 0..<hidden { y[i] = S(rounding: S(rounding: x[i] * scale).float * weight[i]) }
                    }
                }
            }
        }
        return y
    }
    precondition(
        weight.count == x.columns && (bias?.count ?? x.columns) == x.columns && x.rows % together == 0,
        "rmsNorm: weight \(weight.count), \(together) rows together for [\(x.rows), \(x.columns)]")
    return element == .float32 ? run(Float.self) : run(BFloat16.self)
}
