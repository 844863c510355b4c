// The MLP half of a decoder layer, with its norm and the residual addition: down(silu(gate(x)) · up(x)).

import Tensor

struct MLPActivations {
    let norm: NormalizedRows
    /// [tokens, intermediate]
    let gated: GatedRows
    /// s·A·d(x) of the three linears.                              [tokens, rank]
    let lowGate, lowUp, lowDown: Tensor?
}

struct GatedMLP: Sendable {
    let layer: Int
    let normWeight: [Float]
    let normEpsilon: Float
    let gate, up, down: LoRALinear

    private var inputStream: UInt64 { DropoutPlace.mlpInput.stream(layer) }
    private var gatedStream: UInt64 { DropoutPlace.mlpGated.stream(layer) }

    func forward(addingTo x: Tensor, _ pass: ForwardPass) -> MLPActivations {
        let (normed, norm) = rmsNorm(x, weight: normWeight, epsilon: normEpsilon, as: pass.engine.element)
        let input = LinearInput(normed, stream: inputStream, pass)
        let (yGate, lowGate) = gate.forward(input, pass)
        let (yUp, lowUp) = up.forward(input, pass)
        let (product, gated) = swiGLU(gate: yGate, up: yUp, as: pass.engine.element)
        let (y, lowDown) = down.forward(LinearInput(product, stream: gatedStream, pass), pass)
        add(y, to: x)
        return MLPActivations(norm: norm, gated: gated, lowGate: lowGate, lowUp: lowUp, lowDown: lowDown)
    }

    func backward(_ dX: Tensor, _ kept: MLPActivations, _ pass: ForwardPass, into gradient: AdapterGradient) {
        let product = LinearInput(swiGLU(kept.gated), stream: gatedStream, pass)
        var dProduct = InputGradient()
        down.backward(converted(dX, to: pass.engine.element), product, low: kept.lowDown, pass, into: gradient, &dProduct)
        let (dGate, dUp) = swiGLUBackward(dProduct.total(product, pass), kept.gated)

        let input = LinearInput(rescaled(kept.norm, weight: normWeight), stream: inputStream, pass)
        var dInput = InputGradient()
        gate.backward(dGate, input, low: kept.lowGate, pass, into: gradient, &dInput)
        up.backward(dUp, input, low: kept.lowUp, pass, into: gradient, &dInput)
        rmsNormBackward(dInput.total(input, pass), kept.norm, weight: normWeight, addingTo: dX)
    }
}
