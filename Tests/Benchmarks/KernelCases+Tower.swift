// The kernels of the vision tower, at its published sizes.

import Tensor

extension KernelCases {
    private var hidden: Int { 1280 }
    private var intermediate: Int { 3420 }

    /// `tokens` are patches here, in windows of 64 and in one frame.
    var tower: [KernelCase] {
        let (x, qkv) = (Tensor.sample(tokens, hidden), Tensor.sample(tokens, 3 * hidden, element))
        let (gate, weight, element) = (Tensor.sample(tokens, intermediate, element), [Float](repeating: 1, count: hidden), element)
        let (bias, wideBias) = ([Float](repeating: 0.1, count: 3 * hidden), [Float](repeating: 0.1, count: intermediate))
        let table = RotaryTable(axialPositions: 64, headDimension: 80, theta: 1e4)
        let places = (0..<tokens).map { Int32($0 % 64) }
        let positions = RotaryPositions(streams: [places, places])
        return attention + [
            passes("tower: RMSNorm with bias", bytes: x.count * (8 + width)) {
                var x = x
                _ = rmsNorm(addingTo: &x, bias: weight, weight: weight, epsilon: 1e-6, as: element)
            },
            passes("tower: rotation of q", bytes: x.count * 2 * width) {
                _ = rotate(qkv, columns: 0..<1280, bias: bias, table, positions, as: element)
            },
            passes("tower: SwiGLU with biases", bytes: gate.count * 3 * width) {
                _ = swiGLU(gate: gate, gateBias: wideBias, up: gate, upBias: wideBias)
            },
            passes("tower: GELU", bytes: gate.count * 2 * width) { _ = gelu(gate, bias: wideBias) },
        ]
    }

    private var attention: [KernelCase] {
        let (q, k, v) = (
            Tensor.sample(tokens, hidden, element), Tensor.sample(tokens, hidden, element), Tensor.sample(tokens, hidden, element)
        )
        let shape = AttentionShape(heads: 16, keyValueHeads: 16, headDimension: 80)
        let windows = stride(from: 0, to: tokens, by: 64).map { $0..<$0 + 64 }
        return [("windows of 64", windows), ("one frame", [0..<tokens])].map { name, segments in
            let operations = 4 * segments.reduce(0.0) { $0 + Double($1.count * $1.count) } * Double(hidden)
            return products("tower: attention, \(name)", operations) { _ = fullAttention(q: q, k: k, v: v, segments: segments, shape) }
        }
    }
}
