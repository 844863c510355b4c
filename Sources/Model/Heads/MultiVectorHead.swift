// From token states to one unit vector a token: the projector with its adapter, then L2 normalisation. (arXiv:2506.18902, section 4)

import Tensor

/// What the head keeps for its backward pass.
struct MultiVectorActivations {
    /// The late vectors.
    let rows: UnitRows
    /// s·A·d(x) of the projector, where it is adapted.             [tokens, rank]
    let low: [Tensor]
}

struct MultiVectorHead: Sendable {
    private let projector: LinearGroup
    private let bias: [Float]

    /// - Parameter layers: of the decoder, behind whose groups the projector has its place
    init(_ weights: Projector, _ engine: MatrixEngine, layers: Int) {
        projector = LinearGroup(
            place: layers * DecoderModule.inputGroups.count,
            linears: [FrozenLinear(module: DecoderModule.projectorPath, weight: engine.prepare(weights.weight))])
        bias = weights.bias
    }

    /// - Parameter states: after the final norm, [tokens, hidden], float32
    func forward(_ states: Tensor, _ pass: ForwardPass) -> MultiVectorActivations {
        let (y, low) = projector.forward(converted(states, to: pass.engine.element), pass)
        return MultiVectorActivations(rows: unitRows(y[0], bias: bias), low: low)
    }

    /// - Parameters:
    ///   - dLate: gradient of the late vectors, [tokens, projectorDimension], float32
    ///   - states: the input once more; not evaluated where the projector is not adapted
    /// - Returns: the gradient of the states [tokens, hidden], float32; nil where nothing below is trained
    func backward(
        _ dLate: Tensor, _ kept: MultiVectorActivations, states: @autoclosure () -> Tensor, _ pass: ForwardPass,
        into gradient: AdapterGradient
    ) -> Tensor? {
        let dY = unitRowsBackward(dLate, kept.rows, as: pass.engine.element)
        return projector.backward([dY], converted(states(), to: pass.engine.element), low: kept.low, pass, into: gradient)
    }
}
