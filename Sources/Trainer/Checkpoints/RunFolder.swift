// The folder of a run, training.output_dir: what lies where in it, and that it is this run's alone.
// Rank 0 alone touches it, since folders on network disks look different from different hosts; the others hear from it.

import Comm
import Files
import Foundation
import Model

/// A run's folder, locked for this run while rank 0 holds this value or a copy.
///
///     let folder = try RunFolder.open(world, config.training.outputFolder, resuming: arguments.resume)
///     ...
///     folder.close()
package struct RunFolder: Sendable {
    package let path: String
    /// Sentences for the user about what was found and put in order.
    package let notices: [String]
    /// Whom files of this process belong to on this file system: not always this user, as on a network disk. Nil off rank 0.
    let owner: uid_t?
    private let lock: RunLock?

    /// Whether this process may write into the folder: rank 0.
    package var isWriter: Bool { lock != nil }

    /// What a run writes, and another one would overwrite.
    private static let names = [
        "adapters", "adapter_model.safetensors", "adapter_config.json", "peft", "checkpoints", "README.md", "metrics.jsonl", "tensorboard",
        "report.html", "run.json",
    ]

    /// All tasks in the published layout.
    package var adapters: String { path + "/adapters" }

    /// The plain PEFT adapter of a task.
    package func peft(task: String) -> String { path + "/peft/" + task }
    package var checkpoints: String { path + "/checkpoints" }
    /// Its appearance asks the run to stop.
    package var stopFile: String { path + "/STOP" }

    /// Creates the folder where there is none, proves that it can be written, and locks it.
    ///
    /// Collective. To be called before anything large is loaded.
    /// - Throws: `UserError` `.output`, on every rank: not writable, locked by a running job, or of another run and not `resuming`
    package static func open(_ world: Communicator, _ path: String, resuming: Bool) throws -> RunFolder {
        try world.together {
            world.rank == 0 ? try RunFolder(path, resuming: resuming) : RunFolder(path: path, notices: [], owner: nil, lock: nil)
        }
    }

    private init(path: String, notices: [String], owner: uid_t?, lock: RunLock?) {
        self.path = path
        self.notices = notices
        self.owner = owner
        self.lock = lock
    }

    /// On rank 0.
    init(_ path: String, resuming: Bool) throws(UserError) {
        try Self.create(path)
        let probe = try Self.probe(path)
        let lock = try RunLock(path: path + "/.lock", now: probe.st_mtim.tv_sec)
        let locked = RunFolder(path: path, notices: [], owner: probe.st_uid, lock: lock)
        try locked.refuseOtherRun(resuming: resuming)
        let notices = [lock.notice, try locked.putInOrder()].compactMap(\.self)
        self.init(path: path, notices: notices, owner: probe.st_uid, lock: lock)
    }

    /// Gives the folder free.
    package func close() { lock?.release() }

    // MARK: - Stopping on request

    /// Whether someone has put a file STOP into the folder. Always false off rank 0: the ranks vote on it.
    package var stopIsRequested: Bool {
        var status = stat()
        return isWriter && lstat(stopFile, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Once the request is met, so that the run can be resumed.
    package func removeStopFile() {
        if stopIsRequested { unlink(stopFile) }
    }
}

// MARK: - Taking hold of the folder

extension RunFolder {
    /// With the folders above it.
    private static func create(_ path: String) throws(UserError) {
        var code = mkdir(path, 0o777) == 0 ? 0 : errno
        let parent = (path as NSString).deletingLastPathComponent
        if code == ENOENT && !parent.isEmpty && parent != path {
            try create(parent)
            code = mkdir(path, 0o777) == 0 ? 0 : errno
        }
        guard code != 0 else { return }
        var status = stat()
        if stat(path, &status) == 0 {
            if status.st_mode & S_IFMT == S_IFDIR { return }
            throw UserError(.output, path, "is no folder, and the run needs one there; choose another training.output_dir")
        }
        throw outputFailed(path, "cannot be created as the run's folder", code)
    }

    /// Writes a file as checkpoints are written and removes it.
    /// - Returns: its status, for the clock of the file system and the owner of what this process writes
    private static func probe(_ path: String) throws(UserError) -> stat {
        let file = path + "/.probe-" + UUID().uuidString.lowercased()
        try AtomicWrite.write([UInt8](repeating: 0, count: 512), to: file)
        defer { unlink(file) }
        var status = stat()
        guard lstat(file, &status) == 0 else { throw outputFailed(file, "cannot be found after it was written", errno) }
        return status
    }

    private func refuseOtherRun(resuming: Bool) throws(UserError) {
        try refuseForeign(checkpoints)
        guard !resuming else { return }
        let found = Self.names.filter { name in
            let entries = try? FileManager.default.contentsOfDirectory(atPath: path + "/" + name)
            var status = stat()
            return entries.map { !$0.isEmpty } ?? (lstat(path + "/" + name, &status) == 0)
        }
        guard let first = found.first else { return }
        let more = found.count > 1 ? " and \(found.count - 1) more" : ""
        throw UserError(
            .output, path, "holds another run (\(first)\(more)); choose another training.output_dir, or add --resume to continue that run")
    }

    /// Another user who may write there could slip in weights; a link could lead anywhere.
    /// - Throws: `UserError` `.output` when there is something at `path` that is no folder of this user's own
    func refuseForeign(_ path: String) throws(UserError) {
        var status = stat()
        guard lstat(path, &status) == 0, let fault = fault(of: status, expected: S_IFDIR) else { return }
        throw UserError(.output, path, "\(fault), and a run keeps its checkpoints in a folder of its own; move it away")
    }

    /// What is wrong with a file or folder that this process is to trust, as the end of a sentence.
    func fault(of status: stat, expected: mode_t) -> String? {
        switch status.st_mode & S_IFMT {
        case S_IFLNK: "is a symbolic link"
        case expected:
            status.st_uid != owner ? "belongs to another user" : status.st_mode & S_IWOTH != 0 ? "may be written by everybody" : nil
        default: expected == S_IFDIR ? "is no folder" : "is no regular file"
        }
    }

    /// Removes what a crash has left half written, and a request to stop that came before this start.
    private func putInOrder() throws(UserError) -> String? {
        let entries = { (folder: String) in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] }
        let aside =
            entries(path).filter { name in Self.names.contains { name.hasPrefix($0 + ".tmp-") } || name.hasPrefix(".probe-") }
            + entries(adapters).filter { $0.contains(".tmp-") }.map { "adapters/" + $0 }
        let unfinished = entries(checkpoints).filter { $0.hasPrefix("step-") && $0.contains(".tmp-") || $0.hasPrefix(".trash-") }
        for leftover in aside.map({ path + "/" + $0 }) + unfinished.map({ checkpoints + "/" + $0 }) {
            do { try FileManager.default.removeItem(atPath: leftover) } catch {
                throw UserError(.output, leftover, "was left by a job that crashed and cannot be removed; remove it by hand")
            }
        }
        guard stopIsRequested else { return nil }
        removeStopFile()
        return "\(stopFile): removed, since it was there before this start; create it again to stop the run"
    }
}
