// The gate against its formula, over the whole range that eˣ can and cannot hold.

import Support
import Tensor
import Testing

@Suite struct SwiGLUTests {
    private let gate = Samples(seed: 1).tensor(50, 77, scale: 4)
    private let up = Samples(seed: 2).tensor(50, 77)

    @Test func reference() {
        let expected = Reference.swiGLU(gate: gate.asDoubles, up: up.asDoubles)
        let y = swiGLU(gate: gate, up: up)
        expectClose(y.values, expected, "swiGLU", shape: y.shape, .float32Elementwise)
        let rounded = swiGLU(gate: converted(gate, to: .bfloat16), up: converted(up, to: .bfloat16))
        #expect(rounded.element == .bfloat16)
        expectClose(rounded.asFloats, expected, "swiGLU in bfloat16", shape: y.shape, .bfloat16)
    }

    @Test func biases() {
        let (gateBias, upBias) = (Samples(seed: 4).tensor(1, 77), Samples(seed: 5).tensor(1, 77))
        func shifted(_ x: Tensor, _ bias: Tensor) -> [Double] { x.asDoubles.enumerated().map { $1 + bias.asDoubles[$0 % 77] } }
        let expected = Reference.swiGLU(gate: shifted(gate, gateBias), up: shifted(up, upBias))
        for (element, tolerance) in [(Tensor.Element.float32, Tolerance.float32Elementwise), (.bfloat16, .bfloat16)] {
            let y = swiGLU(
                gate: converted(gate, to: element), gateBias: gateBias.values, up: converted(up, to: element), upBias: upBias.values)
            #expect(y.element == element)
            expectClose(y.asFloats, expected, "swiGLU with biases, \(element)", shape: y.shape, tolerance)
        }
    }

    @Test func extremes() {
        let values: [Float] = [0, -0.0, 1e-30, -1e-30, 30, -30, 87, -87, 88.5, -88.5, 89, -89, 1e4, -1e4, 1e30, -1e30]
        let gate = Tensor(values, rows: 1, columns: values.count)
        let ones = Tensor([Float](repeating: 1, count: values.count), rows: 1, columns: values.count)
        let y = swiGLU(gate: gate, up: ones)
        let (dGate, dUp) = swiGLUBackward(ones, gate: gate, up: ones)
        for (i, x) in values.enumerated() {
            let expected = Reference.silu(Double(x))
            // Below -87 the exact value is under 10⁻³⁶ · x, and e⁻ˣ is clamped.
            #expect(abs(Double(y.floats[i]) - expected) <= abs(expected) * 0x1p-20 + abs(Double(x)) * 1e-37, "silu(\(x)) = \(y.floats[i])")
            #expect(dUp.floats[i] == y.floats[i])
            #expect(dGate.floats[i].isFinite && abs(dGate.floats[i]) < 1.2, "silu'(\(x)) = \(dGate.floats[i])")
        }
    }

    @Test func gradient() {
        let dY = Samples(seed: 3).tensor(50, 77)
        let (dGate, dUp) = swiGLUBackward(dY, gate: gate, up: up)
        let (gates, ups, weights) = (gate.asDoubles, up.asDoubles, dY.asDoubles)
        expectGradient(
            dGate.values, of: { Reference.dot(Reference.swiGLU(gate: $0, up: ups), weights) }, at: gates, "swiGLU, gate")
        expectGradient(dUp.values, of: { Reference.dot(Reference.swiGLU(gate: gates, up: $0), weights) }, at: ups, "swiGLU, up")
        let rounded = swiGLUBackward(
            converted(dY, to: .bfloat16), gate: converted(gate, to: .bfloat16), up: converted(up, to: .bfloat16))
        #expect(rounded.dGate.element == .bfloat16)
        expectClose(rounded.dGate.asFloats, dGate.asDoubles, "dGate in bfloat16", shape: dY.shape, .bfloat16)
        expectClose(rounded.dUp.asFloats, dUp.asDoubles, "dUp in bfloat16", shape: dY.shape, .bfloat16)
    }

    @Test func notFinite() {
        let gate = Tensor([.nan, 1, .infinity], rows: 1, columns: 3)
        let up = Tensor([1, .nan, 1], rows: 1, columns: 3)
        for element in [Tensor.Element.float32, .bfloat16] {
            let y = swiGLU(gate: converted(gate, to: element), up: converted(up, to: element)).asFloats
            #expect(y[0].isNaN && y[1].isNaN && y[2] == .infinity)
        }
    }
}
