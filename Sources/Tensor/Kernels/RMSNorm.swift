// Root-mean-square normalisation, forward and backward. The input is the float32 residual stream; what is kept for the
// backward pass is the normalised row before its weight, in the engine's element type.

/// What the backward pass of a normalisation needs.
package struct NormalizedRows {
    /// x / rms(x)                                  [tokens, hidden], the engine's element type
    package let unit: Tensor
    /// 1 / rms(x)                                  [tokens]
    package let inverseRMS: Tensor
}

/// Normalises each row of `x` and scales it.
///
///     y = x / sqrt(mean(x²) + epsilon) · weight
///
/// The quotient is rounded to `element` before the weight is applied, as the reference does.
/// - Parameters:
///   - x: [tokens, hidden], float32
///   - weight: [hidden]
/// - Returns: y [tokens, hidden] in `element`, and what backward needs
///
/// Source: Zhang and Sennrich 2019, arXiv:1910.07467.
package func rmsNorm(_ x: Tensor, weight: [Float], epsilon: Float, as element: Tensor.Element) -> (y: Tensor, kept: NormalizedRows) {
    switch element {
    case .float32: rmsNorm(x, weight, epsilon, Float.self)
    case .bfloat16: rmsNorm(x, weight, epsilon, BFloat16.self)
    }
}

private func rmsNorm<S: Scalar>(_ x: Tensor, _ weight: [Float], _ epsilon: Float, _: S.Type) -> (Tensor, NormalizedRows) {
    let hidden = x.columns
    precondition(weight.count == hidden, "rmsNorm: weight \(weight.count) for [\(x.rows), \(hidden)]")
    let (y, unit, inverse) = (Tensor(x.rows, hidden, S.element), Tensor(x.rows, hidden, S.element), Tensor(x.rows, 1))
    weight.withUnsafeBufferPointer { weight in
        let (from, toY, toUnit) = (x.start, y.pointer(to: S.self), unit.pointer(to: S.self))
        Threads.run(x.rows, grain: 32) { rows in
            for row in rows {
                let (source, unit, y) = (from + row * hidden, toUnit + row * hidden, toY + row * hidden)
                let scale = 1 / (dot(source, source, hidden) / Float(hidden) + epsilon).squareRoot()
                inverse.start[row] = scale
                for i in 0..<hidden {
                    let value = S(rounding: source[i] * scale)
                    unit[i] = value
                    y[i] = S(rounding: value.float * weight[i])
                }
            }
        }
    }
    return (y, NormalizedRows(unit: unit, inverseRMS: inverse))
}

/// Recomputes `y` of `rmsNorm` from what it kept.
package func rescaled(_ kept: NormalizedRows, weight: [Float]) -> Tensor {
    func run<S: Scalar>(_: S.Type) -> Tensor {
        let y = Tensor(kept.unit.rows, kept.unit.columns, S.element)
        let (unit, target, hidden) = (kept.unit.pointer(to: S.self), y.pointer(to: S.self), y.columns)
        weight.withUnsafeBufferPointer { weight in
            Threads.run(y.rows, grain: 64) { rows in
                for row in rows {
                    let (unit, target) = (unit + row * hidden, target + row * hidden)
                    for i in 0..<hidden { target[i] = S(rounding: unit[i].float * weight[i]) }
                }
            }
        }
        return y
    }
    return kept.unit.element == .float32 ? run(Float.self) : run(BFloat16.self)
}

/// The gradient with respect to x, added to `dX`.
///
///     dx = (g - u · mean(g · u)) / rms(x),   g = dy · weight,   u = x / rms(x)
///
/// - Parameters:
///   - dY: [tokens, hidden], float32
///   - dX: [tokens, hidden], float32: on a residual stream, the gradient that goes around the normalisation
package func rmsNormBackward(_ dY: Tensor, _ kept: NormalizedRows, weight: [Float], addingTo dX: inout Tensor) {
    let dX = dX
    func run<S: Scalar>(_: S.Type) {
        let hidden = dY.columns
        let (from, unit, to) = (dY.start, kept.unit.pointer(to: S.self), dX.start)
        weight.withUnsafeBufferPointer { weight in
            Threads.run(dY.rows, grain: 32) { rows in
                withUnsafeTemporaryAllocation(of: Float.self, capacity: hidden) { scratch in
                    let g = scratch.baseAddress!
                    for row in rows {
                        let (dY, unit, dX) = (from + row * hidden, unit + row * hidden, to + row * hidden)
                        for i in 0..<hidden { g[i] = dY[i] * weight[i] }
                        let mean = dot(UnsafePointer(g), UnsafePointer(unit), hidden) / Float(hidden)
                        let scale = kept.inverseRMS.start[row]
                        for i in 0..<hidden { dX[i] += (g[i] - unit[i].float * mean) * scale }
                    }
                }
            }
        }
    }
    kept.unit.element == .float32 ? run(Float.self) : run(BFloat16.self)
}
