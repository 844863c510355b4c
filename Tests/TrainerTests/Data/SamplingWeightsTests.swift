// Passes over data sets: by weight, and by temperature.

import Testing

@testable import Trainer

@Suite struct SamplingWeightsTests {
    private func data(_ settings: String) throws -> DataConfig {
        try decode("base_model_path: m\ndata: {\(settings)}\ntraining: {output_dir: o}\n").data
    }

    @Test func weightsArePasses() throws {
        #expect(try data("train: [{path: a, weight: 2.5}, b, {path: c, weight: 1e-3}]").passes(rows: [10, 20, 30]) == [2.5, 1, 0.001])
    }

    /// Shares of √100, √2500, √10000 = 10 : 50 : 100 of 12,600 rows.
    @Test func aTemperatureEvensOutSizes() throws {
        let rows = [100, 2500, 10000]
        let passes = try data("train: [a, b, c], sampling_temperature: 2").passes(rows: rows)
        #expect(zip(passes, [7.875, 1.575, 0.7875]).allSatisfy { abs($0 - $1) < 1e-12 })
        let taken = zip(rows, passes).map { Double($0) * $1 }
        #expect(abs(taken.reduce(0, +) - 12600) < 1e-8, "the epoch keeps its length")
        #expect(try data("train: [a, b, c], sampling_temperature: 1").passes(rows: rows) == [1, 1, 1])
        let even = try data("train: [a, b, c], sampling_temperature: 1e9").passes(rows: rows)
        #expect(zip(rows, even).allSatisfy { abs(Double($0) * $1 - 4200) < 1e-3 })
    }
}
