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
    /// s·A·d(x) of q, k and v, and of o.                           [tokens, rank] each
    let lowInput, lowOutput: [Tensor]
}

struct GroupedQueryAttention: Sendable {
    let shape: AttentionShape
    let normWeight: [Float]
    let normEpsilon: Float
    /// q, k and v.
    let input: LinearGroup
    let o: LinearGroup
    let qBias, kBias, vBias: [Float]

    /// Adds attention(norm(x)) to x.
    func forward(addingTo x: inout Tensor, _ pass: ForwardPass) -> AttentionActivations {
        let element = pass.engine.element
        let (normed, norm) = rmsNorm(x, weight: normWeight, epsilon: normEpsilon, as: element)
        let (y, lowInput) = input.forward(normed, pass)
        let q = rotate(y[0], bias: qBias, pass.rotary, pass.tokens.positions, as: element)
        let k = rotate(y[1], bias: kBias, pass.rotary, pass.tokens.positions, as: element)
        let v = converted(y[2], bias: vBias, to: element)
        let (output, logSumExp) = causalAttention(q: q, k: k, v: v, segments: pass.tokens.segments, shape)
        let lowOutput = o.forward(output, addingTo: &x, pass)
        return AttentionActivations(
            norm: norm, q: q, k: k, v: v, output: output, logSumExp: logSumExp, lowInput: lowInput, lowOutput: lowOutput)
    }

    /// - Parameter dX: gradient of the output; becomes that of the input, unless nothing below is trained
    func backward(_ dX: inout Tensor, _ kept: AttentionActivations, _ pass: ForwardPass, into gradient: AdapterGradient) {
        let element = pass.engine.element
        guard let dOutput = o.backward([converted(dX, to: element)], kept.output, low: kept.lowOutput, pass, into: gradient) else { return }
        let (dQ, dK, dV) = causalAttentionBackward(
            dOutput, q: kept.q, k: kept.k, v: kept.v, output: kept.output, logSumExp: kept.logSumExp, segments: pass.tokens.segments,
            shape)
        let dY = [
            rotateBackward(dQ, pass.rotary, pass.tokens.positions, as: element),
            rotateBackward(dK, pass.rotary, pass.tokens.positions, as: element),
            converted(dV, to: element),
        ]
        guard let dNormed = input.backward(dY, rescaled(kept.norm, weight: normWeight), low: kept.lowInput, pass, into: gradient) else {
            return
        }
        rmsNormBackward(dNormed, kept.norm, weight: normWeight, addingTo: &dX)
    }
}
