// Killed, or without power, at any moment of a save: the run goes on from the old checkpoint or from the new one.

import Foundation
import Support
import Synchronization
import Testing

@testable import Files
@testable import Trainer

/// Performs operations and keeps a copy of the tree as each of them found it: what a process killed there would leave behind.
private final class Recorder: Sendable {
    private struct State {
        var snapshots: [String] = []
        var paths: [Int32: String] = [:]
        var unsynced: Set<String> = []
    }

    private let state = Mutex(State())
    private let tree: String
    private let folder: TemporaryFolder
    /// Whether what was not synced is lost, as when the power fails.
    private let losesUnsynced: Bool
    /// Whether a sync does its work.
    private let syncs: Bool

    init(tree: String, losesUnsynced: Bool, syncs: Bool = true) throws {
        self.tree = tree
        self.losesUnsynced = losesUnsynced
        self.syncs = syncs
        folder = try TemporaryFolder()
    }

    var snapshots: [String] { state.withLock { $0.snapshots } }

    /// The tree as it would be found now.
    func take() {
        state.withLock { state in
            let copy = folder.path("\(state.snapshots.count)")
            try? FileManager.default.copyItem(atPath: tree, toPath: copy)
            for path in losesUnsynced ? state.unsynced : [] { _ = truncate(copy + path.dropFirst(tree.count), 0) }
            state.snapshots.append(copy)
        }
    }

    private func opened(_ descriptor: Int32, _ path: String) -> Int32 {
        state.withLock { state in
            state.paths[descriptor] = path
            state.unsynced.insert(path)
        }
        return descriptor
    }

    private func synced(_ descriptor: Int32) -> Int32 {
        state.withLock { state in
            if syncs, let path = state.paths[descriptor] { state.unsynced.remove(path) }
        }
        return fsync(descriptor)
    }

    /// A file that was not synced stays so under its folder's new name.
    private func moved(_ path: String, _ destination: String) {
        state.withLock { state in
            state.unsynced = Set(state.unsynced.map { $0.hasPrefix(path + "/") ? destination + $0.dropFirst(path.count) : $0 })
        }
    }

    private func recorded<Result>(_ operation: () -> Result) -> Result {
        take()
        return operation()
    }

    var operations: FileOperations {
        let system = FileOperations.system
        return FileOperations(
            create: { path, permissions in self.recorded { self.opened(system.create(path, permissions), path) } },
            openFolder: { path in self.recorded { system.openFolder(path) } },
            write: { file, bytes, count in self.recorded { system.write(file, bytes, min(count, 1500)) } },  // short: more moments
            sync: { file in self.recorded { self.synced(file) } },
            close: { file in self.recorded { system.close(file) } },
            makeFolder: { path, permissions in self.recorded { system.makeFolder(path, permissions) } },
            replace: { path, destination in self.recorded { system.replace(path, destination) } },
            move: { path, destination in
                self.recorded {
                    let status = system.move(path, destination)
                    if status == 0 { self.moved(path, destination) }
                    return status
                }
            })
    }
}

@Suite struct CheckpointCrashTests {
    let run: TinyRun

    init() throws {
        run = try TinyRun()
        try run.save(3)
    }

    /// Saves step 5 over step 3, which has to go.
    private func save(_ recorder: Recorder) throws {
        var store = try run.store(limit: 1, operations: recorder.operations)
        _ = try store.save(run.state(step: 5), run.info())
        recorder.take()
        store.folder.close()
    }

    /// - Returns: the step that each snapshot is resumed from
    private func resumedSteps(_ recorder: Recorder) throws -> [Int?] {
        try recorder.snapshots.map { snapshot in
            let folder = try RunFolder(snapshot, resuming: true)
            defer { folder.close() }
            var store = CheckpointStore(folder, limit: 1, adapters: run.description)
            let resumed = try alone { try store.newest($0, run.setting()) }
            if let resumed { expectSame(resumed.state, run.state(step: resumed.state.step)) }
            let left = try FileManager.default.contentsOfDirectory(atPath: snapshot + "/checkpoints")
            #expect(!left.contains { $0.contains(".tmp-") || $0.hasPrefix(".trash-") }, "leftovers are cleared away: \(left)")
            return resumed?.state.step
        }
    }

    @Test(arguments: [false, true]) func everyMomentLeavesOldOrNew(_ losesUnsynced: Bool) throws {
        let recorder = try Recorder(tree: run.path, losesUnsynced: losesUnsynced)
        try save(recorder)
        let steps = try resumedSteps(recorder)
        #expect(steps.count > 30)
        let change = try #require(steps.firstIndex(of: 5), "the new one is never found")
        #expect(steps[..<change].allSatisfy { $0 == 3 } && steps[change...].allSatisfy { $0 == 5 })
    }

    /// The test above can fail: without syncs a power cut after the save loses the new checkpoint, and the old one is gone.
    @Test func withoutSyncsAPowerCutLosesTheRun() throws {
        let recorder = try Recorder(tree: run.path, losesUnsynced: true, syncs: false)
        try save(recorder)
        #expect(throws: UserError.self) { try resumedSteps(recorder) }
    }

    /// Each operation fails once, with a full disk or a faulty one: the save fails or succeeds, and what is left can be resumed.
    @Test(arguments: [ENOSPC, EIO]) func everyFailureLeavesOldOrNew(_ code: Int32) throws {
        let info = try run.info()
        for failing in 1... {
            try FileManager.default.removeItem(atPath: run.path)
            try run.save(3)
            let failures = FailingOperations(failing: failing, code: code)
            var store = try run.store(limit: 1, operations: failures.operations)
            do throws(UserError) { _ = try store.save(run.state(step: 5), info) } catch {
                #expect(error.code == .output)
            }
            store.folder.close()
            let step = try run.resume()?.state.step
            #expect(step == 3 || step == 5)
            #expect(try !run.checkpoints.contains { $0.contains(".tmp-") })
            if failures.count < failing {
                #expect(failing > 20 && step == 5)
                break
            }
        }
    }
}
