// A run gets its folder whole or not at all: to be written, its own, and nobody else's at the same time.

import Foundation
import Support
import Testing

@testable import Trainer

@Suite struct RunFolderTests {
    let temporary: TemporaryFolder
    private let manager = FileManager.default

    init() throws { temporary = try TemporaryFolder() }

    private func open(_ name: String = "run", resuming: Bool = false) throws -> RunFolder {
        try RunFolder(temporary.path(name), resuming: resuming)
    }

    private func makeFolder(_ name: String) throws {
        try manager.createDirectory(atPath: temporary.path(name), withIntermediateDirectories: true)
    }

    @Test func isCreatedWithItsParentsAndLeftEmpty() throws {
        let folder = try open("a/run")
        #expect(try manager.contentsOfDirectory(atPath: folder.path) == [".lock"])
        folder.close()
        #expect(try manager.contentsOfDirectory(atPath: folder.path).isEmpty)
        #expect(try open("a/run").notices.isEmpty)
    }

    @Test func otherFilesDoNotMatter() throws {
        try makeFolder("run/checkpoints")
        try temporary.write("run/notes.txt", "mine")
        try open().close()
    }

    @Test(arguments: [
        "metrics.jsonl", "run.json", "README.md", "adapter_model.safetensors", "adapters/adapter_model.safetensors", "checkpoints/step-1",
    ])
    func anotherRunIsRefusedUnlessResumed(_ name: String) throws {
        try makeFolder("run/checkpoints")
        if name.hasPrefix("adapters/") { try makeFolder("run/adapters") }
        try temporary.write("run/" + name, "old")
        let error = userError { _ = try open() }
        #expect(error?.code == .output && error?.path == temporary.path("run"))
        #expect(error?.message.contains("--resume") == true && error?.message.contains(name.prefix { $0 != "/" }) == true)
        #expect(!manager.fileExists(atPath: temporary.path("run/.lock")))
        try open(resuming: true).close()
        #expect(try temporary.bytes("run/" + name) == Array("old".utf8))
    }

    // MARK: - Not writable

    /// Root may write everywhere but where there can be no files.
    @Test(arguments: ["file", "file/run", "/proc/run", "/proc/self"]) func unwritableIsRefused(_ path: String) throws {
        try temporary.write("file", "")
        let path = path.hasPrefix("/") ? path : temporary.path(path)
        let error = userError { _ = try RunFolder(path, resuming: false) }
        #expect(error?.code == .output && error?.path?.hasPrefix(path) == true)
    }

    @Test(.enabled(if: getuid() != 0, "root may write into any folder")) func readOnlyIsRefused() throws {
        try makeFolder("run")
        #expect(chmod(temporary.path("run"), 0o555) == 0)
        #expect(userError { _ = try open() }?.code == .output)
    }

    // MARK: - The lock

    @Test func twoRunsAtOnceAreRefused() throws {
        let first = try open()
        for resuming in [false, true] {
            let error = userError { _ = try open(resuming: resuming) }
            #expect(error?.code == .output && error?.message.contains("process \(getpid()) on ") == true)
        }
        first.close()
        try open().close()
    }

    @Test func theLockGoesWithItsHolder() throws {
        do { _ = try open() }
        #expect(!manager.fileExists(atPath: temporary.path("run/.lock")))
    }

    private func leaveLock(_ record: String, secondsAgo: Int = 0) throws {
        try makeFolder("run")
        try temporary.write("run/.lock", record)
        let time = timespec(tv_sec: Foundation.time(nil) - secondsAgo, tv_nsec: 0)
        #expect(utimensat(AT_FDCWD, temporary.path("run/.lock"), [time, time], 0) == 0)
    }

    private func record(host: String? = nil, process: Int32 = getpid(), boot: String? = nil) -> String {
        let here = RunLock.Holder.current()
        return """
            {"host": "\(host ?? here.host)", "process": \(process), "started": "\(here.started)", "boot": "\(boot ?? here.boot)"}
            """
    }

    /// A crash leaves the file, but nobody who holds it: process 1 has the number, but another start.
    @Test func aDeadProcessLeavesNothingInTheWay() throws {
        for record in [record(process: 99_999_999), record(process: 1), record(boot: "before"), "", "{\"ho"] {
            try leaveLock(record)
            let folder = try open()
            #expect(folder.notices.count == (record.hasSuffix("}") ? 1 : 0), "\(folder.notices)")
            folder.close()
            #expect(!manager.fileExists(atPath: temporary.path("run/.lock")))
        }
    }

    /// Where flock does not reach, the last sign of life decides.
    @Test func anotherHostIsBelievedForAMinute() throws {
        try leaveLock(record(host: "host-b"), secondsAgo: 20)
        let error = userError { _ = try open() }
        #expect(error?.code == .output && error?.message.contains("on host-b") == true)
        try leaveLock(record(host: "host-b"), secondsAgo: 100)
        let folder = try open()
        #expect(folder.notices.count == 1 && folder.notices[0].contains("host-b"))
    }

    @Test func aLinkInPlaceOfTheLockIsRefused() throws {
        try makeFolder("run")
        try manager.createSymbolicLink(atPath: temporary.path("run/.lock"), withDestinationPath: temporary.path("target"))
        #expect(userError { _ = try open() }?.code == .output)
        #expect(!manager.fileExists(atPath: temporary.path("target")))
    }

    // MARK: - Order

    @Test func leftoversAreClearedAwayAndNothingElse() throws {
        for name in ["step-7.tmp-1", ".trash-1", ".bad-step-3-1", "step-7"] {
            try makeFolder("run/checkpoints/" + name)
            try temporary.write("run/checkpoints/\(name)/file", "")
        }
        try makeFolder("elsewhere")
        try temporary.write("elsewhere/file", "")
        let checkpoints = temporary.path("run/checkpoints")
        try manager.createSymbolicLink(atPath: checkpoints + "/step-8.tmp-1", withDestinationPath: temporary.path("elsewhere"))
        for name in ["run.json.tmp-1", ".probe-1", "notes.tmp-1"] { try temporary.write("run/" + name, "") }
        try open(resuming: true).close()
        #expect(try manager.contentsOfDirectory(atPath: checkpoints).sorted() == [".bad-step-3-1", "step-7"])
        #expect(try manager.contentsOfDirectory(atPath: temporary.path("run")).sorted() == ["checkpoints", "notes.tmp-1"])
        #expect(manager.fileExists(atPath: temporary.path("elsewhere/file")))
    }

    @Test func stopFile() throws {
        try makeFolder("run")
        try temporary.write("run/STOP", "")
        let folder = try open()
        #expect(folder.notices.count == 1 && !folder.stopIsRequested)
        try temporary.write("run/STOP", "")
        #expect(folder.stopIsRequested)
        folder.removeStopFile()
        #expect(!folder.stopIsRequested && !manager.fileExists(atPath: folder.stopFile))
    }
}
