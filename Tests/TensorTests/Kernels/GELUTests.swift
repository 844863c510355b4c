// The linear unit against the error function in Double.

import Support
import Tensor
import Testing

@Suite struct GELUTests {
    @Test func reference() {
        let (x, bias) = (Samples(seed: 1).tensor(50, 77, scale: 2), Samples(seed: 2).tensor(1, 77))
        for (element, tolerance) in [(Tensor.Element.float32, Tolerance.float32Elementwise), (.bfloat16, .bfloat16)] {
            let rounded = converted(x, to: element)
            let expected = rounded.asDoubles.enumerated().map { Reference.gelu($1 + bias.asDoubles[$0 % 77]) }
            let y = gelu(rounded, bias: bias.values)
            #expect(y.element == element)
            expectClose(y.asFloats, expected, "gelu, \(element)", shape: y.shape, tolerance)
        }
    }

    /// Absolutely below 2 · 10⁻⁷ · |x| everywhere, the tails included.
    @Test func everywhere() {
        let values = (-1000...1000).map { Float($0) / 100 } + [1e-30, -1e-30, 1e4, -1e4, 1e30, -1e30, 0]
        let y = gelu(Tensor(values, rows: 1, columns: values.count), bias: [Float](repeating: 0, count: values.count))
        let wrong = zip(values, y.values).filter { x, y in abs(Double(y) - Reference.gelu(Double(x))) > 2e-7 * abs(Double(x)) }
        #expect(wrong.isEmpty, "gelu(\(wrong[0].0)) = \(wrong[0].1)")
        #expect(gelu(Tensor([.nan], rows: 1, columns: 1), bias: [0]).values[0].isNaN)
    }
}
