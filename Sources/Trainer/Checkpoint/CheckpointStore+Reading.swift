// A run goes on from its newest whole checkpoint. Rank 0 finds and reads it and sends it to the others, which never look at the
// folder: on a network disk they might see another state of it. Finding comes first, since the global batch of the run is needed
// to prepare its data; loading needs the model.

import Comm
import Model
import Tensor

/// The newest whole checkpoint of a run, on every rank.
package struct FoundCheckpoint: Sendable {
    let record: StateRecord
    /// Hash of its manifest, and what stands above it and cannot be used. On rank 0.
    fileprivate var manifest: String?
    fileprivate var damaged: [(step: Int, damage: CheckpointDamage)] = []

    /// `step-100`
    package var name: String { CheckpointStore.name(ofStep: record.step) }
    package var step: Int { record.step }
    /// `globalBatchRows` is what the run goes on with, whatever the world size.
    package var info: CheckpointInfo { record.info }
}

/// A checkpoint as every rank holds it: nothing in it belongs to one rank.
package struct RunCheckpoint: Sendable {
    /// `step-100`
    package let name: String
    package var state: TrainingState
    package let info: CheckpointInfo
    /// Sentences for the user: damaged checkpoints, a kept global batch.
    package let notices: [String]
}

/// What a resumed run brings along, the same on every rank.
package struct ResumeSetting: Sendable {
    package let model: ModelConfig
    package let layout: AdapterLayout
    /// In the order of the adapters.
    package let tasks: [String]
    package let optimizer: AdamW.Configuration
    package let rule: ResumeRule

    package init(model: ModelConfig, layout: AdapterLayout, tasks: [String], optimizer: AdamW.Configuration, rule: ResumeRule) {
        self.model = model
        self.layout = layout
        self.tasks = tasks
        self.optimizer = optimizer
        self.rule = rule
    }
}

// MARK: - Finding

extension CheckpointStore {
    /// The newest checkpoint whose files are all as its manifest has them, or nil when there is none at all.
    ///
    /// Collective. Changes nothing.
    /// - Throws: `UserError` `.content`, on every rank: there are checkpoints but none is whole, or it is of an unknown format
    package func find(_ world: Communicator) throws -> FoundCheckpoint? {
        let found = try world.together { world.rank == 0 ? try find() : nil }
        let bytes = try world.broadcast(found?.record.json.serialized() ?? [])
        guard !bytes.isEmpty else { return nil }
        return try found ?? FoundCheckpoint(record: StateRecord(JSONValue.parse(bytes, path: "checkpoint"), path: "checkpoint"))
    }

    /// On rank 0.
    private func find() throws(UserError) -> FoundCheckpoint? {
        try folder.refuseForeign(folder.checkpoints)
        guard let (manifest, damaged) = try newestWhole() else { return nil }
        let path = path(ofStep: manifest.step) + "/" + Self.stateName
        let record = try StateRecord(JSONValue.parse(file: path), path: path)
        guard record.step == manifest.step else {
            throw UserError(.content, path, "is of step \(record.step), its manifest of step \(manifest.step)")
        }
        return FoundCheckpoint(record: record, manifest: manifest.sha256, damaged: damaged)
    }

    /// - Returns: nil without any checkpoint; with it those above it, which are damaged
    private func newestWhole() throws(UserError) -> (CheckpointManifest, damaged: [(step: Int, damage: CheckpointDamage)])? {
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
}

// MARK: - Loading

extension CheckpointStore {
    /// Reads a checkpoint that was found. Damaged ones above it are moved aside, as the run will come to their steps again.
    ///
    /// Collective.
    /// - Throws: `UserError`, on every rank: `.configuration` when settings, tasks or data differ from the run's; `.content` when its
    ///   tensors are not those of this model
    package mutating func load(_ world: Communicator, _ found: FoundCheckpoint, _ setting: ResumeSetting) throws -> RunCheckpoint {
        let ruleNotices = try world.together { try setting.rule.check(found.info, checkpoint: path(ofStep: found.step)) }
        let state = try world.together { world.rank == 0 ? try read(found, setting) : nil }
        let notices = try world.together { () throws(UserError) in world.rank == 0 ? try putAside(found) : [] }
        if let manifest = found.manifest { lastManifest = manifest }
        return RunCheckpoint(
            name: found.name, state: try world.share(state, found.record, setting), info: found.info, notices: notices + ruleNotices)
    }

    private func putAside(_ found: FoundCheckpoint) throws(UserError) -> [String] {
        var notices: [String] = []
        for (step, damage) in found.damaged { notices.append(try moveAside(step, "is damaged (\(damage.sentence))")) }
        if !found.damaged.isEmpty { notices.append("the run goes on from the older \(found.name)") }
        return notices
    }

    /// On rank 0.
    private func read(_ found: FoundCheckpoint, _ setting: ResumeSetting) throws(UserError) -> TrainingState {
        let path = path(ofStep: found.step)
        let tasks = found.record.tasks
        guard tasks.map(ExactString.init) == setting.tasks.map(ExactString.init) else {
            throw UserError(
                .configuration, path,
                "trains the tasks \(tasks.joined(separator: ", ")), now they are \(setting.tasks.joined(separator: ", ")); name the same in lora.tasks"
            )
        }
        return try state(path, step: found.step, setting)
    }

    private func state(_ path: String, step: Int, _ setting: ResumeSetting) throws(UserError) -> TrainingState {
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
        state.optimizers = try OptimizerFile.read(path + "/" + OptimizerFile.name, for: found, setting.optimizer)
        state.step = step
        return state
    }
}

extension Communicator {
    /// Rank 0's state, on every rank.
    ///
    /// Collective. What the others pass is not looked at.
    fileprivate func share(_ own: TrainingState?, _ record: StateRecord, _ setting: ResumeSetting) throws -> TrainingState {
        // Updates of each task, -1 for those never trained.
        var updates = own?.optimizers.map { $0?.steps ?? -1 } ?? record.tasks.map { _ in 0 }
        try updates.withUnsafeMutableBufferPointer { try broadcast($0) }
        var state = own ?? Self.empty(record, updates, setting)
        for task in state.adapters.indices {
            try broadcast(&state.adapters[task].values)
            guard var optimizer = state.optimizers[task] else { continue }
            state.optimizers[task] = nil  // so that the moments are not copied
            try broadcast(&optimizer.firstMoment)
            try broadcast(&optimizer.secondMoment)
            state.optimizers[task] = optimizer
        }
        return state
    }

    private func broadcast(_ values: inout [Float]) throws {
        try values.withUnsafeMutableBufferPointer { try broadcast($0) }
    }

    /// Of the right shape, to be filled.
    private static func empty(_ record: StateRecord, _ updates: [Int], _ setting: ResumeSetting) -> TrainingState {
        let layout = setting.layout
        var state = TrainingState(
            adapters: record.tasks.map { Adapter(task: $0, layout: layout, values: Array(repeating: 0, count: layout.count)) })
        for (task, steps) in updates.enumerated() where steps >= 0 {
            state.optimizers[task] = AdamW(setting.optimizer, count: layout.decoderCount)
            state.optimizers[task]?.steps = steps
        }
        state.step = record.step
        return state
    }
}
