// BEIR folders: what is read, and every way in which one can be wrong, with file and line.

import Evaluation
import Files
import Foundation
import Support
import Testing

/// The files of a small dataset; a test changes one of them.
private struct BeirFiles {
    var corpus = """
        {"_id": "d1", "title": "One", "text": "first "}
        {"_id": "d2", "title": "", "text": " second"}
        {"_id": "q2", "text": ""}
        """
    var queries = """
        {"_id": "q0", "text": "not judged"}
        {"_id": "q2", "text": "two", "metadata": {}}
        {"_id": "q1", "text": " one "}
        """
    var qrels = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td2\t1\n"
    var split = "test"

    func write() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("qrels"), withIntermediateDirectories: true)
        try folder.write("corpus.jsonl", corpus)
        try folder.write("queries.jsonl", queries)
        try folder.write("qrels/\(split).tsv", qrels)
        return folder
    }

    func read() throws -> BeirDataset {
        let folder = try write()
        return try withExtendedLifetime(folder) { try BeirDataset(folder: folder.path, split: split) }
    }

    /// The error of reading them.
    func fault() throws -> UserError { try #require(throws: UserError.self) { try read() } }
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite struct BeirDatasetTests {
    @Test func readsDocumentsAndJudgedQueries() throws {
        let dataset = try BeirFiles().read()
        #expect(dataset.name.hasPrefix("shoal-test-"))
        #expect(dataset.documents.map(\.id) == ["d1", "d2", "q2"])
        #expect(dataset.documents.map { text($0.text) } == ["One first", "second", ""])
        #expect(dataset.queries.map(\.id) == ["q2", "q1"])
        #expect(dataset.queries.map { text($0.text) } == ["two", " one "])
        #expect(dataset.queries.map(\.ownDocument) == [2, nil])
        #expect(dataset.queries.map(\.grades) == [[1: 1], [0: 2, 1: 0]])
    }

    @Test func readsAnotherSplitAndWindowsLineEnds() throws {
        var files = BeirFiles()
        files.split = "dev"
        files.qrels = "query-id\tcorpus-id\tscore\r\n\r\nq1\td1\t1 \r\n"
        let dataset = try files.read()
        #expect(dataset.queries.map(\.id) == ["q1"])
    }

    @Test(arguments: ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"]) func aMissingFileIsMissing(_ name: String) throws {
        let folder = try BeirFiles().write()
        try FileManager.default.removeItem(atPath: folder.path(name))
        let error = try #require(throws: UserError.self) { try withExtendedLifetime(folder) { try BeirDataset(folder: folder.path) } }
        #expect(error.code == .missing)
        #expect(error.description.contains(name), "\(error)")
    }

    /// What the judgements file holds, the line of the fault, and what is said.
    @Test(arguments: [
        ("q1\td1\t1\n", 1, "header"),
        ("", 1, "header"),
        ("query-id\tcorpus-id\tscore\nq9\td1\t1\n", 2, "query \"q9\" is not in"),
        ("query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td9\t1\n", 3, "document \"d9\" is not in"),
        ("query-id\tcorpus-id\tscore\nq1\td1\t1.5\n", 2, "\"1.5\"; it must be a whole number"),
        ("query-id\tcorpus-id\tscore\nq1\td1\thigh\n", 2, "whole number"),
        ("query-id\tcorpus-id\tscore\nq1\t d1\t1\n", 2, "document \" d1\" is not in"),
        ("query-id\tcorpus-id\tscore\nq1 0 d1 1\n", 2, "1 fields"),
        ("query-id\tcorpus-id\tscore\nq1\t0\td1\t1\n", 2, "4 fields"),
        ("query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td1\t2\n", 3, "grade 1 above and 2 here"),
    ])
    func refusesJudgements(_ content: String, _ line: Int, _ message: String) throws {
        var files = BeirFiles()
        files.qrels = content
        let error = try files.fault()
        #expect(error.code == .content)
        #expect(error.path?.hasSuffix("/qrels/test.tsv") == true)
        #expect(error.line == line, "\(error)")
        #expect(error.message.contains(message), "\(error)")
    }

    @Test func refusesJudgementsOfNothing() throws {
        var files = BeirFiles()
        files.qrels = "query-id\tcorpus-id\tscore\n"
        #expect(try files.fault().message.contains("judges no query"))
    }

    @Test func refusesJudgementsThatAreNotUTF8() throws {
        let folder = try BeirFiles().write()
        try folder.write("qrels/test.tsv", Array("query-id\tcorpus-id\tscore\nq1\t".utf8) + [0xFF])
        let error = try #require(throws: UserError.self) { try withExtendedLifetime(folder) { try BeirDataset(folder: folder.path) } }
        #expect(error.line == 2)
        #expect(error.message.contains("UTF-8"))
    }

    /// The third line of the corpus, and what is said.
    @Test(arguments: [
        (#"{"_id": "d1", "text": "again"}"#, "also that of line 1"),
        (#"{"text": "no id"}"#, "no \"_id\""),
        (#"{"_id": "", "text": "no id"}"#, "no \"_id\""),
        (#"{"_id": 3, "text": "number"}"#, "\"_id\" is a number"),
        (#"{"_id": "d3", "title": "no text"}"#, "no \"text\""),
        (#"{"_id": "d3", "text": ["a"]}"#, "\"text\" is an array"),
        (#"{"_id": "d3", "text": "a", "title": 1}"#, "\"title\" is a number"),
        (#"{"_id": "d3""#, "cut short"),
    ])
    func refusesADocument(_ line: String, _ message: String) throws {
        var files = BeirFiles()
        files.corpus = "{\"_id\": \"d1\", \"text\": \"a\"}\n{\"_id\": \"d2\", \"text\": \"b\"}\n" + line
        let error = try files.fault()
        #expect(error.code == .content)
        #expect(error.path?.hasSuffix("/corpus.jsonl") == true)
        #expect(error.line == 3)
        #expect(error.message.contains(message), "\(error)")
    }

    @Test func refusesAnEmptyQueryOnlyWhereItIsJudged() throws {
        var files = BeirFiles()
        files.queries = "{\"_id\": \"q0\", \"text\": \"\"}\n{\"_id\": \"q2\", \"text\": \"two\"}\n{\"_id\": \"q1\", \"text\": \" \"}"
        let error = try files.fault()
        #expect(error.line == 3)
        #expect(error.message.contains("\"text\" is empty"))
        files.qrels = "query-id\tcorpus-id\tscore\nq2\td2\t1\n"
        #expect(try files.read().queries.count == 1)
    }

    @Test func tellsIdsApartThatStringsHoldForEqual() throws {
        var files = BeirFiles()
        files.corpus = "{\"_id\": \"\\u00e9\", \"text\": \"composed\"}\n{\"_id\": \"e\\u0301\", \"text\": \"decomposed\"}"
        files.qrels = "query-id\tcorpus-id\tscore\nq1\te\u{301}\t1\n"
        #expect(try files.read().queries.map(\.grades) == [[1: 1]])
    }

    @Test func readsTheEmbeddedDataset() throws {
        let dataset = try BeirDataset(folder: PackagePath.root.appendingPathComponent("examples/python-stdlib/test").path)
        #expect(dataset.documents.count == 809)
        #expect(dataset.queries.count == 809)
        #expect(dataset.queries.allSatisfy { $0.grades.count == 1 && $0.ownDocument == nil })
    }

    @Test(.enabled(if: TestData.available, "set SHOAL_TEST_DATA"), arguments: [("medquad-test", 1783, 1000), ("xquad-zh", 240, 1180)])
    func readsRealFolders(_ name: String, _ documents: Int, _ queries: Int) throws {
        let dataset = try BeirDataset(folder: TestData.url("retrieval/\(name)").path)
        #expect(dataset.documents.count == documents)
        #expect(abs(dataset.queries.count - queries) <= 20)
    }
}
