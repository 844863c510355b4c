// One block of the vision tower: norm → attention → add; norm → MLP → add.

import Tensor

/// What stays the same through all blocks of one pass.
struct VisionPass {
    let engine: MatrixEngine
    let attention: AttentionShape
    let order: WindowOrder
    let rotary: RotaryTable
}

/// The sum that blocks read and add to. A product is added where the sum lies; its bias waits for the next pass over the
/// stream, which is a norm.
struct ResidualStream {
    /// The tower's own, not the text decoder's.
    private static let normEpsilon: Float = 1e-6

    /// [patches, hidden], float32, without `bias`
    private var values: Tensor
    private var bias: [Float]?
    private let engine: MatrixEngine

    init(_ values: Tensor, _ engine: MatrixEngine) {
        self.values = values
        self.engine = engine
    }

    /// norm(x), in the engine's element type.
    ///
    /// - Parameter together: how many consecutive rows become one of the result
    mutating func normalized(weight: [Float], together: Int = 1) -> Tensor {
        defer { bias = nil }
        return rmsNorm(
            addingTo: &values, bias: bias, weight: weight, epsilon: Self.normEpsilon, together: together, as: engine.element)
    }

    /// Adds `linear` of y.
    mutating func add(_ linear: BiasedLinear, of y: Tensor) {
        precondition(bias == nil, "residual stream: two products without a norm between them")
        engine.forward(y, linear.weight, addingTo: &values)
        bias = linear.bias
    }
}

struct VisionBlock: Sendable {
    let weights: VisionBlockWeights
    /// Whether a patch sees its whole frame; else its window.
    let seesFrame: Bool

    func forward(_ x: inout ResidualStream, _ pass: VisionPass) {
        x.add(weights.output, of: attention(x.normalized(weight: weights.attentionNorm), pass))
        x.add(weights.down, of: gated(x.normalized(weight: weights.mlpNorm), pass.engine))
    }

    /// [patches, hidden]
    private func attention(_ normed: Tensor, _ pass: VisionPass) -> Tensor {
        let (element, width, bias) = (pass.engine.element, normed.columns, weights.qkv.bias)
        let qkv = pass.engine.forward(normed, weights.qkv.weight, as: element)
        let q = rotate(qkv, columns: 0..<width, bias: bias, pass.rotary, pass.order.positions, as: element)
        let k = rotate(qkv, columns: width..<2 * width, bias: bias, pass.rotary, pass.order.positions, as: element)
        let v = converted(qkv, columns: 2 * width..<3 * width, bias: bias, to: element)
        return fullAttention(q: q, k: k, v: v, segments: seesFrame ? pass.order.frames : pass.order.windows, pass.attention)
    }

    /// silu(gate(x)) · up(x).                                         [patches, intermediate]
    private func gated(_ normed: Tensor, _ engine: MatrixEngine) -> Tensor {
        let rows = engine.rows(normed)
        return swiGLU(
            gate: engine.forward(rows, weights.gate.weight, as: engine.element), gateBias: weights.gate.bias,
            up: engine.forward(rows, weights.up.weight, as: engine.element), upBias: weights.up.bias)
    }
}
