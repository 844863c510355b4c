// A run goes on from its newest whole checkpoint. Rank 0 finds and reads it and sends it to the others, which never look at the
// folder: on a network disk they might see another state of it.

import Comm
import Files
import Model
import Tensor

/// A checkpoint as every rank holds it: but for the memory banks, of which each rank has a share, nothing belongs to one rank.
package struct RunCheckpoint: Sendable {
    /// `step-100`
    package let name: String
    package var state: TrainingState
    /// `globalBatchRows` is what the run goes on with, whatever the world size.
    package let info: CheckpointInfo
    /// Of a backbone that brings none, where late vectors are trained.
    package let projector: Projector?
    /// Sentences for the user: damaged checkpoints, a kept global batch.
    package let notices: [String]
}

/// What a resumed run brings along, the same on every rank.
package struct ResumeSetting: Sendable {
    package let model: ModelConfig
    package let layout: AdapterLayout
    /// In the order of the adapters.
    package let tasks: [String]
    /// That the loss compares.
    package let heads: EmbeddingHeads
    package let memoryBankSteps: Int
    package let optimizer: AdamW.Configuration
    package let rule: ResumeRule

    /// Parameters of an adapter that the loss reaches.
    var trainedCount: Int { layout.count(reachedBy: heads) }

    package init(
        model: ModelConfig, layout: AdapterLayout, tasks: [String], heads: EmbeddingHeads, memoryBankSteps: Int,
        optimizer: AdamW.Configuration, rule: ResumeRule
    ) {
        self.model = model
        self.layout = layout
        self.tasks = tasks
        self.heads = heads
        self.memoryBankSteps = memoryBankSteps
        self.optimizer = optimizer
        self.rule = rule
    }
}

extension CheckpointStore {
    /// The newest whole checkpoint, or nil when there is none at all.
    ///
    /// Collective. A damaged one is moved aside for an older whole one.
    /// - Throws: `UserError`, on every rank: `.content` when none is whole, or it is of a format or shape that is not known;
    ///   `.configuration` when settings or data differ from the run's
    package mutating func newest(_ world: Communicator, _ setting: ResumeSetting) throws -> RunCheckpoint? {
        let found = try world.together { world.rank == 0 ? try read(setting) : nil }
        return try world.share(found, setting)
    }

    /// On rank 0.
    mutating func read(_ setting: ResumeSetting) throws(UserError) -> RunCheckpoint? {
        try folder.refuseForeign(folder.checkpoints)
        guard let (manifest, damaged) = try newestWhole() else { return nil }
        let path = path(ofStep: manifest.step)
        let statePath = path + "/" + Self.stateName
        let record = try StateRecord(JSONValue.parse(file: statePath), path: statePath)
        guard record.step == manifest.step else {
            throw UserError(.content, statePath, "is of step \(record.step), its manifest of step \(manifest.step)")
        }
        let ruleNotices = try setting.rule.check(record.info, checkpoint: path)
        guard record.tasks.map(ExactString.init) == setting.tasks.map(ExactString.init) else {
            throw UserError(
                .configuration, path,
                "trains the tasks \(record.tasks.joined(separator: ", ")), now they are \(setting.tasks.joined(separator: ", ")); name the same in lora.tasks"
            )
        }
        let (state, projector) = try state(path, step: manifest.step, setting)

        // Only now: what is refused above leaves everything as it was found.
        var notices: [String] = []
        for (step, damage) in damaged { notices.append(try moveAside(step, "is damaged (\(damage.sentence))")) }
        if !damaged.isEmpty { notices.append("the run goes on from the older \(Self.name(ofStep: manifest.step))") }
        lastManifest = manifest.sha256
        return RunCheckpoint(
            name: Self.name(ofStep: manifest.step), state: state, info: record.info, projector: projector,
            notices: notices + ruleNotices)
    }

    /// - Returns: nil without any checkpoint; with it those above it, which are damaged
    func newestWhole() throws(UserError) -> (CheckpointManifest, damaged: [(Int, CheckpointDamage)])? {
        var damaged: [(step: Int, damage: CheckpointDamage)] = []
        for step in steps() {
            switch try verified(step) {
            case .success(let manifest): return (manifest, damaged)
            case .failure(let damage): damaged.append((step, damage))
            }
        }
        guard !damaged.isEmpty else { return nil }
        let list = damaged.map { "\(Self.name(ofStep: $0.step)): \($0.damage.sentence)" }.joined(separator: "; ")
        throw UserError(
            .content, folder.checkpoints,
            "holds no whole checkpoint (\(list)); restore one from a copy, or start anew in another training.output_dir")
    }

    private func state(
        _ path: String, step: Int, _ setting: ResumeSetting
    ) throws(UserError) -> (TrainingState, Projector?) {
        let adapters = try AdapterFile.read(path, config: setting.model)
        guard adapters.layout == setting.layout else {
            throw UserError(
                .content, adapters.source.weightsPath,
                "has adapters of \(adapters.layout.count) parameters, this run of \(setting.layout.count), or on other linears; the backbone at base_model_path is another"
            )
        }
        var found: [Adapter] = []
        for task in setting.tasks {
            guard let adapter = adapters.adapter(for: task) else {
                throw UserError(.content, adapters.source.weightsPath, "lacks an adapter for \(quoted(task))")
            }
            found.append(adapter)
        }
        var state = TrainingState(adapters: found)
        state.optimizers = try OptimizerFile.read(
            path + "/" + OptimizerFile.name, for: found, count: setting.trainedCount, setting.optimizer)
        if setting.memoryBankSteps > 0 { state.banks = try MemoryBankFile.read(path + "/" + MemoryBankFile.name, setting) }
        state.step = step
        return (state, adapters.projector)
    }
}

extension Communicator {
    /// Rank 0's checkpoint, on every rank.
    ///
    /// Collective. What the others pass is not looked at.
    fileprivate func share(_ checkpoint: RunCheckpoint?, _ setting: ResumeSetting) throws -> RunCheckpoint? {
        let bytes = try broadcast(checkpoint.map { SharedHeader($0).json.serialized() } ?? [])
        guard !bytes.isEmpty else { return nil }
        let header = try SharedHeader(JSONValue.parse(bytes, path: "checkpoint"))
        var state = checkpoint?.state ?? header.emptyState(setting)
        for task in state.adapters.indices {
            try broadcast(&state.adapters[task].values)
            guard var optimizer = state.optimizers[task] else { continue }
            state.optimizers[task] = nil  // the moments are not copied to be written
            try broadcast(&optimizer.firstMoment)
            try broadcast(&optimizer.secondMoment)
            state.optimizers[task] = optimizer
        }
        for (task, steps) in header.bankSteps.enumerated() {
            state.banks[task] = try share(checkpoint?.state.banks[task], steps: steps, setting)
        }
        let projector = header.hasProjector ? try share(checkpoint?.projector, setting.model) : nil
        return RunCheckpoint(
            name: CheckpointStore.name(ofStep: header.record.step), state: state, info: header.record.info, projector: projector,
            notices: header.notices)
    }

    private func share(_ projector: Projector?, _ config: ModelConfig) throws -> Projector {
        let (rows, columns) = (config.projectorDimension, config.text.hiddenSize)
        var weight = projector?.weight.widened() ?? [Float](repeating: 0, count: rows * columns)
        var bias = projector?.bias ?? [Float](repeating: 0, count: rows)
        try broadcast(&weight)
        try broadcast(&bias)
        return Projector(weight: WeightMatrix(Tensor(weight, rows: rows, columns: columns)), bias: bias)
    }
}

/// All of a checkpoint but its long arrays.
private struct SharedHeader {
    let record: StateRecord
    /// Updates of each task, nil for those never trained.
    let updates: [Int?]
    /// Steps in the memory bank of each task.
    let bankSteps: [Int]
    let hasProjector: Bool
    let notices: [String]

    init(_ checkpoint: RunCheckpoint) {
        let state = checkpoint.state
        record = StateRecord(step: state.step, tasks: state.adapters.map(\.task), info: checkpoint.info, previousManifest: nil)
        updates = state.optimizers.map { $0?.steps }
        bankSteps = state.banks.map(\.steps.count)
        hasProjector = checkpoint.projector != nil
        notices = checkpoint.notices
    }

    var json: JSONValue {
        [
            "record": record.json, "updates": .array(updates.map { $0.map { .integer(Int64($0)) } ?? .null }),
            "bank_steps": .array(bankSteps.map { .integer(Int64($0)) }), "projector": .bool(hasProjector),
            "notices": .array(notices.map { .string($0) }),
        ]
    }

    init(_ json: JSONValue) throws(UserError) {
        record = try StateRecord(json["record"] ?? .null, path: "checkpoint")
        updates = json["updates"]?.arrayValue?.map { $0.integerValue.map { Int($0) } } ?? []
        bankSteps = json["bank_steps"]?.arrayValue?.map { $0.integerValue.map { Int($0) } ?? 0 } ?? []
        hasProjector = json["projector"]?.boolValue ?? false
        notices = json["notices"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    /// Of the right shape, to be filled.
    func emptyState(_ setting: ResumeSetting) -> TrainingState {
        let layout = setting.layout
        var state = TrainingState(
            adapters: record.tasks.map { Adapter(task: $0, layout: layout, values: Array(repeating: 0, count: layout.count)) })
        for (task, steps) in updates.enumerated() {
            guard let steps else { continue }
            state.optimizers[task] = AdamW(setting.optimizer, count: setting.trainedCount)
            state.optimizers[task]?.steps = steps
        }
        state.step = record.step
        return state
    }
}
