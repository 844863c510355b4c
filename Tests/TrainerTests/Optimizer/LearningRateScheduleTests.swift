// The ends of the schedules; all values between are compared with transformers in ParityTests.

import Project
import Support
import Testing

@testable import Trainer

@Suite struct LearningRateScheduleTests {
    @Test(arguments: [TrainingConfig.Decay.linear, .cosine]) func startsAtThePeakWithoutWarmUp(decay: TrainingConfig.Decay) {
        let schedule = LearningRateSchedule(peak: 2, decay: decay, warmupSteps: 0, totalSteps: 1)
        #expect(schedule.learningRate(at: 1) == 2)
        #expect(abs(schedule.learningRate(at: 2)) < 1e-15)
    }

    @Test(arguments: [TrainingConfig.Decay.linear, .cosine]) func risesFromZero(decay: TrainingConfig.Decay) {
        let schedule = LearningRateSchedule(peak: 2, decay: decay, warmupSteps: 4, totalSteps: 8)
        #expect((1...5).map(schedule.learningRate(at:)) == [0, 0.5, 1, 1.5, 2])
        #expect(schedule.learningRate(at: 6) < 2 && schedule.learningRate(at: 8) > 0)
        #expect(schedule.learningRate(at: 20) >= 0)
    }

    @Test(arguments: [TrainingConfig.Decay.linear, .cosine]) func anotherPeakHasTheSameCourse(decay: TrainingConfig.Decay) {
        let schedule = LearningRateSchedule(peak: 2, decay: decay, warmupSteps: 4, totalSteps: 16)
        #expect((1...16).map { schedule.learningRate(at: $0, peak: 8) } == (1...16).map { 4 * schedule.learningRate(at: $0) })
    }

    @Test func aRunOfWarmUpAloneNeverFalls() {
        let schedule = LearningRateSchedule(peak: 1, decay: .linear, warmupSteps: 5, totalSteps: 5)
        #expect((1...5).map(schedule.learningRate(at:)) == [0, 0.2, 0.4, 0.6, 0.8])
    }
}
