// Files that several writers fill at their own places.

import Files
import Foundation
import Support
import Testing

@Suite struct PlacedFileTests {
    private let folder = try! TemporaryFolder()

    @Test func writersFillOneFile() throws {
        let first = try PlacedFile(creating: folder.path("whole"))
        let second = try PlacedFile(opening: first.path)
        try second.write([4, 5, 6] as [UInt8], at: 3)
        try first.write([1, 2, 3] as [UInt8], at: 0)
        try second.write([9] as [UInt8], at: 7)
        try first.sync()
        #expect(try folder.bytes("whole") == [1, 2, 3, 4, 5, 6, 0, 9])
    }

    @Test func aFileInMemoryHasAPathForOthers() throws {
        var file: PlacedFile? = try PlacedFile(inMemory: "test")
        let path = try #require(file?.path)
        try file?.write([1, 2] as [UInt8], at: 0)
        try PlacedFile(opening: path).write([3] as [UInt8], at: 2)
        let mapped = try MappedFile(path: path)
        file = nil
        #expect(mapped.copied() == [1, 2, 3])
        #expect(throws: UserError.self) { try MappedFile(path: path) }
    }

    @Test func faultsNameTheFile() throws {
        let path = try folder.write("there", "x")
        expectUserError(.output, path, "cannot be created: File exists") { _ = try PlacedFile(creating: path) }
        expectUserError(.output, "absent/file", "cannot be created: No such file") {
            _ = try PlacedFile(creating: folder.path("absent/file"))
        }
        expectUserError(.output, "gone", "cannot be opened to write") { _ = try PlacedFile(opening: folder.path("gone")) }
        expectUserError(.output, "/dev/full", "cannot be written: No space left") {
            try PlacedFile(opening: "/dev/full").write([1.5 as Float], at: 0)
        }
    }
}
