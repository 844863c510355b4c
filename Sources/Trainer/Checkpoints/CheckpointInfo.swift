// What a checkpoint tells of its run beside the numbers: file state.json. A resumed run is held against it.
// Nothing here or in the other files belongs to one rank, so that any number of ranks can go on.

import Files

/// The circumstances in which a checkpoint was written.
package struct CheckpointInfo: Sendable {
    /// Passes over the data that were complete.
    package var epoch: Int
    /// Ranks that trained.
    package var worldSize: Int
    /// Rows of all ranks together, which a resumed run keeps.
    package var globalBatchRows: Int
    package var stepsPerEpoch: Int
    /// Path of each training file, and what tells its content from another's.
    package var dataFingerprints: [String: String]
    /// Every setting, as `ProjectConfig.resolved()` gives them.
    package var configuration: JSONValue
    /// Best of the checkpoints so far.
    package var best: BestCheckpoint?
    /// Of Shoal, its libraries and the processor.
    package var versions: [String: String]

    package init(
        epoch: Int, worldSize: Int, globalBatchRows: Int, stepsPerEpoch: Int, dataFingerprints: [String: String],
        configuration: JSONValue, best: BestCheckpoint?, versions: [String: String]
    ) {
        self.epoch = epoch
        self.worldSize = worldSize
        self.globalBatchRows = globalBatchRows
        self.stepsPerEpoch = stepsPerEpoch
        self.dataFingerprints = dataFingerprints
        self.configuration = configuration
        self.best = best
        self.versions = versions
    }
}

/// The checkpoint that is kept for its quality.
package struct BestCheckpoint: Sendable, Equatable {
    /// `step-100`
    package let name: String
    /// `ndcg@10`; more is better.
    package let metric: String
    package let value: Double

    package init(name: String, metric: String, value: Double) {
        self.name = name
        self.metric = metric
        self.value = value
    }

    /// The better of two; of equals the older, and nothing that is not finite.
    package static func better(_ old: BestCheckpoint?, _ new: BestCheckpoint) -> BestCheckpoint? {
        guard new.value.isFinite else { return old }
        guard let old else { return new }
        return new.value > old.value ? new : old
    }
}

/// The content of state.json.
package struct StateRecord {
    /// Rises when a reader of this version could misunderstand the files.
    static let format: Int64 = 1

    package let step: Int
    package let tasks: [String]
    package let info: CheckpointInfo
    /// SHA-256 of the manifest of the checkpoint that this run wrote or read before: a chain. Nil for the first.
    let previousManifest: String?

    var json: JSONValue {
        let best: JSONValue =
            info.best.map { ["name": .string($0.name), "metric": .string($0.metric), "value": .number($0.value)] } ?? .null
        return [
            "format": .integer(Self.format), "step": .integer(Int64(step)), "epoch": .integer(Int64(info.epoch)),
            "tasks": .array(tasks.map { .string($0) }), "world_size": .integer(Int64(info.worldSize)),
            "global_batch_rows": .integer(Int64(info.globalBatchRows)), "steps_per_epoch": .integer(Int64(info.stepsPerEpoch)),
            "best": best, "previous_manifest": previousManifest.map { .string($0) } ?? .null, "data": .init(info.dataFingerprints),
            "versions": .init(info.versions), "configuration": info.configuration,
        ]
    }

    /// - Throws: `UserError` `.content`, also for a format that this version does not know
    package init(_ json: JSONValue, path: String) throws(UserError) {
        let reader = StateReader(json: json, path: path)
        let format = try reader.integer("format")
        guard format == Self.format else {
            throw UserError(
                .content, path,
                "is of format \(format), and this version of Shoal reads format \(Self.format); resume with the other version")
        }
        step = try reader.integer("step")
        tasks = try reader.take("tasks") { $0.arrayValue?.compactMap(\.stringValue) }
        previousManifest = try reader.take("previous_manifest") { .some($0.stringValue) }
        info = CheckpointInfo(
            epoch: try reader.integer("epoch"), worldSize: try reader.integer("world_size"),
            globalBatchRows: try reader.integer("global_batch_rows"), stepsPerEpoch: try reader.integer("steps_per_epoch"),
            dataFingerprints: try reader.texts("data"), configuration: try reader.take("configuration") { $0 },
            best: try reader.take("best") { $0.isNull ? .some(nil) : BestCheckpoint($0).map { .some($0) } },
            versions: try reader.texts("versions"))
    }

    init(step: Int, tasks: [String], info: CheckpointInfo, previousManifest: String?) {
        self.step = step
        self.tasks = tasks
        self.info = info
        self.previousManifest = previousManifest
    }
}

extension BestCheckpoint {
    fileprivate init?(_ json: JSONValue) {
        guard let name = json["name"]?.stringValue, let metric = json["metric"]?.stringValue, let value = json["value"]?.numberValue
        else { return nil }
        self.init(name: name, metric: metric, value: value)
    }
}

/// Members of state.json that must be there.
private struct StateReader {
    let json: JSONValue
    let path: String

    func take<Value>(_ key: String, _ value: (JSONValue) -> Value?) throws(UserError) -> Value {
        guard let found = json[key].flatMap(value) else {
            throw UserError(.content, path, "lacks \(quoted(key)) in its right form; restore the checkpoint from a copy")
        }
        return found
    }

    /// Not negative.
    func integer(_ key: String) throws(UserError) -> Int {
        try take(key) { $0.integerValue.flatMap { $0 >= 0 ? Int($0) : nil } }
    }

    func texts(_ key: String) throws(UserError) -> [String: String] {
        try take(key) { value in
            value.objectValue.map { Dictionary($0.entries.map { ($0.key, $0.value.stringValue ?? "") }) { first, _ in first } }
        }
    }
}

extension JSONValue {
    /// Keys in the order of their bytes.
    fileprivate init(_ texts: [String: String]) {
        var object = JSONObject()
        for key in texts.keys.sorted(by: { ExactString($0) < ExactString($1) }) { object[key] = .string(texts[key]!) }
        self = .object(object)
    }
}
