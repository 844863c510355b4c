// The gate of the MLP, forward and backward.

/// The inputs of a SwiGLU in the engine's element type, kept for the backward pass.
package struct GatedRows {
    package let gate: Tensor
    package let up: Tensor
}

/// silu(gate) · up, with silu(x) = x / (1 + e⁻ˣ).             [tokens, intermediate]
///
/// Gate and up are rounded to `element` first; both passes compute from the rounded values.
/// - Returns: the product in `element`, and what backward needs
///
/// Source: Shazeer 2020, arXiv:2002.05202.
package func swiGLU(gate: Tensor, up: Tensor, as element: Tensor.Element) -> (y: Tensor, kept: GatedRows) {
    let count = gate.count
    if element == .float32 {
        let y = Tensor(gate.rows, gate.columns)
        let (g, u, target) = (gate.floats, up.floats, y.floats)
        Threads.run(count, grain: 1 << 14) { range in
            for i in range { target[i] = g[i] * sigmoid(g[i]) * u[i] }
        }
        return (y, GatedRows(gate: gate, up: up))
    }
    let (y, keptGate, keptUp) = (
        Tensor(gate.rows, gate.columns, element), Tensor(gate.rows, gate.columns, element), Tensor(gate.rows, gate.columns, element)
    )
    let (g, u, target) = (gate.floats, up.floats, y.pointer(to: BFloat16.self))
    let (toGate, toUp) = (keptGate.pointer(to: BFloat16.self), keptUp.pointer(to: BFloat16.self))
    Threads.run(count, grain: 1 << 14) { range in
        for i in range {
            let (g, u) = (BFloat16(rounding: g[i]), BFloat16(rounding: u[i]))
            toGate[i] = g
            toUp[i] = u
            target[i] = BFloat16(rounding: g.float * sigmoid(g.float) * u.float)
        }
    }
    return (y, GatedRows(gate: keptGate, up: keptUp))
}

/// Recomputes `y` of `swiGLU` from what it kept.
package func swiGLU(_ kept: GatedRows) -> Tensor {
    func run<S: Scalar>(_: S.Type) -> Tensor {
        let y = Tensor(kept.gate.rows, kept.gate.columns, S.element)
        let (gate, up, target) = (kept.gate.pointer(to: S.self), kept.up.pointer(to: S.self), y.pointer(to: S.self))
        Threads.run(y.count, grain: 1 << 14) { range in
            for i in range {
                let g = gate[i].float
                target[i] = S(rounding: g * sigmoid(g) * up[i].float)
            }
        }
        return y
    }
    return kept.gate.element == .float32 ? run(Float.self) : run(BFloat16.self)
}

/// The gradients with respect to gate and up, in the engine's element type.
///
///     dGate = dY · up · σ(gate) (1 + gate (1 - σ(gate))),   dUp = dY · silu(gate)
///
/// - Parameter dY: [tokens, intermediate], float32
package func swiGLUBackward(_ dY: Tensor, _ kept: GatedRows) -> (dGate: Tensor, dUp: Tensor) {
    func run<S: Scalar>(_: S.Type) -> (Tensor, Tensor) {
        let (dGate, dUp) = (Tensor(dY.rows, dY.columns, S.element), Tensor(dY.rows, dY.columns, S.element))
        let (gate, up, dY) = (kept.gate.pointer(to: S.self), kept.up.pointer(to: S.self), dY.floats)
        let (toGate, toUp) = (dGate.pointer(to: S.self), dUp.pointer(to: S.self))
        Threads.run(dGate.count, grain: 1 << 14) { range in
            for i in range {
                let (g, d) = (gate[i].float, dY[i])
                let s = sigmoid(g)
                toUp[i] = S(rounding: d * g * s)
                toGate[i] = S(rounding: d * up[i].float * s * (1 + g * (1 - s)))
            }
        }
        return (dGate, dUp)
    }
    return kept.gate.element == .float32 ? run(Float.self) : run(BFloat16.self)
}
