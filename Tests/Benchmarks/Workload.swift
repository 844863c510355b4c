// The run whose steps are timed, and the timing.

import Comm
import Data
import Files
import Model
import Project
import Tensor
import Trainer

/// LoRA of rank 32 on all seven linears, one task, no dropout, batches in the order of the file.
struct Workload {
    let model: String
    /// A file of pairs.
    let data: String
    /// Of a step, over all ranks.
    let pairs: Int
    var computeType: ComputeType = .automatic
    /// Of each rank; nil: its share of the cores.
    var threads: Int?

    /// - Parameter settings: `key=value`, as of `--set`
    func config(_ settings: [String] = []) throws(UserError) -> ProjectConfig {
        var system: JSONObject = JSONObject()
        system["compute_dtype"] = .string(computeType.rawValue)
        system["threads"] = threads.map { .integer(Int64($0)) }
        let yaml: JSONValue = [
            "base_model_path": .string(model),
            "data": ["train": [["path": .string(data), "task": "retrieval"]], "cache_dir": ".build/benchmark/tokens"],
            "training": [
                "output_dir": ".build/benchmark/run", "global_batch_size": .integer(Int64(pairs)), "max_steps": 1_000_000, "shuffle": false,
            ],
            "lora": ["r": 32, "alpha": 32, "dropout": 0, "tasks": ["retrieval"], "start_from": "fresh"], "system": .object(system),
        ]
        return try ProjectConfig.decode(yaml: yaml.serialized(), path: "the benchmark's configuration", overrides: settings)
    }
}

/// A step and what it took.
struct TimedStep {
    let metrics: StepMetrics
    /// From begin to end, what no phase counts included.
    let seconds: Double
    /// Of making the plan, which the step does among what no phase counts.
    let planSeconds: Double

    var tokensPerSecond: Double { Double(metrics.tokens) / seconds }

    /// Collective. Runs a step for each batch.
    static func run(_ setup: TrainingSetup, _ world: Communicator, batches: some Sequence<[Int]>) throws -> [TimedStep] {
        let stepper = Stepper(setup, world)
        return try batches.map { try stepper.step($0) }
    }
}

/// A run that goes on by one step after the other.
final class Stepper {
    private let trainingStep: TrainingStep
    private let world: Communicator
    private var state: TrainingState

    init(_ setup: TrainingSetup, _ world: Communicator) {
        trainingStep = setup.step(in: world)
        state = setup.state
        self.world = world
    }

    /// Collective.
    func step(_ batch: [Int]) throws -> TimedStep {
        let planSeconds = Stopwatch.seconds { _ = trainingStep.shards.plan(batch, step: 1) }
        try world.barrier()
        var metrics: StepMetrics?
        let seconds = try Stopwatch.seconds { metrics = try trainingStep.run(batch, &state) }
        return TimedStep(metrics: metrics!, seconds: seconds, planSeconds: planSeconds)
    }
}

extension BatchSampler {
    /// The batches of the first steps, epoch after epoch.
    func firstBatches(_ count: Int) -> [[Int]] {
        let epochs = (count + batchesPerEpoch - 1) / batchesPerEpoch
        return Array((0..<epochs).flatMap { batches(epoch: $0) }.prefix(count))
    }
}

extension Checkpoint {
    /// Of the decoder's linears.
    var frozenParameters: Int {
        layers.reduce(0) { sum, layer in
            sum + [layer.q, layer.k, layer.v, layer.o, layer.gate, layer.up, layer.down].reduce(0) { $0 + $1.count }
        }
    }

    /// Additions and multiplications of frozen products a token: forward, and the gradient of the activations.
    var operationsPerToken: Double { 4 * Double(frozenParameters) }
}
