// Lines of plain and gzip files. The gzip bytes below were made by Python's gzip module (mtime 0).

import Files
import Foundation
import Support
import Testing

private func lines(_ bytes: some Sequence<UInt8>, name: String = "a.txt", maximumLineLength: Int = 64 << 20) throws -> [String] {
    let folder = try TemporaryFolder()
    let file = try TextFile(path: try folder.write(name, bytes), maximumLineLength: maximumLineLength)
    return try file.lines.indices.map { try file.string($0) }
}

private func fault(_ bytes: some Sequence<UInt8>, name: String = "a.txt", maximumLineLength: Int = 64 << 20) throws -> UserError? {
    do { _ = try lines(bytes, name: name, maximumLineLength: maximumLineLength) } catch { return try #require(error as? UserError) }
    return nil
}

/// gzip.compress(b"first\nsecond\r\nthird", mtime=0)
private let compressed: [UInt8] = [
    0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4B, 0xCB, 0x2C, 0x2A, 0x2E, 0xE1, 0x2A, 0x4E, 0x4D, 0xCE, 0xCF, 0x4B,
    0xE1, 0xE5, 0x2A, 0xC9, 0xC8, 0x2C, 0x4A, 0x01, 0x00, 0xC8, 0x71, 0xE8, 0x97, 0x13, 0x00, 0x00, 0x00,
]
/// gzip.compress(b"4th\n", mtime=0)
private let member: [UInt8] = [
    0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x33, 0x29, 0xC9, 0xE0, 0x02, 0x00, 0xD7, 0x78, 0x04, 0x40, 0x04, 0x00,
    0x00, 0x00,
]

@Suite struct TextFileTests {
    @Test(
        arguments: [
            ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("a\r\nb\r\n", ["a", "b"]),
            ("a\r\r\nb", ["a\r", "b"]), ("\r\n\r\n", ["", ""]),
            ("a\n\nb\n\n", ["a", "", "b", ""]), ("\u{FEFF}a\nb", ["a", "b"]), ("\u{FEFF}", []), ("a\n\u{FEFF}b", ["a", "\u{FEFF}b"]),
            ("a\u{2028}b\u{85}c\u{0}\u{B}", ["a\u{2028}b\u{85}c\u{0}\u{B}"]),
            ("a\r", ["a"]), ("日本\né", ["日本", "é"]),
        ] as [(String, [String])])
    func splits(_ text: String, _ expected: [String]) throws {
        #expect(try lines(text.utf8).map { Array($0.utf8) } == expected.map { Array($0.utf8) })
    }

    @Test func givesLinesInAnyOrder() throws {
        let folder = try TemporaryFolder()
        let file = try TextFile(path: try folder.write("a", "zero\none\ntwo"))
        #expect(Array(file.line(2)) == Array("two".utf8) && Array(file.line(0)) == Array("zero".utf8))
        #expect(file.lines == [0..<4, 5..<8, 9..<12])
    }

    @Test func limitsLines() throws {
        #expect(try lines("abcd\nabcd\r\nabcd".utf8, maximumLineLength: 4).count == 3)
        let error = try fault("abcd\nabcde\n".utf8, maximumLineLength: 4)
        #expect(error?.code == .content && error?.line == 2)
    }

    @Test func namesLineAndColumnOfBadUTF8() throws {
        let error = try fault(Array("ok\né".utf8) + [0xFF, 0x0A])
        #expect(error?.code == .content && error?.line == 2 && error?.column == 2)
    }

    @Test func refusesOtherFormats() throws {
        #expect(try fault([0xFF, 0xFE, 0x61, 0x00])?.message.contains("UTF-16") == true)
        #expect(try fault([0xFE, 0xFF, 0x00, 0x61])?.message.contains("UTF-16") == true)
        #expect(try fault(compressed)?.message.contains("rename it") == true)
        #expect(try fault("plain\n".utf8, name: "a.gz")?.message.contains("not gzip") == true)
        #expect(try fault([], name: "a.gz")?.message.contains("is empty") == true)
    }

    @Test func inflates() throws {
        #expect(try lines(compressed, name: "a.jsonl.gz") == ["first", "second", "third"])
        #expect(try lines(compressed + member, name: "a.gz") == ["first", "second", "third4th"])
        #expect(try lines(member + member + [0, 0, 0], name: "a.gz") == ["4th", "4th"])
    }

    @Test func refusesDamagedGzip() throws {
        for count in 0..<compressed.count {
            #expect(try fault(compressed[..<count], name: "a.gz")?.code == .content, "cut at \(count)")
            let joined = try fault(member + compressed[..<count], name: "a.gz")
            #expect(count == 0 ? joined == nil : joined?.code == .content, "second member cut at \(count)")
        }
        for i in compressed.count - 8..<compressed.count {
            var changed = compressed
            changed[i] ^= 1
            #expect(try fault(changed, name: "a.gz")?.message.contains("damaged") == true)
        }
        for i in compressed.indices {
            for bit in 0..<8 {
                var changed = compressed
                changed[i] ^= 1 << UInt8(bit)
                _ = try? lines(changed, name: "a.gz")
            }
        }
        #expect(try fault(compressed + Array("junk".utf8), name: "a.gz")?.message.contains("4 bytes after") == true)
    }

    /// gzip.compress(bytes(1 << 20), mtime=0) is a thousandth of that.
    @Test func aLongLineStopsInflating() throws {
        let bomb = try #require(
            Data(
                base64Encoded:
                    "H4sIAAAAAAACA+3BMQEAAADCoPVPbQhfoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAPgMc6jinAAAQAA=="
            ))
        let error = try fault(bomb, name: "a.gz", maximumLineLength: 100_000)
        #expect(error?.code == .content && error?.line == 1)
        #expect(try lines(bomb, name: "a.gz").map(\.utf8.count) == [1 << 20])
    }

    @Test func noticesChange() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.gz", compressed)
        let file = try TextFile(path: path)
        try file.checkUnchanged()
        try folder.write("a.gz", compressed + member)
        #expect { try file.checkUnchanged() } throws: { ($0 as? UserError)?.code == .inputOutput }
    }

    /// Row counts are those of the data's own README.
    @Test(.enabled(if: TestData.available, "set SHOAL_TEST_DATA"))
    func readsRealFiles() throws {
        for (name, rows) in [
            ("retrieval/medquad-train.jsonl.gz", 9_331), ("sts/jsts-train-ja.jsonl.gz", 12_451), ("sts/stsb-free-dev.jsonl", 625),
        ] {
            let file = try TextFile(path: TestData.url(name).path)
            #expect(file.lines.count == rows)
            for i in file.lines.indices { _ = try JSONValue.parse(file.line(i), path: file.path, firstLine: i + 1) }
        }
    }

    /// A vocabulary read without a tree: 151,643 tokens and 151,387 merges, as the data's own README says.
    @Test(.enabled(if: TestData.available, "set SHOAL_TEST_DATA"))
    func scansARealVocabulary() throws {
        let file = try TextFile(path: TestData.url("qwen2.5-tokenizer/tokenizer.json.gz").path)
        var tokens: Set<Int64> = []
        var merges = 0
        var scanner = JSONScanner(file.bytes, path: file.path)
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            guard key.equals("model") else {
                try scanner.skipValue()
                continue
            }
            try scanner.beginObject()
            while let key = try scanner.nextKey() {
                if key.equals("vocab") {
                    try scanner.beginObject()
                    while try scanner.nextKey() != nil { tokens.insert(try scanner.readInteger()) }
                } else if key.equals("merges") {
                    try scanner.beginArray()
                    while try scanner.nextElement() {
                        try scanner.skipValue()
                        merges += 1
                    }
                } else {
                    try scanner.skipValue()
                }
            }
        }
        try scanner.expectEnd()
        #expect(tokens.count == 151_643 && tokens.max() == 151_642 && merges == 151_387)
    }
}
