// The section `training` as a type. Names follow the house's terms; the keys that they come from stand in TrainingSettings.

import Config

/// `training`: the run, its optimizer and its schedule.
package struct TrainingConfig: Sendable {
    /// Folder of the run.
    package let outputFolder: String
    /// Passes over the data.
    package let epochs: Int
    /// Updates of the whole run; nil: `epochs` passes over the data.
    package let maximumSteps: Int?
    /// Rows of an update.
    package let batch: BatchSize
    /// Highest rate of the schedule.
    package let learningRate: Double
    /// Highest rates of tasks with a rate of their own.
    package let taskLearningRates: [String: Double]
    /// Decoupled decay of AdamW, a factor of the rate.
    package let weightDecay: Double
    /// How the rate falls after the warm-up.
    package let decay: Decay
    /// Steps in which the rate rises.
    package let warmup: Warmup
    /// Longer gradients are scaled down to this norm.
    package let maximumGradientNorm: Double
    /// AdamW's decay of the first moment.
    package let beta1: Double
    /// AdamW's decay of the second moment.
    package let beta2: Double
    /// AdamW's addend to the root of the second moment.
    package let epsilon: Double
    /// Start of every random stream.
    package let seed: UInt64
    /// Whether the order of rows is drawn anew in each epoch.
    package let shuffle: Bool
    /// Steps between lines on the terminal; records hold every step.
    package let loggingSteps: Int
    /// Steps between evaluations; 0: at the end only.
    package let evaluationSteps: Int
    /// Steps between checkpoints; 0: at the end only.
    package let saveSteps: Int
    /// Checkpoints kept beside the best one.
    package let saveTotalLimit: Int
    /// What the best checkpoint is best in.
    package let bestMetric: BestMetric
    /// How ranks add their gradients.
    package let reduction: Reduction

    /// Rows of an update.
    package enum BatchSize: Sendable, Equatable {
        /// Rows of each rank: the pool of negatives grows with the world.
        case perRank(Int)
        /// Rows of all ranks together.
        case global(Int)

        /// Rows of all ranks together.
        package func globalRows(worldSize: Int) -> Int {
            switch self {
            case .perRank(let rows): rows * worldSize
            case .global(let rows): rows
            }
        }
    }

    /// Steps in which the rate rises from 0.
    package enum Warmup: Sendable, Equatable {
        /// So many steps.
        case steps(Int)
        /// This share of all steps, rounded up.
        case ratio(Double)

        /// The number of steps, of `total` in the run.
        package func steps(of total: Int) -> Int {
            switch self {
            case .steps(let steps): steps
            case .ratio(let ratio): Int((ratio * Double(total)).rounded(.up))
            }
        }
    }

    /// How the learning rate falls after the warm-up.
    package enum Decay: String, Sendable { case linear, cosine }

    /// How ranks add their gradients: as 64-bit integers, the same bits at any world size, or as Float at half the bytes.
    package enum Reduction: String, Sendable { case exact, float32 }

    /// Takes the values of the section.
    package init(_ values: SettingValues) {
        outputFolder = values[TrainingSettings.outputFolder]
        epochs = values[TrainingSettings.epochs]
        maximumSteps = values[TrainingSettings.maximumSteps]
        if let rows = values[TrainingSettings.globalBatchSize] {
            batch = .global(rows)
        } else if let rows = values[TrainingSettings.batchSize] {
            batch = .perRank(rows)
        } else {
            preconditionFailure("training: neither batch size is set")
        }
        learningRate = values[TrainingSettings.learningRate]
        taskLearningRates = values[TrainingSettings.taskLearningRates]?.dictionary ?? [:]
        weightDecay = values[TrainingSettings.weightDecay]
        decay = values[TrainingSettings.decay]
        warmup = values[TrainingSettings.warmupSteps].map(Warmup.steps) ?? .ratio(values[TrainingSettings.warmupRatio])
        maximumGradientNorm = values[TrainingSettings.maximumGradientNorm]
        beta1 = values[TrainingSettings.beta1]
        beta2 = values[TrainingSettings.beta2]
        epsilon = values[TrainingSettings.epsilon]
        seed = UInt64(values[TrainingSettings.seed])
        shuffle = values[TrainingSettings.shuffle]
        loggingSteps = values[TrainingSettings.loggingSteps]
        evaluationSteps = values[TrainingSettings.evaluationSteps]
        saveSteps = values[TrainingSettings.saveSteps]
        saveTotalLimit = values[TrainingSettings.saveTotalLimit]
        bestMetric = values[TrainingSettings.bestMetric]
        reduction = values[TrainingSettings.reduction]
    }
}
