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
    ///   - element: of the outputs
    /// - Returns: outputs [tokens, outputs]; and s·A·d(x) of each adapted linear for the backward pass, [tokens, rank]
    func forward(_ x: Tensor, as element: Tensor.Element = .float32, _ pass: ForwardPass) -> (y: [Tensor], low: [Tensor]) {
        let rows = pass.engine.rows(x)
        let (factors, low) = low(rows, pass)
        let y = linears.enumerated().map { index, linear in
            guard let member = factors.firstIndex(where: { $0.linear == index }) else {
                return pass.engine.forward(rows, linear.weight, as: element)
            }
            var sum = pass.engine.forward(low[member], factors[member].b, as: element)
            pass.engine.forward(rows, linear.weight, addingTo: &sum)
            return sum
        }
        return (y, low)
    }

    /// Adds the output of a group of one to `sum`.
    ///
    /// - Parameters:
    ///   - x: [tokens, inputs], the engine's element type
    ///   - sum: [tokens, outputs]
    /// - Returns: s·A·d(x) for the backward pass, [tokens, rank], where the linear is adapted
    func forward(_ x: Tensor, addingTo sum: inout Tensor, _ pass: ForwardPass) -> [Tensor] {
        precondition(linears.count == 1, "linear group: the sum of \(linears.count) linears")
        let rows = pass.engine.rows(x)
        let (factors, low) = low(rows, pass)
        for (factors, low) in zip(factors, low) { pass.engine.forward(low, factors.b, addingTo: &sum) }
        pass.engine.forward(rows, linears[0].weight, addingTo: &sum)
        return low
    }

    /// s·A·d(x) of each adapted linear, [tokens, rank], with the factors that they are multiplied with next.
    private func low(_ rows: MatrixEngine.Rows, _ pass: ForwardPass) -> ([GroupFactors.Member], low: [Tensor]) {
        guard let factors = pass.adapter?.factors(at: place) else { return ([], []) }
        let dropped = pass.dropped(rows.tensor, at: place)
        let together = pass.engine.forward(dropped === rows.tensor ? rows : pass.engine.rows(dropped), factors.a)
        return (factors.members, scaledBlocks(together, count: factors.members.count, by: factors.scale, to: pass.engine.element))
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
                pass.dropout?.apply(to: &dX!, stream: UInt64(place))
            }
        }
        guard isWanted else { return nil }
        for (dY, linear) in zip(dY, linears) {
            guard dX != nil else {
                dX = pass.engine.backward(dY, linear.weight, as: element)
                continue
            }
            pass.engine.backward(dY, linear.weight, addingTo: &dX!)
        }
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
