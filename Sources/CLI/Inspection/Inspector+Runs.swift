// Adapters, the folder of a run, and its checkpoints.

import Data
import Evaluation
import Files
import Foundation
import Model
import Trainer

extension Inspector {
    /// A folder with an adapter: published, or plain PEFT.
    func adapter(_ path: String) throws(UserError) -> Inspection {
        var inspection = Inspection(path, "adapters")
        try addAdapters(path, to: &inspection)
        return inspection
    }

    private func addAdapters(_ path: String, to inspection: inout Inspection) throws(UserError) {
        let source = try AdapterSource.find(path)
        let summary = try AdapterSummary.read(source)
        inspection.add("tasks", summary.tasks.isEmpty ? "one, not named (plain PEFT)" : summary.tasks.joined(separator: ", "))
        inspection.add(
            "LoRA",
            "rank \(summary.rank), alpha \(Figures.short(summary.alpha)), dropout \(Figures.short(summary.dropout))"
                + (summary.extras.isEmpty ? "" : " (computed from \(summary.extras.joined(separator: ", ")))"))
        let projector = summary.adaptsProjector ? "; the projector" : ""
        inspection.add("linears", "\(summary.linears.joined(separator: ", ")) of \(Figures.count(summary.layers, "layer"))\(projector)")
        inspection.add("parameters", "\(Figures.count(summary.parameters)) a task, \(Self.types(summary.file.entries))")
        let hasProjector = FileManager.default.fileExists(atPath: source.projectorPath)
        if hasProjector { inspection.add("own projector", "to token vectors, for backbones that bring none") }
        if let prompts = try RecordedPrompts.read(folder: source.folder) {
            for task in summary.tasks.isEmpty ? [""] : summary.tasks {
                guard let pair = prompts.pair(task: task) else { continue }
                inspection.add("prompts", "\(task.isEmpty ? "" : "\(task): ")\(pair.inWords)")
            }
        }
        inspection.add("size", Figures.bytes(summary.file.file.bytes.count))
        if let modelFolder {
            let config = try ModelConfig.read(folder: modelFolder)
            _ = try AdapterFile.read(source, config: config)
            _ = try ProjectorFile.read(folder: source.folder, config)
            inspection.add("fits", modelFolder)
        }
        try addHashes(of: [source.weightsPath] + (hasProjector ? [source.projectorPath] : []), to: &inspection)
    }

    /// A summary of adapters in one line, for a table of something else.
    static func line(_ summary: AdapterSummary) -> String {
        let tasks = summary.tasks.isEmpty ? "one task" : summary.tasks.joined(separator: ", ")
        return "\(tasks): rank \(summary.rank), alpha \(Figures.short(summary.alpha)), \(Figures.count(summary.parameters)) parameters each"
    }

    /// A checkpoint of a run.
    func checkpoint(_ path: String) throws(UserError) -> Inspection {
        let record = try stateRecord(path)
        let info = record.info
        var inspection = Inspection(path, "a checkpoint of a run")
        inspection.add("step", "\(Figures.count(record.step)), after \(Figures.count(info.epoch, "whole epoch"))")
        inspection.add("world", "\(Figures.count(info.worldSize, "rank")), global batch of \(Figures.count(info.globalBatchRows, "row"))")
        inspection.add("best so far", info.best.map { "\($0.name), \($0.metric) \(Figures.fixed($0.value, 4))" } ?? "none")
        for data in info.dataFingerprints.keys.sorted() { inspection.add("data", data) }
        if verifies { inspection.add("manifest", try Self.verified(path, record.step)) }
        try addAdapters(path, to: &inspection)
        return inspection
    }

    private func stateRecord(_ path: String) throws(UserError) -> StateRecord {
        let file = path + "/" + CheckpointStore.stateName
        return try StateRecord(JSONValue.parse(file: file), path: file)
    }

    /// Holds every file against the manifest.
    private static func verified(_ path: String, _ step: Int) throws(UserError) -> String {
        switch try CheckpointManifest.verified(path, step: step, fault: { _, _ in nil }) {
        case .success(let manifest): return "whole: \(manifest.files.count) files as they were written"
        case .failure(let damage): throw UserError(.content, path, "is damaged: \(damage.sentence); restore it from a copy")
        }
    }

    /// The folder of a run, finished or not.
    func run(_ path: String) throws(UserError) -> Inspection {
        let record = try RunRecord.read(folder: path).json
        var inspection = Inspection(path, "a run")
        let starts = record["starts"]?.arrayValue ?? []
        inspection.add("status", "\(record["status"]?.stringValue ?? "unknown") at step \(record["step"]?.integerValue ?? 0)")
        for start in starts {
            let time = "\(start["started"]?.stringValue ?? "?") to \(start["ended"]?.stringValue ?? "?")"
            inspection.add("process", "\(time), \(Figures.count(Int(start["world_size"]?.integerValue ?? 0), "rank"))")
        }
        inspection.add("model", record["model"]?["folder"]?.stringValue ?? "unknown")
        for data in record["data"]?.arrayValue ?? [] {
            inspection.add(
                "data", "\(data["path"]?.stringValue ?? "?"), \(Figures.count(Int(data["rows"]?.integerValue ?? 0), "row"))")
        }
        let metrics = try RunMetrics(path + "/" + RunLog.fileName)
        if let first = metrics.first, let last = metrics.last {
            inspection.add(
                "loss", "\(Figures.fixed(first.loss, 4)) at step \(first.step), \(Figures.fixed(last.loss, 4)) at step \(last.step)")
        }
        if metrics.meanLosses.count > 1 {
            let losses = metrics.meanLosses.map { "\($0.task) \(Figures.fixed($0.mean, 4))" }
            inspection.add("mean loss", "\(losses.joined(separator: ", ")) at the end")
        }
        // Runs of version 0.1.0 have them in the folder itself.
        let places = [path + "/adapters", path].filter { FileManager.default.fileExists(atPath: $0 + "/" + AdapterSource.weightsName) }
        let tasks = ((try? FileManager.default.contentsOfDirectory(atPath: path + "/peft")) ?? []).sorted()
        if let place = places.first {
            try addAdapters(place, to: &inspection)
        } else if !tasks.isEmpty {
            inspection.add("adapters", "plain PEFT alone: \(tasks.map { "peft/\($0)" }.joined(separator: ", "))")
        } else {
            inspection.add("adapters", "not yet written; the checkpoints hold them")
        }
        try addCheckpoints(path + "/checkpoints", best: record["best_checkpoint"]?["name"]?.stringValue, to: &inspection)
        if let evaluation = metrics.evaluations.last {
            let before = metrics.evaluations.count > 1 ? metrics.evaluations[0] : []
            inspection.add(section: "Evaluation", EvaluationTable(before: before, after: evaluation).text)
        }
        return inspection
    }

    private func addCheckpoints(_ folder: String, best: String?, to inspection: inout Inspection) throws(UserError) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let steps = names.compactMap { name in Int(name.dropFirst(5)).flatMap { CheckpointStore.name(ofStep: $0) == name ? $0 : nil } }
        guard !steps.isEmpty else { return }
        var table = TextTable([.left, .left, .left])
        for step in steps.sorted() {
            let name = CheckpointStore.name(ofStep: step)
            let state =
                verifies ? try Self.verified("\(folder)/\(name)", step) : try stateRecord("\(folder)/\(name)").tasks.joined(separator: ", ")
            table.add([name, name == best ? "best" : "", state])
        }
        inspection.add("Checkpoints", table)
    }
}

/// What metrics.jsonl tells of a whole run.
private struct RunMetrics {
    private(set) var first: (step: Int, loss: Double)?
    private(set) var last: (step: Int, loss: Double)?
    /// The mean loss of each task at the end of the run.
    private(set) var meanLosses: [(task: String, mean: Double)] = []
    private(set) var evaluations: [[EvaluationResult]] = []

    /// A missing file has no events; a last line that a crash has torn is none.
    init(_ path: String) throws(UserError) {
        guard FileManager.default.fileExists(atPath: path) else { return }
        let file = try RowFile(path: path)
        for row in 0..<file.count {
            do throws(UserError) { add(try file.row(row)) } catch {
                if row + 1 < file.count { throw error }
            }
        }
    }

    private mutating func add(_ event: RowObject) {
        switch event["event"]?.stringValue {
        case "step":
            guard let step = event["step"]?.integerValue, let loss = event["loss"]?.numberValue else { return }
            last = (Int(step), loss)
            first = first ?? last
        case "evaluation": evaluations.append((event["results"]?.arrayValue ?? []).compactMap { EvaluationResult($0) })
        case "end":
            let means = event["mean_loss_by_task"]?.objectValue?.entries ?? []
            meanLosses = means.compactMap { task, mean in mean.numberValue.map { (task, $0) } }
        default: return
        }
    }
}
