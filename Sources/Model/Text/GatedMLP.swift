// The MLP half of a decoder layer, with its norm and the residual addition: down(silu(gate(x)) · up(x)).

import Tensor

struct MLPActivations {
    let norm: NormalizedRows
    /// [tokens, intermediate]
    let gate, up: Tensor
    /// s·A·d(x) of gate and up, and of down.                       [tokens, rank] each
    let lowInput, lowGated: [Tensor]
}

struct GatedMLP: Sendable {
    let normWeight: [Float]
    let normEpsilon: Float
    /// Gate and up.
    let input: LinearGroup
    let down: LinearGroup

    /// Adds mlp(norm(x)) to x.
    func forward(addingTo x: inout Tensor, _ pass: ForwardPass) -> MLPActivations {
        let (normed, norm) = rmsNorm(x, weight: normWeight, epsilon: normEpsilon, as: pass.engine.element)
        let (y, lowInput) = input.forward(normed, as: pass.engine.element, pass)
        let lowGated = down.forward(swiGLU(gate: y[0], up: y[1]), addingTo: &x, pass)
        return MLPActivations(norm: norm, gate: y[0], up: y[1], lowInput: lowInput, lowGated: lowGated)
    }

    /// - Parameter dX: gradient of the output; becomes that of the input, unless nothing below is trained
    func backward(_ dX: inout Tensor, _ kept: MLPActivations, _ pass: ForwardPass, into gradient: AdapterGradient) {
        let element = pass.engine.element
        guard
            let dProduct = down.backward(
                [converted(dX, to: element)], swiGLU(gate: kept.gate, up: kept.up), low: kept.lowGated, as: element, pass, into: gradient)
        else { return }
        let (dGate, dUp) = swiGLUBackward(dProduct, gate: kept.gate, up: kept.up)
        guard
            let dNormed = input.backward(
                [dGate, dUp], rescaled(kept.norm, weight: normWeight), low: kept.lowInput, pass, into: gradient)
        else { return }
        rmsNormBackward(dNormed, kept.norm, weight: normWeight, addingTo: &dX)
    }
}
