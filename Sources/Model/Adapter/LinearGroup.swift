// Frozen linears that read one input, each with a trainable low-rank addition, forward and backward.
//
//     y = W·x + s·B·(A·d(x)),   s = alpha / rank, d dropout
//
// Biases are not here: they are added by the kernel that reads y. The A's of a group lie together in the adapter, so the
// group has one A. The low-rank part comes first and the frozen product is added where it lies: what is stored is rounded
// once, after both.

import Tensor

/// A linear and its name in the reference implementation, such as `model.language_model.layers.0.self_attn.q_proj`.
struct FrozenLinear: Sendable {
    let module: String
    /// [outputs, inputs]
    let weight: WeightMatrix
}

/// Linears with one input and one dropout mask.
struct LinearGroup: Sendable {
    /// The group's number in the order of the forward pass, over all layers.
    let place: Int
    let linears: [FrozenLinear]

    /// - Parameters:
    ///   - x: [tokens, inputs], the engine's element type
    ///   - sum: where the output of a group of one is added
    ///   - element: of the outputs
    /// - Returns: outputs [tokens, outputs]; and s·A·d(x) of each adapted linear for the backward pass, [tokens, rank]
    func forward(
        _ x: Tensor, addingTo sum: Tensor? = nil, as element: Tensor.Element = .float32, _ pass: ForwardPass
    ) -> (y: [Tensor], low: [Tensor]) {
        let rows = pass.engine.rows(x)
        guard let factors = pass.adapter?.factors(at: place) else {
            return (linears.map { pass.engine.forward(rows, $0.weight, addingTo: sum, as: element) }, [])
        }
        let dropped = pass.dropped(x, at: place)
        let together = pass.engine.forward(dropped === x ? rows : pass.engine.rows(dropped), factors.a)
        let low = scaledBlocks(together, count: factors.members.count, by: factors.scale, to: pass.engine.element)
        let y = linears.enumerated().map { index, linear in
            let start = factors.members.firstIndex { $0.linear == index }.map { member in
                pass.engine.forward(low[member], factors.members[member].b, addingTo: sum, as: element)
            }
            return pass.engine.forward(rows, linear.weight, addingTo: start ?? sum, as: element)
        }
        return (y, low)
    }

    /// Adds the gradients of the group's factors to `gradient`.
    ///
    /// - Parameters:
    ///   - dY: of each linear, [tokens, outputs], the engine's element type
    ///   - x: the input once more; not evaluated where no linear is adapted
    ///   - low: what forward returned
    ///   - element: of the result
    /// - Returns: the gradient of x [tokens, inputs]; nil where nothing below is trained
    func backward(
        _ dY: [Tensor], _ x: @autoclosure () -> Tensor, low: [Tensor], as element: Tensor.Element = .float32, _ pass: ForwardPass,
        into gradient: AdapterGradient
    ) -> Tensor? {
        let isWanted = pass.trainsBelow(place)
        var dX: Tensor?
        if let factors = pass.adapter?.factors(at: place) {
            let dLow = dLow(dY, low: low, factors, pass, into: gradient)
            addOuterProducts(dLow, pass.dropped(x(), at: place), chunks: pass.tokens.chunks, to: gradient.sum, at: factors.aOffset)
            if isWanted {
                dX = pass.engine.backward(dLow, factors.a, as: element)
                pass.dropout?.apply(to: dX!, stream: UInt64(place))
            }
        }
        guard isWanted else { return nil }
        for (dY, linear) in zip(dY, linears) { dX = pass.engine.backward(dY, linear.weight, addingTo: dX, as: element) }
        return dX
    }

    /// The gradient of A·d(x), the group's linears side by side [tokens, members · rank]; adds those of the B's.
    private func dLow(
        _ dY: [Tensor], low: [Tensor], _ factors: GroupFactors, _ pass: ForwardPass, into gradient: AdapterGradient
    ) -> Tensor {
        let blocks = zip(factors.members, low).map { member, low in
            addOuterProducts(dY[member.linear], low, chunks: pass.tokens.chunks, to: gradient.sum, at: member.bOffset)
            return pass.engine.backward(dY[member.linear], member.b)
        }
        return scaledSideBySide(blocks, by: factors.scale, to: pass.engine.element)
    }
}
