// Element-wise helpers of the layers.

import Support
import Tensor
import Testing

@Suite struct ReductionsTests {
    @Test func addition() {
        let (x, y) = (Samples(seed: 1).tensor(333, 101), Samples(seed: 2).tensor(333, 101))
        let expected = zip(x.values, y.values).map { $0 + $1 }
        add(x, to: y)
        expectSameBits(y.values, expected, "x + y", shape: x.shape)
    }

    @Test func scaling() {
        let x = Samples(seed: 3).tensor(333, 101)
        expectSameBits(scaled(x, by: 0.3, to: .float32).values, x.values.map { $0 * 0.3 }, "0.3 x")
        expectSameBits(
            scaled(x, by: 0.3, to: .bfloat16).asFloats, x.values.map { BFloat16(rounding: $0 * 0.3).float }, "0.3 x in bfloat16")
        #expect(scaled(x, by: 1, to: .float32) === x)
    }
}
