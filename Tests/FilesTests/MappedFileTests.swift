// Mapping files: contents, everything that is no file, and change under the run.

import Files
import Foundation
import Support
import Testing

private func code(_ path: String) -> UserError.Code? {
    do throws(UserError) { _ = try MappedFile(path: path) } catch {
        #expect(error.path == path)
        return error.code
    }
    return nil
}

@Suite struct MappedFileTests {
    @Test func mapsTheBytes() throws {
        let folder = try TemporaryFolder()
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0) }
        let file = try MappedFile(path: try folder.write("a", bytes))
        expectSameBytes(file.bytes, bytes, "a")
        file.prefetch(5_000..<10_000)
        try file.checkUnchanged()
    }

    @Test func mapsAnEmptyFile() throws {
        let folder = try TemporaryFolder()
        let file = try MappedFile(path: try folder.write("empty", ""))
        #expect(file.bytes.isEmpty)
        file.prefetch(0..<0)
        try file.checkUnchanged()
    }

    @Test(.timeLimit(.minutes(1))) func refusesWhatIsNoFile() throws {
        let folder = try TemporaryFolder()
        #expect(code(folder.path("none")) == .missing)
        #expect(code(folder.path) == .missing)
        #expect(code("/dev/zero") == .missing)
        #expect(code(try folder.write("a", "x") + "/b") == .missing)
        mkfifo(folder.path("pipe"), 0o600)
        #expect(code(folder.path("pipe")) == .missing)
    }

    @Test func noticesChange() throws {
        let folder = try TemporaryFolder()
        let changes: [(String) throws -> Void] = [
            { try "longer than before".write(toFile: $0, atomically: false, encoding: .utf8) },
            { try "abc".write(toFile: $0, atomically: true, encoding: .utf8) },
            { try FileManager.default.removeItem(atPath: $0) },
            { _ = utimes($0, [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)]) },
        ]
        for change in changes {
            let path = try folder.write("a", "abc")
            let file = try MappedFile(path: path)
            try change(path)
            #expect { try file.checkUnchanged() } throws: { ($0 as? UserError)?.code == .inputOutput }
        }
    }
}
