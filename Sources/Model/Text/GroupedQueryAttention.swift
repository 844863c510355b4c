// The attention half of a decoder layer, with its norm and the residual addition.

import Tensor

struct AttentionActivations {
    let norm: NormalizedRows
    /// After bias and rotation.                                    [tokens, heads · D], [tokens, keyValueHeads · D] twice
    let q, k, v: Tensor
    /// [tokens, heads · D]
    let output: Tensor
    /// Log-sum-exp of each row of scores.                          [tokens, heads], float32
    let logSumExp: Tensor
    /// s·A·d(x) of the four linears.                               [tokens, rank]
    let lowQ, lowK, lowV, lowO: Tensor?
}

struct GroupedQueryAttention: Sendable {
    let layer: Int
    let shape: AttentionShape
    let normWeight: [Float]
    let normEpsilon: Float
    let q, k, v, o: LoRALinear
    let qBias, kBias, vBias: [Float]

    private var inputStream: UInt64 { DropoutPlace.attentionInput.stream(layer) }
    private var outputStream: UInt64 { DropoutPlace.attentionOutput.stream(layer) }

    func forward(addingTo x: Tensor, _ pass: ForwardPass) -> AttentionActivations {
        let element = pass.engine.element
        let (normed, norm) = rmsNorm(x, weight: normWeight, epsilon: normEpsilon, as: element)
        let input = LinearInput(normed, stream: inputStream, pass)
        let (yQ, lowQ) = q.forward(input, pass)
        let (yK, lowK) = k.forward(input, pass)
        let (yV, lowV) = v.forward(input, pass)
        let rotatedQ = rotate(yQ, bias: qBias, pass.rotary, pass.positions, as: element)
        let rotatedK = rotate(yK, bias: kBias, pass.rotary, pass.positions, as: element)
        let values = converted(yV, bias: vBias, to: element)
        let (output, logSumExp) = causalAttention(
            q: rotatedQ, k: rotatedK, v: values, segments: pass.tokens.segments, shape)
        let (y, lowO) = o.forward(LinearInput(output, stream: outputStream, pass), pass)
        add(y, to: x)
        return AttentionActivations(
            norm: norm, q: rotatedQ, k: rotatedK, v: values, output: output, logSumExp: logSumExp, lowQ: lowQ, lowK: lowK,
            lowV: lowV, lowO: lowO)
    }

    func backward(
        _ dX: Tensor, _ kept: AttentionActivations, _ pass: ForwardPass, into gradient: AdapterGradient, inputIsTrained: Bool
    ) {
        let element = pass.engine.element
        let output = LinearInput(kept.output, stream: outputStream, pass)
        var dOutput = InputGradient()
        o.backward(converted(dX, to: element), output, low: kept.lowO, pass, into: gradient, &dOutput)
        let (dQ, dK, dV) = causalAttentionBackward(
            dOutput.total(output, pass), q: kept.q, k: kept.k, v: kept.v, output: kept.output, logSumExp: kept.logSumExp,
            segments: pass.tokens.segments, shape)

        let input = LinearInput(rescaled(kept.norm, weight: normWeight), stream: inputStream, pass)
        var dInput = InputGradient(isWanted: inputIsTrained)
        q.backward(rotateBackward(dQ, pass.rotary, pass.positions, as: element), input, low: kept.lowQ, pass, into: gradient, &dInput)
        k.backward(rotateBackward(dK, pass.rotary, pass.positions, as: element), input, low: kept.lowK, pass, into: gradient, &dInput)
        v.backward(converted(dV, to: element), input, low: kept.lowV, pass, into: gradient, &dInput)
        if inputIsTrained {
            rmsNormBackward(dInput.total(input, pass), kept.norm, weight: normWeight, addingTo: dX)
        }
    }
}

/// The places of a layer that draw their own dropout masks.
enum DropoutPlace: UInt64 {
    case attentionInput, attentionOutput, mlpInput, mlpGated

    func stream(_ layer: Int) -> UInt64 { UInt64(layer) << 2 | rawValue }
}
