// Passes over data sets: by weight, and by temperature.

import Support
import Testing

@testable import Data

@Suite struct SamplingWeightsTests {
    @Test func weightsArePasses() {
        let passes = SamplingWeights.passes(rows: [10, 20, 30], weights: [2.5, 1, 0.001], temperature: 1)
        #expect(passes == [2.5, 1, 0.001])
    }

    /// Shares of √100, √2500, √10000 = 10 : 50 : 100 of 12,600 rows.
    @Test func aTemperatureEvensOutSizes() {
        let (rows, weights) = ([100, 2500, 10000], [1.0, 1, 1])
        let passes = SamplingWeights.passes(rows: rows, weights: weights, temperature: 2)
        #expect(zip(passes, [7.875, 1.575, 0.7875]).allSatisfy { abs($0 - $1) < 1e-12 })
        let taken = zip(rows, passes).map { Double($0) * $1 }
        #expect(abs(taken.reduce(0, +) - 12600) < 1e-8, "the epoch keeps its length")
        let even = SamplingWeights.passes(rows: rows, weights: weights, temperature: 1e9)
        #expect(zip(rows, even).allSatisfy { abs(Double($0) * $1 - 4200) < 1e-3 })
    }
}
