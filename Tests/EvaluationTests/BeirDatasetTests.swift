// BEIR folders: what is read, and every way in which one can be wrong, with file and line.

import Evaluation
import Files
import Foundation
import Support
import Testing

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite struct BeirDatasetTests {
    private static let header = "query-id\tcorpus-id\tscore\n"

    @Test func readsDocumentsAndJudgedQueries() throws {
        let dataset = try DatasetFolder.usual.read()
        #expect(dataset.name.hasPrefix("shoal-test-"))
        #expect(dataset.documents.map(\.id) == ["d3", "d2", "d1"])
        #expect(dataset.documents.map { text($0.text) } == ["third", "second", "One first"])
        #expect(dataset.queries.map(\.id) == ["q2", "q1"])
        #expect(dataset.queries.map { text($0.text) } == ["two", " one "])
        #expect(dataset.queries.map(\.ownDocument) == [nil, nil])
        #expect(dataset.queries.map(\.judgements) == [Judgements([1: 1]), Judgements([2: 2, 1: 0])])
        #expect(dataset.notices.isEmpty)
    }

    /// Of equal scores the first document ranks first: trec_eval's order, whatever that of the file.
    @Test func documentsStandInTheFallingOrderOfTheirIDs() throws {
        let ids = ["10", "9", "A", "a", "é", "z", "日", "😀", "1"]
        let rows = ids.map { "{\"_id\": \"\($0)\", \"text\": \"t\"}" }
        for order in [rows, rows.reversed(), rows.shuffled()] {
            let dataset = try DatasetFolder.usual.with([
                "corpus.jsonl": order.joined(separator: "\n"), "qrels/test.tsv": Self.header + "q1\t9\t1\n",
            ]).read()
            #expect(dataset.documents.map(\.id) == ["😀", "日", "é", "z", "a", "A", "9", "10", "1"])
            #expect(dataset.gradesByID == ["q1": ["9": 1]])
        }
    }

    @Test func theOrderOfFilesDoesNotChangeTheFingerprintOfTheCorpus() throws {
        let usual = DatasetFolder.usual
        let reversed = usual.files["corpus.jsonl"]!.split(separator: "\n").reversed().joined(separator: "\n")
        #expect(try usual.read().fingerprint == usual.with(["corpus.jsonl": reversed]).read().fingerprint)
        #expect(try usual.read().fingerprint != usual.with(["qrels/test.tsv": Self.header + "q1\td1\t1\n"]).read().fingerprint)
        // Judgements of absent documents count.
        let absent = usual.files["qrels/test.tsv"]! + "q1\tgone\t1\n"
        #expect(try usual.read().fingerprint != usual.with(["qrels/test.tsv": absent]).read().fingerprint)
    }

    @Test(arguments: ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"]) func aMissingFileIsMissing(_ name: String) throws {
        let error = try #require(throws: UserError.self) { try DatasetFolder.usual.with([name: nil]).read() }
        #expect(error.code == .missing)
        #expect(error.description.contains(name), "\(error)")
    }

    /// What the judgements file holds, the line of the fault, and what is said.
    @Test(arguments: [
        ("q1\td1\t1.5\n", 2, "the grade is \"1.5\"; a grade must be a whole number"),
        ("q1\td1\thigh\n", 2, "the grade is \"high\""),
        ("q1\td1\tinf\n", 2, "the grade is \"inf\""),
        ("q1\td1\t1e30\n", 2, "the grade is \"1e30\""),
        ("q1\td1\t1\nq1\td1\n", 3, "2 columns where the first has 3"),
        ("q1\td1\t1\nq1 0 d1 1\n", 3, "4 columns where the first has 3"),
        ("q1\t0\td1\t1\n", 2, "4 columns where the first has 3"),
        ("q1\td1\t1\t2\t3\n", 2, "5 columns where the first has 3"),
    ])
    func refusesJudgements(_ lines: String, _ line: Int, _ message: String) throws {
        let error = try #require(throws: UserError.self) {
            try DatasetFolder.usual.with(["qrels/test.tsv": Self.header + lines]).read()
        }
        #expect(error.code == .content)
        #expect(error.path?.hasSuffix("/qrels/test.tsv") == true)
        #expect(error.line == line, "\(error)")
        #expect(error.message.contains(message), "\(error)")
    }

    @Test(arguments: ["query-id\tcorpus-id\tscore\n", "", "\n \n"]) func refusesJudgementsOfNothing(_ content: String) throws {
        let error = try #require(throws: UserError.self) { try DatasetFolder.usual.with(["qrels/test.tsv": content]).read() }
        #expect(error.message.contains("judges no query"), "\(error)")
    }

    @Test func refusesJudgementsThatAreNotUTF8() throws {
        let folder = try DatasetFolder.usual.write()
        try folder.write("qrels/test.tsv", Array("query-id\tcorpus-id\tscore\nq1\t".utf8) + [0xFF])
        let error = try #require(throws: UserError.self) { try withExtendedLifetime(folder) { try BeirDataset(folder: folder.path) } }
        #expect(error.line == 2)
        #expect(error.message.contains("UTF-8"))
    }

    @Test func refusesWhatIsNoTextOfJudgements() throws {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 5\n"
        let error = try #require(throws: UserError.self) { try DatasetFolder.usual.with(["qrels/test.tsv": pointer]).read() }
        #expect(error.message.contains("Git LFS pointer"), "\(error)")
    }

    /// The third line of the corpus, and what is said.
    @Test(arguments: [
        (#"{"_id": "d1", "text": "again"}"#, "also that of line 1"),
        (#"{"_id": 1, "text": "again"}"#, nil),
        (#"{"text": "no id"}"#, "no \"_id\""),
        (#"{"_id": null, "text": "no id"}"#, "no \"_id\""),
        (#"{"_id": "", "text": "no id"}"#, "\"_id\" is empty"),
        (#"{"_id": 1.5, "text": "fraction"}"#, "\"_id\" is a number; an id must be a text or a whole number"),
        (#"{"_id": 18446744073709551616, "text": "too large"}"#, "\"_id\" is a number; an id must be a text or a whole number"),
        (#"{"_id": true, "text": "truth"}"#, "\"_id\" is"),
        (#"{"_id": ["d3"], "text": "list"}"#, "\"_id\" is an array"),
        (#"{"_id": "d3", "text": ["a"]}"#, "\"text\" is an array"),
        (#"{"_id": "d3", "text": "a", "title": 1}"#, "\"title\" is a number"),
        (#"{"_id": "d3""#, "cut short"),
    ])
    func refusesADocument(_ line: String, _ message: String?) throws {
        let folder = DatasetFolder.usual.with([
            "corpus.jsonl": "{\"_id\": \"d1\", \"text\": \"a\"}\n{\"_id\": \"d2\", \"text\": \"b\"}\n" + line
        ])
        guard let message else {
            #expect(try folder.read().documents.count == 3)
            return
        }
        let error = try #require(throws: UserError.self) { try folder.read() }
        #expect(error.code == .content)
        #expect(error.path?.hasSuffix("/corpus.jsonl") == true)
        #expect(error.line == 3)
        #expect(error.message.contains(message), "\(error)")
    }

    @Test func refusesTextsUnderAnotherKey() throws {
        let error = try #require(throws: UserError.self) {
            try DatasetFolder.usual.with(["corpus.jsonl": "{\"_id\": \"d1\", \"contents\": \"a\"}\n{\"_id\": \"d2\", \"contents\": \"b\"}"])
                .read()
        }
        #expect(
            error.line == 1 && error.message.contains("no row has a text or an image; they stand under \"text\", \"title\""), "\(error)")
    }

    @Test func tellsIdsApartThatStringsHoldForEqual() throws {
        let dataset = try DatasetFolder.usual.with([
            "corpus.jsonl": "{\"_id\": \"\\u00e9\", \"text\": \"composed\"}\n{\"_id\": \"e\\u0301\", \"text\": \"decomposed\"}",
            "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\te\u{301}\t1\n",
        ]).read()
        #expect(dataset.queries.map { $0.judgements.grades.keys.map { text(dataset.documents[$0].text) } } == [["decomposed"]])
    }

    @Test func readsTheEmbeddedDataset() throws {
        let dataset = try BeirDataset(folder: PackagePath.root.appendingPathComponent("examples/python-stdlib/test").path)
        #expect(dataset.documents.count == 809)
        #expect(dataset.queries.count == 809)
        #expect(dataset.queries.allSatisfy { $0.judgements.count == 1 && $0.ownDocument == nil })
        #expect(dataset.notices.isEmpty)
    }

    @Test(.enabled(if: TestData.available, "set SHOAL_TEST_DATA"), arguments: [("medquad-test", 1783, 1000), ("xquad-zh", 240, 1180)])
    func readsRealFolders(_ name: String, _ documents: Int, _ queries: Int) throws {
        let dataset = try BeirDataset(folder: TestData.url("retrieval/\(name)").path)
        #expect(dataset.documents.count == documents)
        #expect(abs(dataset.queries.count - queries) <= 20)
    }
}
