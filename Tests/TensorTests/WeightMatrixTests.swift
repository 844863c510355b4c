// Widening and rounding of weights, whatever their element type.

import Support
import Testing

@testable import Tensor

@Suite struct WeightMatrixTests {
    @Test func widening() {
        let exact = Samples(seed: 1).tensor(5, 33)
        let halves = exact.values.map { Float16($0) }
        expectSameBits(WeightMatrix(exact).widened(), exact.values, "float32")
        halves.withUnsafeBytes { bytes in
            let half = WeightMatrix(memory: bytes.baseAddress!, rows: 5, columns: 33, element: .float16, owner: exact)
            expectSameBits(half.widened(), halves.map { Float($0) }, "float16")
        }
        let rounded = WeightMatrix(exact).converted(to: .bfloat16)
        #expect(rounded.element == .bfloat16)
        expectSameBits(rounded.widened(), exact.values.map { BFloat16(rounding: $0).float }, "bfloat16")

        var part = [Float](repeating: .nan, count: 12)
        rounded.widen(40..<50, into: &part)
        #expect(Array(part[..<10]) == Array(rounded.widened()[40..<50]) && part[10...].allSatisfy { $0.isNaN })
    }

    /// Half precision's own edges: subnormals, its largest value, infinity.
    @Test func halfPrecision() {
        let values: [Float16] = [0, -0.0, .leastNonzeroMagnitude, -.leastNormalMagnitude, 65504, .infinity, 1 / 3]
        values.withUnsafeBytes { bytes in
            let half = WeightMatrix(memory: bytes.baseAddress!, rows: 1, columns: 7, element: .float16, owner: TensorOwner())
            expectSameBits(half.widened(), [0, -0.0, 0x1p-24, -0x1p-14, 65504, .infinity, 0.333251953125], "half precision")
        }
    }

    private final class TensorOwner {}

    @Test func bfloat16IsNotCopied() {
        let weight = WeightMatrix(Samples(seed: 2).tensor(3, 16, .bfloat16))
        #expect(weight.converted(to: .bfloat16).memory == weight.memory)
    }

    @Test func theOwnerLives() {
        let weight: WeightMatrix = {
            let tensor = Samples(seed: 3).tensor(64, 64)
            return WeightMatrix(tensor)
        }()
        let another = Tensor.zeros(64, 64)
        expectSameBits(weight.widened(), Samples(seed: 3).tensor(64, 64).values, "weight")
        #expect(another.values.allSatisfy { $0 == 0 })
    }
}
