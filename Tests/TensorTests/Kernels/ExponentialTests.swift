// eˣ against the C library's, over all its range.

import Foundation
import Support
import Tensor
import Testing

@Suite struct ExponentialTests {
    @Test func relativeError() {
        var worst = (error: 0.0, at: Float(0))
        for i in 0...2_000_000 {
            let x = -87.3 + Float(i) * (87.3 + 88.37) / 2_000_000
            let clamped = min(x, 88.37)
            let error = abs(Double(exponential(clamped)) / exp(Double(clamped)) - 1)
            if error > worst.error || error.isNaN { worst = (error, clamped) }
        }
        #expect(worst.error < 0x1p-22, "at \(worst.at)")
    }

    @Test func edges() {
        #expect(exponential(Float(0)) == 1)
        #expect(exponential(-Float.infinity) == exponential(Float(-87.3)))
        #expect(exponential(Float.infinity) == exponential(Float(88.37)))
        #expect(exponential(Float.infinity).isFinite)
        #expect(exponential(Float.nan).isNaN)
    }

    @Test func vectorsHaveTheSameBits() {
        var inputs = Samples(seed: 1).gaussian(1600).map { Float($0 * 40) }
        inputs.replaceSubrange(0..<4, with: [.nan, .infinity, -.infinity, -0.0])
        for start in stride(from: 0, to: inputs.count, by: 16) {
            let results = exponential(SIMD16<Float>(inputs[start..<start + 16]))
            expectSameBits((0..<16).map { results[$0] }, inputs[start..<start + 16].map { exponential($0) }, "eˣ")
        }
    }
}
