// Learning rate by update: linear warm-up, then linear or cosine decay to zero (the schedules of Hugging Face's transformers).

import Glibc
import Project

/// The rate of every update of a run.
package struct LearningRateSchedule: Sendable {
    package let peak: Double
    package let decay: TrainingConfig.Decay
    package let warmupSteps: Int
    package let totalSteps: Int

    package init(peak: Double, decay: TrainingConfig.Decay, warmupSteps: Int, totalSteps: Int) {
        self.peak = peak
        self.decay = decay
        self.warmupSteps = warmupSteps
        self.totalSteps = totalSteps
    }

    /// The rate of update `step`, counted from 1: λ(step - 1) · peak.
    ///
    /// Without warm-up the first update has the full rate; with warm-up it has rate 0.
    package func learningRate(at step: Int) -> Double { learningRate(at: step, peak: peak) }

    /// The same course with another highest rate.
    package func learningRate(at step: Int, peak: Double) -> Double {
        let done = step - 1
        guard done >= warmupSteps else { return peak * Double(done) / Double(max(warmupSteps, 1)) }
        let remaining = Double(max(totalSteps - warmupSteps, 1))
        switch decay {
        case .linear: return peak * max(0, Double(totalSteps - done) / remaining)
        case .cosine: return peak * max(0, 0.5 * (1 + cos(.pi * Double(done - warmupSteps) / remaining)))
        }
    }
}
