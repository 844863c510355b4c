// The sections `training`, `lora` and `system` as types, made from the table of checked values. Names follow the house's
// terms; the key of project_config.yaml stands beside a name that differs from it.

import Files
import Model
import Tensor

/// `training`: the run, its optimizer and its schedule.
package struct TrainingConfig: Sendable {
    package let outputFolder: String  // output_dir
    package let epochs: Int
    /// Updates of the whole run; nil: `epochs` passes over the data.
    package let maximumSteps: Int?  // max_steps
    package let batch: BatchSize
    package let learningRate: Double
    /// Of tasks with a rate of their own.
    package let taskLearningRates: [String: Double]
    package let weightDecay: Double
    package let decay: Decay  // lr_scheduler_type
    package let warmup: Warmup
    package let maximumGradientNorm: Double  // max_grad_norm
    package let beta1: Double  // adam_beta1
    package let beta2: Double  // adam_beta2
    package let epsilon: Double  // adam_epsilon
    package let seed: UInt64
    package let shuffle: Bool
    /// Steps between lines on the terminal; records hold every step.
    package let loggingSteps: Int
    /// Steps between evaluations; 0: at the end only.
    package let evaluationSteps: Int  // eval_steps
    /// Steps between checkpoints; 0: at the end only.
    package let saveSteps: Int
    /// Checkpoints kept beside the best one.
    package let saveTotalLimit: Int
    package let bestMetric: BestMetric  // metric_for_best_model
    package let reduction: Reduction

    package enum BatchSize: Sendable, Equatable {
        /// Rows of each rank: the pool of negatives grows with the world.
        case perRank(Int)  // batch_size
        /// Rows of all ranks together.
        case global(Int)  // global_batch_size

        package func globalRows(worldSize: Int) -> Int {
            switch self {
            case .perRank(let rows): rows * worldSize
            case .global(let rows): rows
            }
        }
    }

    package enum Warmup: Sendable, Equatable {
        case steps(Int)
        case ratio(Double)

        /// Of `total` steps.
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

    init(_ values: SettingValues) {
        outputFolder = values.text("training.output_dir")
        epochs = values.integer("training.epochs")
        maximumSteps = values.optionalInteger("training.max_steps")
        batch =
            values.optionalInteger("training.global_batch_size").map(BatchSize.global) ?? .perRank(values.integer("training.batch_size"))
        learningRate = values.number("training.learning_rate")
        taskLearningRates = values.numbersByTask("training.task_learning_rates")
        weightDecay = values.number("training.weight_decay")
        decay = values.choice("training.lr_scheduler_type")
        warmup = values.optionalInteger("training.warmup_steps").map(Warmup.steps) ?? .ratio(values.number("training.warmup_ratio"))
        maximumGradientNorm = values.number("training.max_grad_norm")
        beta1 = values.number("training.adam_beta1")
        beta2 = values.number("training.adam_beta2")
        epsilon = values.number("training.adam_epsilon")
        seed = UInt64(values.integer("training.seed"))
        shuffle = values.boolean("training.shuffle")
        loggingSteps = values.integer("training.logging_steps")
        evaluationSteps = values.integer("training.eval_steps")
        saveSteps = values.integer("training.save_steps")
        saveTotalLimit = values.integer("training.save_total_limit")
        bestMetric = BestMetric(values.text("training.metric_for_best_model"))!
        reduction = values.choice("training.reduction")
    }
}

/// `METRIC@K`, at the model's full width, or `METRIC@K@WIDTH`: ndcg@10, ndcg@10@256.
package struct BestMetric: Sendable, Equatable {
    /// Key of the metric in an evaluation: `ndcg@10`.
    package let name: String
    /// Matryoshka width; nil: the full one.
    package let dimension: Int?

    package static let names = ["ndcg@10", "recall@1", "recall@5", "recall@10", "mrr@10"]

    package init?(_ text: String) {
        guard let name = Self.names.first(where: { text == $0 || text.hasPrefix("\($0)@") }) else { return nil }
        let rest = text.dropFirst(name.count + 1)
        self.name = name
        self.dimension = Int(rest)
        let isWhole = text == name || (dimension ?? 0) > 0 && rest.allSatisfy { $0.isASCII && $0.isNumber }
        if !isWhole { return nil }
    }
}

/// `lora`: what is adapted, and how adapters begin and end.
package struct LoRAConfig: Sendable {
    package let rank: Int  // r
    package let alpha: Double
    package let dropout: Double
    package let targetModules: TargetModules
    /// Decoder layers with adapters; nil: all.
    package let layers: [Int]?  // layers_to_transform
    /// Tasks to create; nil: all that the model names.
    package let tasks: [String]?
    package let startFrom: StartFrom
    package let saveFormat: SaveFormat
    package let savePrecision: SavePrecision  // save_dtype

    package enum StartFrom: Sendable, Equatable {
        /// The model's own adapters when it has some, else fresh ones.
        case automatic
        case fresh
        case path(String)
        /// Each task from a folder of its own; tasks that are not named are fresh.
        case byTask([String: TaskStart])
    }

    /// A folder with adapters, and which of them.
    package struct TaskStart: Sendable, Equatable {
        package let path: String
        /// Nil: that of the same task, or the one of a plain PEFT folder.
        package let task: String?
    }

    package enum SaveFormat: String, Sendable { case published, peft, both }
    package enum SavePrecision: String, Sendable { case bfloat16, float32 }

    /// Whether the linear at `modulePath` carries an adapter. The projector belongs to no layer.
    package func adapts(_ modulePath: String) -> Bool {
        guard targetModules.matches(modulePath) else { return false }
        guard let layers, let layer = DecoderModule.layer(ofPath: modulePath) else { return true }
        return layers.contains(layer)
    }

    init(_ values: SettingValues) {
        rank = values.integer("lora.r")
        alpha = values.number("lora.alpha")
        dropout = values.number("lora.dropout")
        targetModules = TargetModules(values["lora.target_modules"])!
        layers = values["lora.layers_to_transform"].arrayValue?.compactMap(\.integerValue).map { Int($0) }
        tasks = values["lora.tasks"].arrayValue?.compactMap(\.stringValue)
        startFrom = StartFrom(values["lora.start_from"])
        saveFormat = values.choice("lora.save_format")
        savePrecision = values.choice("lora.save_dtype")
    }
}

/// `system`: arithmetic, threads and memory.
package struct SystemConfig: Sendable {
    package let computeType: ComputeType  // compute_dtype
    /// Of each rank; nil: the cores that the rank is bound to, shared among the ranks of the host.
    package let threads: Int?
    /// Tokens of a text at most, prompt included; the rest is cut off.
    package let maximumTokens: Int  // max_seq_length
    /// Tokens of a gradient chunk.
    package let chunkTokens: Int
    /// Tokens that go through the layers together; nil: chosen by the engine.
    package let microbatchTokens: Int?
    /// Nil: the first that fits.
    package let activationMemory: ActivationMemory?
    /// Bytes of all ranks of a host; nil: by what is free at the start.
    package let memoryLimit: Int?

    init(_ values: SettingValues) {
        computeType = values.choice("system.compute_dtype")
        threads = values.optionalInteger("system.threads")
        maximumTokens = values.integer("system.max_seq_length")
        chunkTokens = values.integer("system.chunk_tokens")
        microbatchTokens = values.optionalInteger("system.microbatch_tokens")
        memoryLimit = values.optionalInteger("system.memory_limit")
        activationMemory = ActivationMemory(rawValue: values.text("system.activation_memory"))
    }
}
