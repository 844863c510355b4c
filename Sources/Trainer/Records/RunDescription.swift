// From a run's set-up to the values that its start-up table, run.json and model card are made of.

import Comm
import Data
import Embedding
import Evaluation
import Files
import Foundation
import Model
import Project
import Tensor

extension StartupReport {
    /// - Parameter evaluation: what is evaluated on
    init(_ setup: TrainingSetup, _ step: TrainingStep, evaluation: String?) {
        let plan = step.shards.plan(setup.sampler.batches(epoch: 0)[0], step: 1)
        let (config, session, world) = (setup.config, setup.session, setup.world)
        let layout = setup.layout
        self.init(
            model: Model(
                folder: config.baseModelPath, parameters: session.checkpoint.parameterCount, layers: session.checkpoint.config.text.layers,
                element: session.checkpoint.layers[0].q.element.rawValue),
            adapter: Adapter(
                tasks: setup.start.adapters.map(\.task), trainedTasks: setup.trainedTasks, rank: layout.rank, alpha: layout.alpha,
                dropout: config.lora.dropout, trainedParameters: layout.count(reachedBy: config.loss.heads),
                start: setup.start.description),
            data: Data(
                files: setup.files, rowsByTask: setup.rowsByTask,
                truncatedTexts: setup.index.truncated,
                maximumTokens: session.processor.maxTokens, droppedNegatives: setup.index.droppedNegatives,
                skippedRows: setup.index.skippedRows, leftOverRows: setup.sampler.leftOver, evaluation: evaluation),
            batch: Batch(
                size: setup.checkpoint == nil ? config.training.batch : .global(setup.globalRows), worldSize: world.worldSize,
                candidates: plan.candidates.count,
                earlierCandidates: min(config.loss.memoryBankSteps, setup.totalSteps - 1) * plan.candidates.count,
                epochs: config.training.epochs, batchesPerEpoch: setup.sampler.batchesPerEpoch,
                maximumSteps: config.training.maximumSteps,
                efficiency: plan.efficiency(worldSize: world.worldSize, cost: step.shards.inputCost),
                chunkTokens: config.system.chunkTokens),
            engine: Engine(
                engine: session.engine.engine, requested: config.system.computeType,
                processorHasBFloat16: InstructionSet.current.multipliesBFloat16, proof: session.engine.proof),
            placement: Placement(world.hosts, threads: Threads.count),
            memory: Memory(
                mappedBytes: session.checkpoint.byteCount, copy: session.weights.copy,
                estimate: setup.memoryEstimate(step)),
            reduction: Reduction(
                kind: config.training.reduction,
                bytes: layout.count(reachedBy: config.loss.heads) * (config.training.reduction == .exact ? 8 : 4)),
            outputFolder: config.training.outputFolder, resumedStep: setup.checkpoint?.state.step, overrides: config.overrides,
            notices: setup.notices)
    }
}

extension RunRecord {
    /// A new record, or that of the run in `folder` with one more start.
    init(_ setup: TrainingSetup, folder: String) throws(UserError) {
        let world = setup.world
        let start = Start(
            step: setup.checkpoint?.state.step ?? 0, time: Date(),
            hosts: (0..<world.hosts.count).map { host in
                let ranks = world.hosts.ranks(on: host)
                return (world.hosts.names[ranks[0]], ranks.count)
            },
            processor: Processor.model, engine: setup.session.engine, threadsPerRank: Threads.count,
            versions: .current, overrides: setup.config.overrides.map { "\($0.key)=\($0.text)" })
        if world.rank == 0, setup.checkpoint != nil, FileManager.default.fileExists(atPath: "\(folder)/\(Self.fileName)") {
            self = try Self.read(folder: folder)
            begin(start)
            return
        }
        self.init(
            configuration: setup.config.resolved(),
            model: Model(
                folder: setup.config.baseModelPath, fingerprint: setup.session.checkpoint.fingerprint(),
                parameters: setup.session.checkpoint.parameterCount),
            data: setup.dataFiles, prompts: setup.prompts, start: start)
    }
}

extension ModelCard {
    /// - Parameters:
    ///   - evaluation: after the last step; empty when nothing was evaluated
    ///   - losses: see `TaskLosses.latest`
    init(_ setup: TrainingSetup, _ state: TrainingState, evaluation: [EvaluationResult], losses: [(task: String, mean: Double)]) {
        let config = setup.config
        let layout = setup.layout
        let trained = state.trainedAdapters.map(\.task)
        self.init(
            baseModel: config.baseModelPath, tasks: setup.start.adapters.map(\.task), trainedTasks: trained,
            rank: layout.rank, alpha: layout.alpha, dropout: config.lora.dropout, parameters: layout.count,
            saveFormat: config.lora.saveFormat, heads: config.loss.heads,
            hasOwnProjector: setup.session.addedProjector != nil, hasImages: setup.index.hasImages,
            data: setup.dataFiles,
            prompts: trained.map { Prompts(task: $0, pair: setup.prompts[$0] ?? .usual(task: $0)) },
            maximumTokens: setup.session.processor.maxTokens, steps: state.step,
            epochs: Double(state.step) / Double(setup.sampler.batchesPerEpoch), globalBatchRows: setup.globalRows,
            worldSize: setup.world.worldSize, engine: setup.session.model.engine.kind, processor: Processor.model,
            versions: .current, losses: losses, evaluationAfter: evaluation, settings: SettingLines(config.resolved())
        )
    }
}

extension TrainingState {
    /// Those that have had an update.
    var trainedAdapters: [Adapter] { zip(adapters, optimizers).compactMap { $1 == nil ? nil : $0 } }
}

extension TrainingSetup {
    /// Tasks whose rows fill a batch, in the order of the adapters.
    var trainedTasks: [String] {
        let tasks = Set(sampler.kinds.filter(\.fillsBatch).map(\.kind.task))
        return source.taskNames.indices.filter(tasks.contains).map { source.taskNames[$0] }
    }

    /// What stands before the texts of each task that has rows: in the first file that has some of it.
    var prompts: [String: PromptPair] {
        var prompts: [String: PromptPair] = [:]
        for (number, task) in source.taskNames.enumerated() {
            guard let file = index.files.firstIndex(where: { $0.header.rowsByTask[number] > 0 }) else { continue }
            let pair = config.data.train[source.files[file].set].prompts(task: task)
            prompts[task] = PromptPair(query: pair.query.prefix, passage: pair.positive.prefix)
        }
        return prompts
    }

    /// What is written about the adapters beside their values.
    var adapterDescription: AdapterFile.Description {
        AdapterFile.Description(
            dropout: config.lora.dropout, initialization: .gaussian, base: config.baseModelPath, projector: session.addedProjector,
            prompts: prompts,
            sentenceTransformers: SentenceTransformersFiles(
                model: config.baseModelPath, width: session.checkpoint.config.text.hiddenSize, maxTokens: session.processor.maxTokens))
    }

    /// Tasks that have rows.
    fileprivate var rowsByTask: [StartupReport.TaskRows] {
        source.taskNames.indices.filter { index.rowsByTask[$0] > 0 }.map { task in
            StartupReport.TaskRows(task: source.taskNames[task], rows: index.rowsByTask[task], graded: index.gradedByTask[task])
        }
    }

    fileprivate var files: [StartupReport.File] {
        zip(config.data.train, source.sets(index, config.data)).enumerated().map { set, entry in
            let rows = zip(source.files, index.files).reduce(0) { $0 + ($1.0.set == set ? $1.1.header.fileRows : 0) }
            let taken = sampler.rowsBySet[set]
            return StartupReport.File(path: entry.0.path, rows: rows, rowsOfEpoch: taken == entry.1.rows ? nil : taken)
        }
    }

    var dataFiles: [RunRecord.DataFile] {
        zip(source.files, index.files).map { file, rows in
            RunRecord.DataFile(
                path: file.path, bytes: rows.header.origin.size, sha256: dataFingerprints[file.path]!, rows: rows.header.fileRows)
        }
    }
}

extension Versions {
    /// Of this process.
    static var current: Versions { Versions(openMPI: World.libraryVersion) }
}
