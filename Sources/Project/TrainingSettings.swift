// The section `training` of project_config.yaml: the run, its optimizer and its schedule.

import Config
import Files

/// The keys of `training`. What each means is said in its declaration, where the documentation takes it from.
package enum TrainingSettings {
    package static let outputFolder = Setting<String>(
        "training.output_dir", .text("the path of a folder"), .required, mayDifferOnResume: true,
        "Folder of the run: adapters, checkpoints, records.")
    package static let epochs = Setting<Int>(
        "training.epochs", .count(from: 1), .value(3), aliases: ["num_train_epochs"],
        "Passes over the data.")
    package static let maximumSteps = Setting<Int?>(
        "training.max_steps", .optional(.count(from: 1), orNumber: -1), .absent("by `training.epochs`"),
        "Updates of the whole run; wins over `training.epochs`.")
    package static let batchSize = Setting<Int?>(
        "training.batch_size", .optional(.count(from: 1)), .value(8), aliases: ["per_device_train_batch_size"],
        "Rows of each rank in a global batch: more ranks, more negatives.")
    package static let globalBatchSize = Setting<Int?>(
        "training.global_batch_size", .optional(.count(from: 1)), .absent("ranks × `training.batch_size`"),
        "Rows of all ranks together, instead of `training.batch_size`.")
    package static let learningRate = Setting<Double>(
        "training.learning_rate", .number(.above(0)), .value(1e-4),
        "Highest rate of the schedule.")
    package static let taskLearningRates = Setting<TaskValues<Double>?>(
        "training.task_learning_rates", .optional(.taskNumbers(.above(0))), .absent("`training.learning_rate` for every task"),
        "Highest rate for the updates of some tasks: `{code: 5e-5}`.")
    package static let weightDecay = Setting<Double>(
        "training.weight_decay", .number(.atLeast(0)), .value(0.01),
        "Decoupled decay of AdamW, a factor of the rate.")
    package static let decay = Setting<TrainingConfig.Decay>(
        "training.lr_scheduler_type", .choice([.linear, .cosine]), .value(.linear),
        "How the rate falls to 0 after the warm-up.")
    package static let warmupRatio = Setting<Double>(
        "training.warmup_ratio", .number(.closed(0, 1)), .value(0.0),
        "Share of all steps in which the rate rises from 0, rounded up.")
    package static let warmupSteps = Setting<Int?>(
        "training.warmup_steps", .optional(.count(from: 0)), .absent("by `training.warmup_ratio`"),
        "Steps in which the rate rises from 0; wins over `training.warmup_ratio`.")
    package static let maximumGradientNorm = Setting<Double>(
        "training.max_grad_norm", .number(.above(0)), .value(1.0),
        "Longer gradients are scaled down to this norm.")
    package static let beta1 = Setting<Double>(
        "training.adam_beta1", .number(.halfOpen(0, 1)), .value(0.9),
        "AdamW's decay of the first moment.")
    package static let beta2 = Setting<Double>(
        "training.adam_beta2", .number(.halfOpen(0, 1)), .value(0.999),
        "AdamW's decay of the second moment.")
    package static let epsilon = Setting<Double>(
        "training.adam_epsilon", .number(.atLeast(1e-30)), .value(1e-8),
        "AdamW's addend to the root of the second moment.")
    package static let seed = Setting<Int>(
        "training.seed", .integer(0...Int.max), .value(42),
        "Start of every random stream: order, adapters, dropout.")
    package static let shuffle = Setting<Bool>("training.shuffle", .boolean, .value(true), "`false`: rows in the order of the file.")
    package static let loggingSteps = Setting<Int>(
        "training.logging_steps", .count(from: 1), .value(10), mayDifferOnResume: true,
        "Steps between lines on the terminal; `metrics.jsonl` has every step.")
    package static let evaluationSteps = Setting<Int>(
        "training.eval_steps", .count(from: 0), .value(0), mayDifferOnResume: true,
        "Steps between evaluations; 0: at the end only.")
    package static let saveSteps = Setting<Int>(
        "training.save_steps", .count(from: 0), .value(500), mayDifferOnResume: true,
        "Steps between checkpoints; 0: at the end only.")
    package static let saveTotalLimit = Setting<Int>(
        "training.save_total_limit", .count(from: 1), .value(2), mayDifferOnResume: true,
        "Checkpoints kept, the best one apart.")
    package static let bestMetric = Setting<BestMetric>(
        "training.metric_for_best_model", .metric, .value(.usual),
        "What the best checkpoint is best in: ndcg@10, recall@1, recall@5, recall@10 or mrr@10, at the full width or at `@WIDTH`.")
    package static let gradientCheckpointing = Setting<Bool>(
        "training.gradient_checkpointing", .boolean, .value(false), mayDifferOnResume: true,
        "Short for `system.activation_memory`: `true` is `recompute`.")
    package static let reduction = Setting<TrainingConfig.Reduction>(
        "training.reduction", .choice([.exact, .float32]), .value(.exact),
        "Sum of the ranks' gradients: `exact` gives the same bits at any world size, `float32` needs half the bytes.")

    /// The section as the schema takes it.
    package static let section = SettingSection(
        [
            outputFolder, epochs, maximumSteps, batchSize, globalBatchSize, learningRate, taskLearningRates, weightDecay, decay,
            warmupRatio, warmupSteps, maximumGradientNorm, beta1, beta2, epsilon, seed, shuffle, loggingSteps, evaluationSteps, saveSteps,
            saveTotalLimit, bestMetric, gradientCheckpointing, reduction,
        ],
        withoutMeaning: [
            ("training.log_dir", "records are written into training.output_dir"),
            ("training.logging_dir", "records are written into training.output_dir"),
            ("training.use_lora", "LoRA adapters are always what is trained"),
        ],
        alternatives: [SettingAlternative(batchSize, globalBatchSize), SettingAlternative(warmupRatio, warmupSteps)])

    /// Joins settings of the section that say one thing in two ways.
    ///
    /// - Throws: where rows of a rank and rows of all ranks are both given
    package static func join(_ values: inout SettingValues) throws(UserError) {
        try joinBatch(&values)
        joinWarmup(&values)
    }

    private static func joinBatch(_ values: inout SettingValues) throws(UserError) {
        let isRankGiven = values.given(batchSize).flatMap(\.self) != nil
        if values[globalBatchSize] == nil {
            if !isRankGiven { values.reset(batchSize) }
        } else if isRankGiven {
            throw values.error(
                at: globalBatchSize,
                "\(batchSize) at \(values.place(of: batchSize)) and \(globalBatchSize) are both given; keep one of the two")
        } else {
            values[batchSize] = nil
        }
    }

    private static func joinWarmup(_ values: inout SettingValues) {
        guard let steps = values[warmupSteps] else { return }
        if let ratio = values.given(warmupRatio), ratio != 0 {
            values.note(at: warmupRatio, "\(warmupRatio) is not used, because \(warmupSteps) is given")
        }
        if let total = values[maximumSteps], steps > total {
            values.note(
                at: warmupSteps,
                "the warm-up of \(steps) steps is longer than the run of \(total): the rate never reaches \(learningRate)")
        }
    }
}
