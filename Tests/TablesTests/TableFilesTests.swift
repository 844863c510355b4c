// What is recognised and named, and several files as one table.

import Files
import Foundation
import Support
import Tables
import Testing

/// A tar archive's first block, as far as it is looked at.
private let tar: [UInt8] = Array(repeating: 0x61, count: 257) + Array("ustar".utf8) + Array(repeating: 0, count: 250)

@Suite struct TableFilesTests {
    @Test(
        arguments: [
            ("a.arrow", Array("ARROW1\0\0".utf8), "Arrow", "to_parquet"), ("a.csv", Array("FEA1\0\0\0\0".utf8), "Feather", "to_parquet"),
            ("a.json", [0xFF, 0xFF, 0xFF, 0xFF, 0x70, 0, 0, 0], "Arrow", "from_file"),
            ("a.csv.bz2", Array("BZh91AY&SY".utf8), "bzip2", "bunzip2"), ("a.csv", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "xz", "unxz"),
            ("a.zip", Array("PK\u{3}\u{4}".utf8), "zip", "unzip"), ("a.xlsx", Array("PK\u{3}\u{4}".utf8), "zip", "CSV"),
            ("a.tar", tar, "tar archive", "tar -xf"),
            ("a.pkl", [0x80, 0x04, 0x95], "pickle", "read_pickle"), ("a.pkl", Array("(lp0".utf8), "pickle", "to_parquet"),
            ("a.parquet", Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\n".utf8), "LFS pointer", "git lfs pull"),
            ("a.csv", Array("\n<!DOCTYPE html><html>".utf8), "HTML", "download"), ("a.json", Array("<HTML>".utf8), "HTML", "download"),
            ("a.csv", [0xFF, 0xFE, 0x61, 0x00], "UTF-16", "iconv"), ("a.csv", [0xFE, 0xFF, 0x00, 0x61], "UTF-16", "UTF-8"),
            ("a.json", [0x5B, 0x00, 0x7B, 0x00], "UTF-16", "iconv"), ("a.jsonl", [0x00, 0x7B, 0x00, 0x22], "UTF-16", "iconv"),
            ("a.parquet", Array("PARE\u{15}\0".utf8), "encrypted", "without"), ("a.csv", Array("SQLite format 3\0".utf8), "SQLite", "-csv"),
            ("a.npy", [0x93] + Array("NUMPY".utf8), "NumPy", "Parquet"), ("a.csv", Array("%PDF-1.7".utf8), "PDF", "table"),
            ("a.txt", Array("hello".utf8), "no table by its name", ".csv"), ("a", Array("hello".utf8), "no table by its name", ".parquet"),
            ("a.parquet", Array("a,b\n".utf8), "does not begin with PAR1", "download"),
            ("a.csv", Array("PAR1\u{15}\0PAR1".utf8), "under another name", "rename"),
            ("a.csv.gz", [], "is empty", "again"), ("a.csv.gz", Array("<html>".utf8), "HTML", "download"),
        ] as [(String, [UInt8], String, String)])
    func namesWhatIsNotRead(_ name: String, _ bytes: [UInt8], _ what: String, _ mend: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(name, bytes)
        expectUserError(.content, path, what, mend) { _ = try TableFile(path: path) }
    }

    /// Words that begin binary files may stand in a header.
    @Test(arguments: ["ORCID,PK\n1,2\n", "PAR1,PAR2\n1,2\n", "FEA1\n1\n", "PARENT\n1\n", "BZh\n1\n"])
    func takesTextForText(_ text: String) throws { #expect(try rows("a.csv", text.utf8).count == 1) }

    @Test func looksIntoPackedFiles() throws {
        let folder = try TemporaryFolder()
        // gzip.compress(b"<html></html>", mtime=0)
        let page: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xB3, 0xC9, 0x28, 0xC9, 0xCD, 0xB1, 0xB3, 0xD1, 0x07, 0x53, 0x00,
            0x1F, 0x87, 0x1B, 0x60, 0x0D, 0x00, 0x00, 0x00,
        ]
        let path = try folder.write("a.csv.gz", page)
        expectUserError(.content, "HTML page") { _ = try TableFile(path: path) }
    }

    @Test func noticesChange() throws {
        let folder = try TemporaryFolder()
        let table = try TableFile(path: try folder.write("a.csv", "a\n1\n"))
        try table.checkUnchanged()
        try folder.write("a.csv", "a\n1\n2\n")
        #expect { try table.checkUnchanged() } throws: { ($0 as? UserError)?.code == .inputOutput }
    }

    @Test func findsFiles() throws {
        let folder = try TemporaryFolder()
        for name in ["b-2.csv", "b-10.csv", "B-1.csv", "c.csv.gz", "notes.md", ".hidden.csv", "a[1].csv"] {
            try folder.write(name, "a\n1\n")
        }
        func names(_ pattern: String) throws -> [String] {
            try TableGlob.files(folder.path(pattern)).map { ($0 as NSString).lastPathComponent }
        }
        #expect(try names("b-*.csv") == ["b-10.csv", "b-2.csv"])
        #expect(try names("[bB]-?.csv") == ["B-1.csv", "b-2.csv"])
        #expect(try names("notes.md") == ["notes.md"], "a file is taken as it is named")
        #expect(try names("a[1].csv") == ["a[1].csv"])
        #expect(try names("") == ["B-1.csv", "a[1].csv", "b-10.csv", "b-2.csv", "c.csv.gz"])
        expectUserError(.missing, "no file matches") { _ = try names("x-*.csv") }
        expectUserError(.missing, "no such file") { _ = try names("x.csv") }
        expectUserError(.missing, "**") { _ = try names("**/x.csv") }
        try folder.write("d.json", "[]")
        expectUserError(.content, "several formats", ".csv and .json") { _ = try names("") }
        let empty = try TemporaryFolder()
        expectUserError(.missing, "holds no table") { _ = try TableGlob.files(empty.path) }
    }

    @Test func readsShardsInOrder() throws {
        let folder = try TemporaryFolder()
        try folder.write("a-2.csv", "b,a\n2,x\n")
        try folder.write("a-1.csv", "a,b\nw,1\nv,0\n")
        try folder.write("a-3.csv", "a,b\n")
        let shards = try TableShards(folder.path("a-*.csv"))
        #expect(shards.columns.map(\.name) == ["a", "b"] && shards.format == .csv && shards.rowCount == nil)
        let reader = shards.reader(.columns(["a", "b"]))
        var read: [TableRow] = []
        while let row = try reader.next() { read.append(row) }
        #expect(shown(read) == ["a='w' b='1'", "a='v' b='0'", "a='x' b='2'"])
        #expect(read.map { "\(($0.place.path as NSString).lastPathComponent):\($0.place.row)" } == ["a-1.csv:1", "a-1.csv:2", "a-2.csv:1"])
    }

    @Test func countsRowsOfShards() throws {
        let paths = ["none", "snappy", "zstd"].map { "\(goldenTables)/pyarrow-\($0)-v2.parquet" }
        #expect(try TableShards(paths: paths).rowCount == 120)
    }

    @Test func refusesShardsThatDiffer() throws {
        let folder = try TemporaryFolder()
        try folder.write("a-1.csv", "a,b\n")
        try folder.write("a-2.csv", "a,c\n")
        expectUserError(.content, "a-2.csv", "no column \"b\"", "a-1.csv") { _ = try TableShards(folder.path("a-?.csv")) }
        try folder.write("a-2.csv", "a,b,c\n")
        expectUserError(.content, "a-2.csv", "has the column \"c\"") { _ = try TableShards(folder.path("a-?.csv")) }
        try folder.write("a-2.tsv", "a\tb\n")
        expectUserError(.content, "a-2.tsv", "is tsv where") {
            _ = try TableShards(paths: [folder.path("a-1.csv"), folder.path("a-2.tsv")])
        }
        expectUserError(.content, "\"id\"") {
            _ = try TableShards(paths: ["\(goldenTables)/pyarrow-none-v1.parquet", "\(goldenTables)/pyarrow-old-lists.parquet"])
        }
    }
}
