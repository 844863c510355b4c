// The gate of the MLP, forward and backward.

/// silu(gate) · up, with silu(x) = x / (1 + e⁻ˣ).             [tokens, intermediate], all in one element type
///
/// Source: Shazeer 2020, arXiv:2002.05202.
package func swiGLU(gate: Tensor, up: Tensor) -> Tensor {
    func run<S: Scalar>(_: S.Type) -> Tensor {
        let y = Tensor(gate.rows, gate.columns, S.element)
        let (gate, up, target) = (gate.pointer(to: S.self), up.pointer(to: S.self), y.pointer(to: S.self))
        Threads.run(y.count, grain: 1 << 14) { range in
            for i in range {
                let g = gate[i].float
                target[i] = S(rounding: g * sigmoid(g) * up[i].float)
            }
        }
        return y
    }
    return gate.element == .float32 ? run(Float.self) : run(BFloat16.self)
}

/// silu(gate + gateBias) · (up + upBias), for an MLP with biases; without a backward pass.
///
/// - Parameters:
///   - gate, up: [tokens, intermediate], all in one element type
///   - gateBias, upBias: [intermediate]
package func swiGLU(gate: Tensor, gateBias: [Float], up: Tensor, upBias: [Float]) -> Tensor {
    func run<S: Scalar>(_: S.Type) -> Tensor {
        let (y, width) = (Tensor(gate.rows, gate.columns, S.element), gate.columns)
        let (gate, up, target) = (gate.pointer(to: S.self), up.pointer(to: S.self), y.pointer(to: S.self))
        gateBias.withUnsafeBufferPointer { gateBias in
            upBias.withUnsafeBufferPointer { upBias in
                Threads.run(y.rows, grain: 8) { rows in
                    for row in rows {
                        let (gate, up, target) = (gate + row * width, up + row * width, target + row * width)
                        for i in 0..<width {
                            let g = gate[i].float + gateBias[i]
                            target[i] = S(rounding: g * sigmoid(g) * (up[i].float + upBias[i]))
                        }
                    }
                }
            }
        }
        return y
    }
    precondition(gateBias.count == gate.columns && upBias.count == gate.columns, "swiGLU: biases of \(gateBias.count), \(upBias.count)")
    return gate.element == .float32 ? run(Float.self) : run(BFloat16.self)
}

/// The gradients with respect to gate and up.                  [tokens, intermediate], all in one element type
///
///     dGate = dY · up · σ(gate) (1 + gate (1 - σ(gate))),   dUp = dY · silu(gate)
package func swiGLUBackward(_ dY: Tensor, gate: Tensor, up: Tensor) -> (dGate: Tensor, dUp: Tensor) {
    func run<S: Scalar>(_: S.Type) -> (Tensor, Tensor) {
        let (dGate, dUp) = (Tensor(dY.rows, dY.columns, S.element), Tensor(dY.rows, dY.columns, S.element))
        let (gate, up, dY) = (gate.pointer(to: S.self), up.pointer(to: S.self), dY.pointer(to: S.self))
        let (toGate, toUp) = (dGate.pointer(to: S.self), dUp.pointer(to: S.self))
        Threads.run(dGate.count, grain: 1 << 14) { range in
            for i in range {
                let (g, d) = (gate[i].float, dY[i].float)
                let s = sigmoid(g)
                toUp[i] = S(rounding: d * g * s)
                toGate[i] = S(rounding: d * up[i].float * s * (1 + g * (1 - s)))
            }
        }
        return (dGate, dUp)
    }
    return gate.element == .float32 ? run(Float.self) : run(BFloat16.self)
}
