// run.json: what ran, where and how it ended, for people, for `--resume` and for reports. Rewritten as a whole at every change,
// so that after a crash it is the last whole one, with the status "running".

import Embedding
import Files
import Foundation
import Model
import Tensor

/// The record of a run. A run that goes on keeps its record and adds a start.
///
///     var record = RunRecord(configuration: config.resolved(), model: model, data: files, start: start)
///     try record.write(folder: config.training.outputFolder)
///     record.end(.finished, step: 100, at: Date())
package struct RunRecord: Sendable {
    package static let fileName = "run.json"

    /// One process's part of the run, from its start or resumption to its end.
    package struct Start: Sendable {
        /// Updates made before.
        package var step: Int
        package var time: Date
        /// In the order of their lowest ranks.
        package var hosts: [(name: String, ranks: Int)]
        package var processor: String
        package var engine: EngineChoice
        package var threadsPerRank: Int
        package var versions: Versions
        /// `key=value` of each `--set`.
        package var overrides: [String]
    }

    /// A backbone, known again by a hash of its headers and sampled pages.
    package struct Model: Sendable {
        package var folder: String
        package var fingerprint: [UInt8]
        package var parameters: Int
    }

    /// A data file, known again by its content.
    package struct DataFile: Sendable {
        package var path: String
        package var bytes: Int
        /// Lower-case hexadecimal.
        package var sha256: String
        package var rows: Int
    }

    package struct BestCheckpoint: Sendable, Equatable {
        /// Of its folder: `step-500`.
        package var name: String
        package var step: Int
        /// As `training.metric_for_best_model` spells it.
        package var metric: String
        package var value: Double
    }

    private var document = JSONObject()

    package init(configuration: JSONValue, model: Model, data: [DataFile], prompts: [String: PromptPair] = [:], start: Start) {
        document["status"] = .string(RunStatus.running.rawValue)
        document["step"] = .whole(start.step)
        document["best_checkpoint"] = .null
        document["starts"] = []
        document["model"] = [
            "folder": .string(model.folder), "fingerprint": .string(SHA256.hex(model.fingerprint)), "parameters": .whole(model.parameters),
        ]
        document["data"] = .array(
            data.map {
                ["path": .string($0.path), "bytes": .whole($0.bytes), "sha256": .string($0.sha256), "rows": .whole($0.rows)]
            })
        document["prompts"] = PromptPair.json(prompts)
        document["configuration_sha256"] = .string(Self.hash(of: configuration))
        document["configuration"] = configuration
        begin(start)
    }

    /// Of a configuration, whatever the order of its keys: lower-case hexadecimal.
    package static func hash(of configuration: JSONValue) -> String {
        SHA256.hex(SHA256.hash(of: configuration.serialized(pretty: false, sortedKeys: true)))
    }

    /// - Throws: `UserError` `.missing`; `.content` when it is no run record
    package static func read(folder: String) throws(UserError) -> RunRecord {
        let path = "\(folder)/\(fileName)"
        let json = try JSONValue.parse(file: path)
        guard let document = json.objectValue, document["configuration"]?.objectValue != nil, document["starts"]?.arrayValue != nil else {
            throw UserError(.content, path, "the file is no run record of Shoal; choose another training.output_dir, or move the file away")
        }
        return RunRecord(document: document)
    }

    private init(document: JSONObject) {
        self.document = document
    }

    // MARK: What it holds

    /// All of it.
    package var json: JSONValue { .object(document) }

    /// The resolved configuration that the run was started with.
    package var configuration: JSONValue { document["configuration"] ?? .null }

    package var status: RunStatus? { document["status"]?.stringValue.flatMap(RunStatus.init) }

    /// The checkpoint that is best so far; nil before the first evaluation.
    package var bestCheckpoint: BestCheckpoint? {
        get {
            guard let best = document["best_checkpoint"], let name = best["name"]?.stringValue, let step = best["step"]?.integerValue,
                let metric = best["metric"]?.stringValue, let value = best["value"]?.numberValue
            else { return nil }
            return BestCheckpoint(name: name, step: Int(step), metric: metric, value: value)
        }
        set {
            guard let best = newValue else {
                document["best_checkpoint"] = .null
                return
            }
            document["best_checkpoint"] = [
                "name": .string(best.name), "step": .whole(best.step), "metric": .string(best.metric), "value": .number(best.value),
            ]
        }
    }

    // MARK: What happens

    private static func json(of choice: EngineChoice) -> JSONValue {
        let engine = choice.engine
        return [
            "compute_dtype": .string(engine.kind.rawValue), "library": .string(engine.libraryVersion),
            "instruction_set": engine.library == .own ? .string(engine.instructions.rawValue) : .null,
            "arithmetic": .string(engine.arithmetic),
            "row_check": .string(choice.proof.map { $0 == .made ? "passed at this start" : "passed earlier" } ?? "not asked for"),
        ]
    }

    /// Adds a start, when the run goes on.
    package mutating func begin(_ start: Start) {
        let versions = start.versions.list.map { ($0.name, JSONValue.string($0.version)) }
        var names = JSONObject()
        for (name, version) in versions { names[name] = version }
        let entry: JSONValue = [
            "step": .whole(start.step), "started": .string(Self.text(start.time)), "ended": .null,
            "status": .string(RunStatus.running.rawValue), "world_size": .whole(start.hosts.reduce(0) { $0 + $1.ranks }),
            "hosts": .array(start.hosts.map { ["name": .string($0.name), "ranks": .whole($0.ranks)] }),
            "processor": .string(start.processor), "engine": Self.json(of: start.engine),
            "threads_per_rank": .whole(start.threadsPerRank), "versions": .object(names),
            "overrides": .array(start.overrides.map { .string($0) }),
        ]
        document["starts"] = .array((document["starts"]?.arrayValue ?? []) + [entry])
        document["status"] = .string(RunStatus.running.rawValue)
    }

    /// - Parameter step: updates made in all
    package mutating func end(_ status: RunStatus, step: Int, at time: Date) {
        document["status"] = .string(status.rawValue)
        document["step"] = .whole(step)
        guard var starts = document["starts"]?.arrayValue, var last = starts.popLast()?.objectValue else { return }
        last["status"] = .string(status.rawValue)
        last["ended"] = .string(Self.text(time))
        document["starts"] = .array(starts + [.object(last)])
    }

    /// Replaces run.json in the run's folder.
    ///
    /// - Throws: `UserError` `.output`; an older file is then untouched
    package func write(folder: String) throws(UserError) {
        let bytes = JSONValue.object(document).serialized(pretty: true) + [UInt8(ascii: "\n")]
        try AtomicWrite.write(bytes, to: "\(folder)/\(Self.fileName)")
    }

    /// `2026-08-01T12:30:00Z`
    private static func text(_ time: Date) -> String {
        time.formatted(.iso8601)
    }
}
