// What AdamW does beside its formula, which ParityTests compare with torch.

import Testing

@testable import Trainer

@Suite struct AdamWTests {
    private let configuration = AdamW.Configuration(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.5)

    @Test func theFirstUpdateIsTheRateInTheGradientsDirection() {
        var optimizer = AdamW(AdamW.Configuration(beta1: 0.9, beta2: 0.999, epsilon: 0, weightDecay: 0), count: 3)
        var values: [Float] = [1, 1, 1]
        optimizer.update(&values, [2, -1e-12, 1e6], learningRate: 0.25)
        for (value, expected) in zip(values, [0.75, 1.25, 0.75] as [Float]) { #expect(abs(value - expected) < 1e-6) }
        #expect(optimizer.steps == 1)
    }

    @Test func valuesWithoutGradientStay() {
        var optimizer = AdamW(configuration, count: 2)
        var values: [Float] = [1, 2, 3, 4]
        optimizer.update(&values, [1, 0], learningRate: 0.1)
        #expect(values[2...] == [3, 4])
        #expect(abs(values[1] - 2 * 0.95) < 1e-6, "a gradient of zero still decays")
    }

    @Test func atRateZeroOnlyTheMomentsMove() {
        var optimizer = AdamW(configuration, count: 2)
        var values: [Float] = [1, -2]
        optimizer.update(&values, [1, -3], learningRate: 0)
        #expect(values == [1, -2])
        #expect(zip(optimizer.firstMoment, [0.1, -0.3] as [Float]).allSatisfy { abs($0 - $1) < 1e-7 })
        #expect(zip(optimizer.secondMoment, [0.001, 0.009] as [Float]).allSatisfy { abs($0 - $1) < 1e-8 })
    }
}
