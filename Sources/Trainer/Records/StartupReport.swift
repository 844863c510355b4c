// What runs, as values: the trainer fills them in once everything is read and planned, StartupTable puts them into words.

import Comm
import Config
import Embedding
import Model
import Project
import Tensor

/// Everything that the start-up table tells. Counts are of the whole world unless said otherwise.
package struct StartupReport: Sendable {
    package var model: Model
    package var adapter: Adapter
    package var data: Data
    package var batch: Batch
    package var engine: Engine
    package var placement: Placement
    package var memory: Memory
    package var reduction: Reduction
    package var outputFolder: String
    /// Updates made before; nil in a run that starts.
    package var resumedStep: Int?
    package var overrides: [SettingValues.Override]
    /// Sentences about what was accepted but does nothing, or was changed.
    package var notices: [String]

    package struct Model: Sendable {
        package var folder: String
        package var parameters: Int
        package var layers: Int
        /// As the file stores them: `BF16`.
        package var element: String
    }

    package struct Adapter: Sendable {
        /// Of the model's adapters.
        package var tasks: [String]
        /// Those whose rows fill a batch.
        package var trainedTasks: [String]
        package var rank: Int
        package var alpha: Double
        package var dropout: Double
        /// That a step trains: the active task's, as far as the loss reaches.
        package var trainedParameters: Int
        /// `fresh`, `continues the model's own`, `continues PATH`.
        package var start: String
    }

    package struct Data: Sendable {
        /// In the order of `data.train`.
        package var files: [File]
        /// In the order of the model's tasks; tasks without rows are left out.
        package var rowsByTask: [TaskRows]
        package var truncatedTexts: Int
        package var maximumTokens: Int
        package var droppedNegatives: Int
        /// Because of an image that cannot be used.
        package var skippedRows = 0
        package var leftOverRows: Int
        /// What is evaluated on; nil: nothing.
        package var evaluation: String?
    }

    /// A training file.
    package struct File: Sendable {
        package var path: String
        package var rows: Int
        /// That an epoch takes, where they are not each row once.
        package var rowsOfEpoch: Int?
    }

    /// Rows of a task in all files.
    package struct TaskRows: Sendable {
        package var task: String
        package var rows: Int
        /// Of them, those with a score.
        package var graded = 0
    }

    package struct Batch: Sendable {
        package var size: TrainingConfig.BatchSize
        package var worldSize: Int
        /// Positives and hard negatives of the first step.
        package var candidates: Int
        /// That as many steps leave in the memory bank as it takes.
        package var earlierCandidates = 0
        package var epochs: Int
        package var batchesPerEpoch: Int
        /// nil: `epochs` passes.
        package var maximumSteps: Int?
        /// Mean load of the ranks over the largest, in the first step.
        package var efficiency: Double
        package var chunkTokens: Int

        package var steps: Int { maximumSteps ?? epochs * batchesPerEpoch }
    }

    package struct Engine: Sendable {
        package var engine: MatrixEngine
        package var requested: ComputeType
        /// Whether the processor multiplies bfloat16 faster than float32.
        package var processorHasBFloat16: Bool
        /// Nil: bits are not promised.
        package var proof: EngineChoice.Proof?
    }

    /// Where the ranks are and what they compute on. Of threads and cores: rank 0's.
    package struct Placement: Sendable {
        package var hosts: [(name: String, ranks: [Int])]
        package var threads: Int
        /// That this rank may run on.
        package var boundCores: Int
        /// Its part of them.
        package var coresPerRank: Int
        /// Of the machine.
        package var machineCores: Int
        package var isLaunched: Bool

        package init(_ hosts: Hosts, threads: Int, machineCores: Int = Machine.cores, isLaunched: Bool = World.isLaunched) {
            self.hosts = (0..<hosts.count).map { host in
                let ranks = hosts.ranks(on: host)
                return (hosts.names[ranks[0]], ranks)
            }
            self.threads = threads
            boundCores = hosts.cores
            coresPerRank = hosts.coresPerRank
            self.machineCores = machineCores
            self.isLaunched = isLaunched
        }

        /// Ranks on rank 0's host.
        var localRanks: Int { hosts.first { $0.ranks.contains(0) }?.ranks.count ?? 1 }
    }

    package struct Memory: Sendable {
        /// Of the model's files, shared by the ranks of a host.
        package var mappedBytes: Int
        /// A copy of the matrices for the engine, shared by the ranks of a host; nil: they are used as they are stored.
        package var copy: HostWeights.Copy?
        /// Of the largest step.
        package var estimate: MemoryEstimate
    }

    package struct Reduction: Sendable {
        package var kind: TrainingConfig.Reduction
        /// That a rank adds up with the others, each step.
        package var bytes: Int
    }
}
