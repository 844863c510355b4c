// What lies in place of a file is named, in JSON and in text, plain or under a name of gzip.

import Files
import Foundation
import Support
import Testing

@Suite struct StandInTests {
    private static let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 551613\n"

    @Test(
        "files of JSON",
        arguments: [
            (Array(pointer.utf8), "is a Git LFS pointer of 71 bytes in place of the file"), (Array("<html>".utf8), "is a web page"),
            (Array("\r\n\t<?xml version=\"1.0\"?>".utf8), "is a web page"), ([0x1F, 0x8B, 8, 0], "is packed with gzip"),
            (Array("PK\u{3}\u{4}rest".utf8), "is a zip archive"), ([0xFF, 0xFE, 0x7B, 0], "is UTF-16 text"),
            ([0xFE, 0xFF, 0, 0x7B], "is UTF-16 text"),
        ] as [([UInt8], String)])
    func json(_ bytes: [UInt8], _ sentence: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("config.json", bytes)
        expectUserError(.content, path, sentence) { _ = try JSONValue.parse(file: path) }
        expectUserError(.configuration, path, sentence) { _ = try JSONValue.parse(file: path, code: .configuration) }
    }

    @Test("files of text", arguments: ["texts.txt", "test.tsv", "queries.jsonl", "corpus.jsonl.gz", "texts.txt.gz"])
    func text(_ name: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(name, Self.pointer)
        expectUserError(.content, path, "is a Git LFS pointer of 71 bytes in place of the file", "git lfs pull") {
            _ = try TextFile(path: path)
        }
    }

    @Test("a text that only speaks of them is a text")
    func ordinary() throws {
        let folder = try TemporaryFolder()
        let lines = try TextFile(path: folder.write("texts.txt", "what is version https://git-lfs?\n<html>\nPK\n"))
        #expect(lines.lines.count == 3)
        #expect(try JSONValue.parse(file: folder.write("a.json", "\"<html>\"")).stringValue == "<html>")
    }
}
