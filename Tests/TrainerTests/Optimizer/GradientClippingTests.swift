// The global norm and its limit.

import Testing

@testable import Trainer

@Suite struct GradientClippingTests {
    @Test func normIsTheLengthOfTheWholeVector() {
        #expect(norm(of: [3, -4]) == 5)
        #expect(norm(of: []) == 0)
        // Squares beyond the range of Float.
        #expect(abs(norm(of: [3e30, 4e30]) / 5e30 - 1) < 1e-6)
        #expect(abs(norm(of: Array(repeating: 0.5, count: 100_001)) - 0.5 * 100_001.0.squareRoot()) < 1e-9)
        #expect(norm(of: [1, .nan]).isNaN && norm(of: [.infinity]) == .infinity)
    }

    @Test func aLongGradientIsScaledToTheLimit() {
        var gradient: [Float] = [3, -4]
        clip(&gradient, norm: 5, limit: 1)
        let factor = Float(1 / (5 + 1e-6))
        #expect(gradient == [3 * factor, -4 * factor])
    }

    @Test func aShortGradientKeepsItsBits() {
        var gradient: [Float] = [0.3, -0.4, 1e-30]
        clip(&gradient, norm: 0.5, limit: 1)
        #expect(gradient == [0.3, -0.4, 1e-30])
    }
}
