// A frozen linear with a trainable low-rank addition, forward and backward.
//
//     y = W·x + s·B·(A·d(x)),   s = alpha / rank, d dropout
//
// Biases are not here: they are added by the kernel that reads y. dX of several linears with one input is one tensor that
// each adds to, because their products can add where they write.

import Tensor

/// What a linear reads: the input, and the same after the adapters' dropout.
struct LinearInput {
    /// [tokens, inputs], the engine's element type
    let x: Tensor
    let dropped: Tensor
    /// Names the dropout mask: one for each group of linears that share an input.
    let stream: UInt64

    init(_ x: Tensor, stream: UInt64, _ pass: ForwardPass) {
        self.x = x
        self.stream = stream
        dropped = pass.dropout?.applied(to: x, stream: stream) ?? x
    }
}

struct LoRALinear: Sendable {
    let module: String
    /// [outputs, inputs]
    let weight: WeightMatrix

    /// - Returns: y [tokens, outputs], float32; and s·A·d(x) [tokens, rank] for the backward pass, where adapted
    func forward(_ input: LinearInput, _ pass: ForwardPass) -> (y: Tensor, low: Tensor?) {
        let y = pass.engine.forward(input.x, weight)
        guard let factors = pass.adapter?.factors(of: module) else { return (y, nil) }
        let low = scaled(pass.engine.forward(input.dropped, factors.a), by: factors.scale, to: pass.engine.element)
        return (pass.engine.forward(low, factors.b, addingTo: y), low)
    }

    /// Adds the factors' gradients to `gradient` and, where wanted, the input's to `sums`.
    ///
    /// - Parameters:
    ///   - dY: [tokens, outputs], the engine's element type
    ///   - low: what forward returned
    func backward(
        _ dY: Tensor, _ input: LinearInput, low: Tensor?, _ pass: ForwardPass, into gradient: AdapterGradient,
        _ sums: inout InputGradient
    ) {
        if sums.isWanted { sums.dX = pass.engine.backward(dY, weight, addingTo: sums.dX) }
        guard let low, let factors = pass.adapter?.factors(of: module) else { return }
        addOuterProducts(dY, low, chunks: pass.tokens.chunks, to: gradient.sum, at: factors.pair.bOffset)
        let dLow = scaled(pass.engine.backward(dY, factors.b), by: factors.scale, to: pass.engine.element)
        addOuterProducts(dLow, input.dropped, chunks: pass.tokens.chunks, to: gradient.sum, at: factors.pair.aOffset)
        if sums.isWanted { sums.dDropped = pass.engine.backward(dLow, factors.a, addingTo: sums.dDropped) }
    }
}

/// The gradient of an input that several linears share: through their weights, and through their adapters.
struct InputGradient {
    /// False at the lowest layer, where nothing below is trained.
    let isWanted: Bool
    /// [tokens, inputs], float32
    var dX: Tensor?
    var dDropped: Tensor?

    init(isWanted: Bool = true) { self.isWanted = isWanted }

    /// Both parts together. Only when wanted.
    func total(_ input: LinearInput, _ pass: ForwardPass) -> Tensor {
        guard let dX else { preconditionFailure("input gradient: no linear has added to it") }
        guard let dDropped else { return dX }
        if let dropout = pass.dropout {
            dropout.addBackward(dDropped, to: dX, stream: input.stream)
        } else {
            add(dDropped, to: dX)
        }
        return dX
    }
}
