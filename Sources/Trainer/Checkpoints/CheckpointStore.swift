// Checkpoints of a run on disk, `checkpoints/step-N/`, and the promise that whatever happens, one of them can be read.
//
// A checkpoint is written aside, synced file by file, its manifest last, and takes its name as a whole; it is read back before an
// older one is removed. No pointer says which is the newest: names and manifests do. All of it happens on rank 0.

import Files
import Foundation
import Model
import Tensor

/// The checkpoints of a run.
///
///     var store = CheckpointStore(folder, limit: config.training.saveTotalLimit, adapters: description)
///     let resumed = try store.newest(world, setting)                            // collective: CheckpointStore+Reading
///     let saved = try world.together { world.rank == 0 ? try store.save(state, info) : nil }
package struct CheckpointStore {
    let folder: RunFolder
    /// Checkpoints kept beside the best one.
    let limit: Int
    package var description: AdapterFile.Description
    let operations: FileOperations
    /// Hash of the manifest of the checkpoint that this run wrote or read last.
    var lastManifest: String?

    /// - Parameters:
    ///   - limit: at least 1
    ///   - adapters: what adapter_config.json tells
    package init(
        _ folder: RunFolder, limit: Int, adapters: AdapterFile.Description, operations: FileOperations = .system
    ) {
        precondition(limit >= 1, "checkpoints: limit \(limit)")
        self.folder = folder
        self.limit = limit
        description = adapters
        self.operations = operations
    }

    package static let stateName = "state.json"

    /// `step-100`
    package static func name(ofStep step: Int) -> String { "step-\(step)" }

    func path(ofStep step: Int) -> String { folder.checkpoints + "/" + Self.name(ofStep: step) }

    /// What has been saved.
    package struct Saved: Sendable {
        package let name: String
        /// Of its files.
        package let bytes: Int
        package let seconds: Double
        /// Sentences for the user.
        package let notices: [String]
    }

    /// Writes the checkpoint of `state.step`, then removes those above the limit. On rank 0.
    ///
    /// A whole checkpoint of this step with the same numbers is kept as it is; anything else of its name is moved aside.
    /// - Parameter state: with all of its memory banks (`TrainingState.collected`)
    /// - Throws: `UserError` `.output`; the checkpoints that were there are then untouched
    package mutating func save(_ state: TrainingState, _ info: CheckpointInfo) throws(UserError) -> Saved {
        precondition(folder.isWriter, "checkpoints are saved by rank 0")
        let start = ContinuousClock.now
        try makeFolder()
        let pending = try PendingFolder(destination: path(ofStep: state.step), operations: operations)
        var manifest = try write(state, info, into: pending)
        var notices: [String] = []
        switch try standing(step: state.step) {
        case .success(let old) where old.holdsSameNumbers(as: manifest): manifest = old
        case .success:
            notices.append(try moveAside(state.step, "is of another run of these steps"))
            try pending.commit()
        case .failure(let damage):
            notices.append(try moveAside(state.step, "is damaged (\(damage.sentence))"))
            try pending.commit()
        case nil: try pending.commit()
        }
        try expectReadable(manifest)
        lastManifest = manifest.sha256
        notices += prune(upTo: state.step, best: info.best?.name)
        return Saved(
            name: Self.name(ofStep: state.step), bytes: manifest.files.reduce(0) { $0 + $1.size },
            seconds: start.duration(to: .now) / .seconds(1), notices: notices)
    }

    /// Durably, so that a checkpoint in it is.
    private func makeFolder() throws(UserError) {
        try folder.refuseForeign(folder.checkpoints)
        if operations.makeFolder(folder.checkpoints, 0o755) == 0 {
            try operations.syncFolder(folder.path)
        } else if errno != EEXIST {
            throw outputFailed(folder.checkpoints, "cannot be created", errno)
        }
    }

    private func write(
        _ state: TrainingState, _ info: CheckpointInfo, into pending: borrowing PendingFolder
    ) throws(UserError) -> CheckpointManifest {
        let record = StateRecord(
            step: state.step, tasks: state.adapters.map(\.task), info: info, previousManifest: lastManifest)
        var files: [CheckpointManifest.Entry] = []
        for (name, summary) in try AdapterFile.writePublished(state.adapters, description, as: .float32, into: pending) {
            files.append(.init(name, summary))
        }
        files.append(.init(OptimizerFile.name, try OptimizerFile.write(state, into: pending)))
        if state.banks.contains(where: { !$0.steps.isEmpty }) {
            files.append(.init(MemoryBankFile.name, try MemoryBankFile.write(state, into: pending)))
        }
        let text = record.json.serialized(pretty: true) + [UInt8(ascii: "\n")]
        files.append(.init(Self.stateName, try pending.write(text, to: Self.stateName)))
        let manifest = CheckpointManifest(step: state.step, files: files)
        try pending.write(manifest.bytes, to: CheckpointManifest.fileName)
        return manifest
    }

    /// What has the name of this step already.
    private func standing(step: Int) throws(UserError) -> Result<CheckpointManifest, CheckpointDamage>? {
        var status = stat()
        guard lstat(path(ofStep: step), &status) == 0 else { return nil }
        return try verified(step)
    }

    func verified(_ step: Int) throws(UserError) -> Result<CheckpointManifest, CheckpointDamage> {
        try CheckpointManifest.verified(path(ofStep: step), step: step, fault: folder.fault)
    }

    /// Reads everything back, before an older checkpoint is given up for this one.
    private func expectReadable(_ manifest: CheckpointManifest) throws(UserError) {
        let path = path(ofStep: manifest.step)
        switch try verified(manifest.step) {
        case .success(let found) where found == manifest: return
        case .success: throw UserError(.output, path, "was changed while it was being written; keep other programs out of this folder")
        case .failure(let damage):
            throw UserError(
                .output, path, "was written, but reads back damaged: \(damage.sentence); check the disk. Older checkpoints are untouched")
        }
    }

    /// - Parameter why: a sentence without its subject
    /// - Returns: the sentence for the user
    func moveAside(_ step: Int, _ why: String) throws(UserError) -> String {
        let path = path(ofStep: step)
        let aside = "\(folder.checkpoints)/.bad-\(Self.name(ofStep: step))-\(UUID().uuidString.lowercased().prefix(8))"
        guard operations.move(path, aside) == 0 else { throw outputFailed(path, "\(why) and cannot be moved aside", errno) }
        try operations.syncFolder(folder.checkpoints)
        return "\(path): \(why); moved to \(aside)"
    }

    /// Removes all but the newest and the best. What cannot be removed stays, and is tried again next time.
    private func prune(upTo step: Int, best: String?) -> [String] {
        var notices: [String] = []
        for old in steps().filter({ $0 <= step }).dropFirst(limit) where Self.name(ofStep: old) != best {
            do throws(UserError) { try AtomicWrite.removeFolder(path(ofStep: old), operations: operations) } catch {
                notices.append("\(error)")
            }
        }
        return notices
    }

    /// The steps that have something of a checkpoint's name, newest first.
    func steps() -> [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.checkpoints)) ?? []
        let steps = names.compactMap { name in Int(name.dropFirst("step-".count)).flatMap { Self.name(ofStep: $0) == name ? $0 : nil } }
        return steps.sorted(by: >)
    }
}
