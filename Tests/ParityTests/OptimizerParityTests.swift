// AdamW against torch.optim.AdamW, and the schedules against transformers.

import Files
import Project
import Support
import Testing

@testable import Trainer

@Suite struct OptimizerParityTests {
    @Test(arguments: ["plain", "warmed"]) func twelveUpdatesEqualTheReference(run: String) throws {
        let golden = try GoldenTensors("adamw/golden")
        let facts = try #require(try JSONValue.parse(file: PackagePath.golden("adamw/golden.json"))[run])
        func number(_ key: String) throws -> Double { try #require(facts[key]?.numberValue) }
        let betas = try #require(facts["betas"]?.arrayValue).map { $0.numberValue! }
        let schedule = try LearningRateSchedule(facts, peak: number("lr"))
        let rates = try #require(facts["learning_rates"]?.arrayValue).map { $0.numberValue! }
        let gradients = try golden.floats("gradients")

        var values = try golden.floats("start")
        let count = values.count
        // A moment's error is that of the gradients in it, which may cancel.
        let largest = (0..<count).map { i in (0..<12).map { abs(gradients[$0 * count + i]) }.max()! }
        var optimizer = AdamW(
            AdamW.Configuration(
                beta1: betas[0], beta2: betas[1], epsilon: try number("eps"), weightDecay: try number("weight_decay")),
            count: count)
        for step in 0..<12 {
            let range = step * count..<(step + 1) * count
            #expect(abs(schedule.learningRate(at: step + 1) - rates[step]) < 1e-15)
            optimizer.update(&values, Array(gradients[range]), learningRate: schedule.learningRate(at: step + 1))
            try expectClose(values, golden.floats("\(run).parameters")[range], within: values.map { _ in 1e-6 })
            try expectClose(optimizer.firstMoment, golden.floats("\(run).first_moments")[range], within: largest.map { 3e-7 * $0 })
            try expectClose(optimizer.secondMoment, golden.floats("\(run).second_moments")[range], within: largest.map { 3e-7 * $0 * $0 })
        }
    }

    @Test func schedulesEqualTheReference() throws {
        let schedules = try #require(try JSONValue.parse(file: PackagePath.golden("adamw/schedules.json")).arrayValue)
        #expect(schedules.count >= 6)
        for facts in schedules {
            let schedule = try LearningRateSchedule(facts, peak: 1)
            let factors = try #require(facts["factors"]?.arrayValue).map { $0.numberValue! }
            #expect(factors.count == schedule.totalSteps)
            for (step, factor) in factors.enumerated() {
                #expect(abs(schedule.learningRate(at: step + 1) - factor) < 1e-15, "\(schedule), update \(step + 1)")
            }
        }
    }

    private func expectClose(_ found: [Float], _ expected: ArraySlice<Float>, within tolerances: [Float]) {
        #expect(found.count == expected.count)
        for (index, ((a, b), tolerance)) in zip(zip(found, expected), tolerances).enumerated() {
            #expect(abs(a - b) <= tolerance, "element \(index): \(a), expected \(b)")
        }
    }
}

extension LearningRateSchedule {
    /// From the keys of a golden file.
    fileprivate init(_ facts: JSONValue, peak: Double) throws {
        let decay = try #require((facts["lr_scheduler_type"] ?? facts["schedule"])?.stringValue.flatMap(TrainingConfig.Decay.init))
        let (warmup, total) = try (#require(facts["warmup_steps"]?.integerValue), #require(facts["max_steps"]?.integerValue))
        self.init(peak: peak, decay: decay, warmupSteps: Int(warmup), totalSteps: Int(total))
    }
}
