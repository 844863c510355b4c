// Files and folders that appear whole or not at all: with every system call failing once, short writes, interruptions and links.

import Files
import Foundation
import Support
import Tensor
import Testing

private let content = (0..<4_500).map { UInt8(truncatingIfNeeded: $0) }

@Suite struct AtomicWriteTests {
    @Test func writesAndReplaces() throws {
        let folder = try TemporaryFolder()
        for bytes in [content, [], Array("new".utf8)] {
            let summary = try AtomicWrite.write(bytes, to: folder.path("a"))
            try expectSameBytes(folder.bytes("a"), bytes, "a")
            #expect(summary.size == bytes.count && summary.sha256 == SHA256.hex(SHA256.hash(of: bytes)))
        }
        #expect(try folder.names == ["a"])
    }

    /// create, five short writes, sync, close, replace, open the folder, sync it, close it.
    @Test func shortWritesAreContinued() throws {
        let folder = try TemporaryFolder()
        let faults = FailingOperations(failing: 0, code: 0, longestWrite: 1000)
        try AtomicWrite.write(content, to: folder.path("a"), operations: faults.operations)
        try expectSameBytes(folder.bytes("a"), content, "a")
        #expect(faults.count == 12)
    }

    @Test(arguments: 1...12, [ENOSPC, EDQUOT, EIO, EROFS, ESTALE])
    func everyFailureLeavesOldOrNew(_ call: Int, _ code: Int32) throws {
        let folder = try TemporaryFolder()
        try folder.write("a", "old")
        let faults = FailingOperations(failing: call, code: code, longestWrite: 1000)
        do throws(UserError) {
            try AtomicWrite.write(content, to: folder.path("a"), operations: faults.operations)
            #expect(call == 12, "closing a folder after its sync cannot lose anything")
        } catch {
            #expect(error.code == .output && error.path?.hasPrefix(folder.path) == true)
            #expect(error.message.contains(String(cString: strerror(code))))
        }
        #expect(try folder.names == ["a"])
        try expectSameBytes(folder.bytes("a"), call <= 9 ? Array("old".utf8) : content, "a")
    }

    /// Writing, syncing and closing (2 to 8), and syncing the folder (11), go on after a signal.
    @Test(arguments: Array(2...8) + [11])
    func interruptionsAreRepeated(_ call: Int) throws {
        let folder = try TemporaryFolder()
        try AtomicWrite.write(
            content, to: folder.path("a"), operations: FailingOperations(failing: call, code: EINTR, longestWrite: 1000).operations)
        try expectSameBytes(folder.bytes("a"), content, "a")
    }

    @Test func fullDiskSaysWhatIsNeededAndFree() throws {
        let folder = try TemporaryFolder()
        #expect {
            try AtomicWrite.write(
                content, to: folder.path("a"), operations: FailingOperations(failing: 4, code: ENOSPC, longestWrite: 1000).operations)
        } throws: {
            let message = ($0 as? UserError)?.message ?? ""
            return message.contains("2500 bytes more are needed") && message.contains("are free") && message.contains("No space left")
        }
    }

    @Test func namesTheMissingFolder() throws {
        let folder = try TemporaryFolder()
        #expect { try AtomicWrite.write(content, to: folder.path("no/a")) } throws: {
            let error = $0 as? UserError
            return error?.code == .output && error?.message.contains("create the folder first") == true
        }
        #expect { try AtomicWrite.write(content, to: folder.path) } throws: { ($0 as? UserError)?.code == .output }
    }

    @Test func replacesALinkNotWhatItPointsTo() throws {
        let folder = try TemporaryFolder()
        try folder.write("target", "kept")
        symlink(folder.path("target"), folder.path("a"))
        try AtomicWrite.write(content, to: folder.path("a"))
        try expectSameBytes(folder.bytes("target"), Array("kept".utf8), "target")
        try expectSameBytes(folder.bytes("a"), content, "a")
    }

    @Test func newFilesRefuseLinksAndFiles() throws {
        let folder = try TemporaryFolder()
        symlink(folder.path("nowhere"), folder.path("link"))
        try folder.write("file", "x")
        for name in ["link", "file"] {
            do throws(UserError) {
                _ = try OutputFile(creating: folder.path(name), expectedSize: 1)
                Issue.record("created")
            } catch { #expect(error.code == .output && error.message.contains("something of that name exists")) }
        }
        #expect(try folder.names == ["file", "link"])
    }
}

@Suite struct PendingFolderTests {
    private func save(_ folder: TemporaryFolder, _ operations: FileOperations = .system) throws(UserError) {
        let pending = try PendingFolder(destination: folder.path("step-1"), operations: operations)
        try pending.write(content, to: "a")
        try pending.write([], to: "MANIFEST.json")
        try pending.commit()
    }

    @Test func appearsAsAWhole() throws {
        let folder = try TemporaryFolder()
        try save(folder)
        #expect(try folder.names == ["step-1"])
        try expectSameBytes(folder.bytes("step-1/a"), content, "a")
        #expect(try folder.bytes("step-1/MANIFEST.json") == [])
    }

    @Test func isRemovedWhenDropped() throws {
        let folder = try TemporaryFolder()
        do {
            let pending = try PendingFolder(destination: folder.path("step-1"))
            try pending.write(content, to: "a")
            #expect(try folder.names.first?.hasPrefix("step-1.tmp-") == true)
        }
        #expect(try folder.names == [])
    }

    @Test func neverReplaces() throws {
        for kind in 0..<3 {
            let folder = try TemporaryFolder()
            switch kind {
            case 0: try FileManager.default.createDirectory(atPath: folder.path("step-1"), withIntermediateDirectories: false)
            case 1: try folder.write("step-1", "x")
            default: symlink(folder.path("nowhere"), folder.path("step-1"))
            }
            #expect { try save(folder) } throws: { ($0 as? UserError)?.message.contains("something of that name exists") == true }
            #expect(try folder.names == ["step-1"])
        }
    }

    /// make the folder; create, five writes, sync, close; create, sync, close; open the folder, sync, close; move; the parent likewise.
    @Test(arguments: 1...19)
    func everyFailureLeavesNothingOrAll(_ call: Int) throws {
        let folder = try TemporaryFolder()
        let faults = FailingOperations(failing: call, code: EIO, longestWrite: 1000)
        do throws(UserError) {
            try save(folder, faults.operations)
            #expect([15, 19].contains(call), "closing a folder after its sync cannot lose anything")
        } catch {
            #expect(error.code == .output)
        }
        if call <= 16, call != 15 {
            #expect(try folder.names == [])
        } else {
            try expectSameBytes(folder.bytes("step-1/a"), content, "a")
        }
        #expect(faults.count == 19 || call != 19)
    }

    @Test func holdsSafetensors() throws {
        let folder = try TemporaryFolder()
        let pending = try PendingFolder(destination: folder.path("step-1"))
        let tensors: [SafetensorsWriter.Tensor] = [("a", .u8, [content.count], TensorContent(Array(content)))]
        var file = try pending.createFile("a.safetensors", expectedSize: SafetensorsWriter.fileSize(tensors, metadata: nil))
        try SafetensorsWriter.write(tensors, metadata: nil, into: &file)
        let summary = try file.finish()
        try pending.commit()
        let written = try folder.bytes("step-1/a.safetensors")
        #expect(summary.size == written.count && summary.sha256 == SHA256.hex(SHA256.hash(of: written)))
        let read = try SafetensorsFile(path: folder.path("step-1/a.safetensors"))
        expectSameBytes(read.bytes(of: try #require(read["a"])), content, "tensor a")
    }

    @Test func removesFolders() throws {
        let folder = try TemporaryFolder()
        try save(folder)
        try AtomicWrite.removeFolder(folder.path("step-1"))
        #expect(try folder.names == [])
        #expect { try AtomicWrite.removeFolder(folder.path("step-1")) } throws: { ($0 as? UserError)?.code == .output }
    }
}
