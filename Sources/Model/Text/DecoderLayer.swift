// One layer of the decoder: norm → attention → add; norm → MLP → add. Backward is the same read upwards.

import Tensor

/// What a layer keeps for its backward pass. Element types are the engine's unless said otherwise.
struct LayerActivations {
    let attention: AttentionActivations
    let mlp: MLPActivations
}

struct DecoderLayer: Sendable {
    let attention: GroupedQueryAttention
    let mlp: GatedMLP

    /// Adds attention(norm(x)) to x, then mlp(norm(x)).            x [tokens, hidden], float32
    func forward(_ x: inout Tensor, _ pass: ForwardPass) -> LayerActivations {
        let keptAttention = attention.forward(addingTo: &x, pass)
        let keptMLP = mlp.forward(addingTo: &x, pass)
        return LayerActivations(attention: keptAttention, mlp: keptMLP)
    }

    /// Turns the gradient of the layer's output into that of its input, in place.    dX [tokens, hidden], float32
    ///
    /// Where nothing below a linear is trained it stops, and dX is left incomplete.
    func backward(_ dX: inout Tensor, _ kept: LayerActivations, _ pass: ForwardPass, into gradient: AdapterGradient) {
        mlp.backward(&dX, kept.mlp, pass, into: gradient)
        guard pass.trainsBelow(mlp.input.place) else { return }
        attention.backward(&dX, kept.attention, pass, into: gradient)
    }
}
