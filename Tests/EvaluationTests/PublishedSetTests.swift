// Data sets as they are published: every form of ids, judgements, splits and files gives the same set, and what is odd is counted.

import Data
import Evaluation
import Files
import Foundation
import Support
import Testing

@Suite struct PublishedSetTests {
    private static let grades = ["q1": ["d1": 2, "d2": 0], "q2": ["d2": 1]]

    /// Judgements of the usual set in every form; the header tells which column is which.
    @Test(arguments: [
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td2\t1\n",
        "q1\td1\t2\nq1\td2\t0\nq2\td2\t1\n",
        "q1 d1 2\nq1 d2 0\nq2 d2 1\n",
        "query-id corpus-id score\nq1 d1 2\nq1 d2 0\nq2 d2 1\n",
        "q1\t0\td1\t2\nq1\t0\td2\t0\nq2\t0\td2\t1\n",
        "q1 0 d1 2\nq1 0 d2 0\nq2 0 d2 1",
        "q1\tQ0\td1\t2\nq1\tQ0\td2\t0\nq2\tQ0\td2\t1\n",
        "q1  0   d1 2\n\nq1 0\td2 0\nq2 0 d2   1 \n",
        "query-id\titeration\tcorpus-id\tscore\nq1\t0\td1\t2\nq1\t0\td2\t0\nq2\t0\td2\t1\n",
        "score\tcorpus-id\tquery-id\n2\td1\tq1\n0\td2\tq1\n1\td2\tq2\n",
        "qid\tdocid\trel\tnote\nq1\td1\t2\tsure\nq1\td2\t0\tno\nq2\td2\t1\tyes\n",
        "topic\tdocument\tjudged as\nq1\td1\t2\nq1\td2\t0\nq2\td2\t1\n",
        "query-id\tcorpus-id\tscore\nq1\td1\t2.0\nq1\td2\t0.0\nq2\td2\t1.0\n",
        "query-id\tcorpus-id\tscore\r\n\r\nq1\td1\t2 \r\nq1\td2\t0\r\nq2\td2\t1\r\n",
        "\u{FEFF}query-id\tcorpus-id\tscore\nq1\td1\t2\t\nq1\td2\t0\t\nq2\td2\t1\t\n",
        "q2\td2\t1\nq1\td2\t0\nq1\td1\t2\nq1\td1\t2\n",
    ])
    func judgementsInEveryForm(_ content: String) throws {
        let dataset = try DatasetFolder.usual.with(["qrels/test.tsv": content]).read()
        #expect(dataset.gradesByID == Self.grades)
        #expect(dataset.queries.map(\.id) == ["q2", "q1"])
        #expect(dataset.notices.isEmpty)
    }

    /// A name, and what the file holds.
    @Test(arguments: [
        ("qrels/test.csv", "query-id,corpus-id,score\nq1,d1,2\nq1,d2,0\nq2,d2,1.0\n"),
        (
            "qrels/test.jsonl",
            "{\"query-id\": \"q1\", \"corpus-id\": \"d1\", \"score\": 2}\n{\"query-id\": \"q1\", \"corpus-id\": \"d2\", \"score\": 0}\n{\"query-id\": \"q2\", \"corpus-id\": \"d2\", \"score\": 1.0}"
        ),
        (
            "qrels/test.json",
            "[{\"query_id\": \"q1\", \"corpus_id\": \"d1\", \"score\": 2}, {\"query_id\": \"q1\", \"corpus_id\": \"d2\", \"score\": 0}, {\"query_id\": \"q2\", \"corpus_id\": \"d2\", \"score\": 1}]"
        ),
        ("qrels/test.txt", "q1 0 d1 2\nq1 0 d2 0\nq2 0 d2 1\n"),
        ("qrels/test.qrels", "q1 0 d1 2\nq1 0 d2 0\nq2 0 d2 1\n"),
        ("qrels.tsv", "q1\td1\t2\nq1\td2\t0\nq2\td2\t1\n"),
        (
            "default/test.jsonl",
            "{\"query-id\": \"q1\", \"corpus-id\": \"d1\", \"score\": 2}\n{\"query-id\": \"q1\", \"corpus-id\": \"d2\", \"score\": 0}\n{\"query-id\": \"q2\", \"corpus-id\": \"d2\", \"score\": 1}"
        ),
        ("data/test.csv", "query-id,corpus-id,score\nq1,d1,2\nq1,d2,0\nq2,d2,1\n"),
    ])
    func judgementsUnderOtherNames(_ name: String, _ content: String) throws {
        let dataset = try DatasetFolder.usual.with(["qrels/test.tsv": nil, name: content]).read()
        #expect(dataset.gradesByID == Self.grades && dataset.notices.isEmpty)
    }

    /// Faults of tables, and what is said.
    @Test(arguments: [
        ("q1,d1,2\n", "has the columns query-id, corpus-id and score"), ("query-id,corpus-id,score\nq1,d1,2.5\n", "\"score\" is 2.5"),
        ("query-id,corpus-id,score\nq1,d1,\n", "no \"score\""), ("query-id,corpus-id\nq1,d1\n", "no \"score\""),
        ("query-id,corpus-id,score\nq1,d1,much\n", "\"score\" is no number"), ("query-id,doc,score\nq1,d1,1\n", "no \"corpus-id\""),
    ])
    func faultsOfTables(_ content: String, _ message: String) throws {
        let content = content.hasPrefix("query") ? content : "a,b,c\n" + content
        let error = try #require(throws: UserError.self) {
            try DatasetFolder.usual.with(["qrels/test.tsv": nil, "qrels/test.csv": content]).read()
        }
        #expect(error.code == .content && error.line == 2 && error.message.contains(message), "\(error)")
    }

    /// The corpus and queries of the usual set in other formats and places.
    @Test(arguments: [
        (
            "corpus.json",
            "[{\"_id\": \"d1\", \"title\": \"One\", \"text\": \"first \"}, {\"_id\": \"d2\", \"text\": \"second\"}, {\"_id\": \"d3\", \"text\": \"third\"}]"
        ),
        ("corpus.csv", "_id,title,text\nd1,One,first \nd2,,second\nd3,,third\n"),
        ("corpus.tsv", "_id\ttitle\ttext\nd1\tOne\tfirst \nd2\t\tsecond\nd3\t\tthird\n"),
        (
            "corpus/corpus.jsonl",
            "{\"id\": \"d1\", \"text\": \"One first\"}\n{\"id\": \"d2\", \"text\": \"second\"}\n{\"id\": \"d3\", \"title\": \"third\"}"
        ),
        ("corpus/train.csv", "corpus-id,text\nd1,One first\nd2,second\nd3,third\n"),
        ("corpus/test.csv", "corpus_id,title\nd1,One first\nd2,second\nd3,third\n"),
    ])
    func corporaInOtherForms(_ name: String, _ content: String) throws {
        let dataset = try DatasetFolder.usual.with(["corpus.jsonl": nil, name: content]).read()
        #expect(try dataset.documents == DatasetFolder.usual.read().documents && dataset.notices.isEmpty)
    }

    @Test(arguments: [
        ("queries.csv", "query-id,query\nq0,not judged\nq2,two\nq1,\" one \"\n"),
        (
            "queries/queries.jsonl",
            "{\"id\": \"q0\", \"query\": \"not judged\"}\n{\"qid\": \"q2\", \"text\": \"two\"}\n{\"_id\": \"q1\", \"text\": \" one \"}"
        ),
        (
            "queries/dev.jsonl",
            "{\"_id\": \"q0\", \"text\": \"not judged\"}\n{\"_id\": \"q2\", \"text\": \"two\"}\n{\"_id\": \"q1\", \"text\": \" one \"}"
        ),
        ("queries.json", "[{\"query_id\": \"q2\", \"text\": \"two\"}, {\"query_id\": \"q1\", \"text\": \" one \"}]"),
        ("queries/test-00000-of-00001.jsonl", "{\"_id\": \"q2\", \"text\": \"two\"}\n{\"_id\": \"q1\", \"text\": \" one \"}"),
    ])
    func queriesInOtherForms(_ name: String, _ content: String) throws {
        let dataset = try DatasetFolder.usual.with(["queries.jsonl": nil, name: content]).read()
        #expect(try dataset.queries == DatasetFolder.usual.read().queries && dataset.notices.isEmpty)
    }

    @Test func shardsAreOneTable() throws {
        let usual = DatasetFolder.usual
        let rows = usual.files["corpus.jsonl"]!.split(separator: "\n").map(String.init)
        for names in [["corpus-00000-of-00002.jsonl", "corpus-00001-of-00002.jsonl"], ["corpus/a.jsonl", "corpus/b.jsonl"]] {
            let changes = ["corpus.jsonl": nil, names[0]: rows[0] + "\n" + rows[1], names[1]: rows[2]]
            #expect(try usual.with(changes).read().documents == usual.read().documents, "\(names)")
            let error = try #require(throws: UserError.self) { try usual.with(changes).with([names[1]: rows[0]]).read() }
            #expect(error.message.contains("is also that of") && error.message.contains("\(names[0]):1"), "\(error)")
        }
    }

    /// Tables as MTEB and ViDoRe publish them, written by pyarrow: ids that are numbers, shards, a split of their own.
    @Test(arguments: ["mteb", "vidore"]) func tablesOfParquet(_ name: String) throws {
        let dataset = try BeirDataset(folder: PackagePath.golden("evaluation/\(name)"))
        let expected = try JSONValue.parse(file: PackagePath.golden("evaluation/\(name).json"))
        let documents = Dictionary(uniqueKeysWithValues: dataset.documents.map { ($0.id, String(decoding: $0.text, as: UTF8.self)) })
        let queries = Dictionary(uniqueKeysWithValues: dataset.queries.map { ($0.id, String(decoding: $0.text, as: UTF8.self)) })
        func texts(_ key: String) -> [String: String] {
            Dictionary(uniqueKeysWithValues: expected[key]!.objectValue!.entries.map { ($0.key, $0.value.stringValue!) })
        }
        #expect(documents == texts("corpus") && queries == texts("queries"))
        for (query, grades) in expected["qrels"]!.objectValue!.entries {
            let expected = Dictionary(uniqueKeysWithValues: grades.objectValue!.entries.map { ($0.key, Int($0.value.integerValue!)) })
            #expect(dataset.gradesByID[query] == expected)
        }
    }

    /// Pictures in the rows of a corpus become image files, one for each content.
    @Test func tablesWithPictures() throws {
        let folder = try TemporaryFolder()
        let store = ImageStore(setting: folder.path("cache"))
        let dataset = try BeirDataset(folder: PackagePath.golden("evaluation/pages"), store: store)
        #expect(dataset.documents.map(\.id) == ["3", "2", "1"] && dataset.hasImages)
        #expect(dataset.documents.allSatisfy { $0.text.isEmpty && $0.image?.hasSuffix(".png") == true })
        #expect(Set(dataset.documents.compactMap(\.image)).count == 3)
        #expect(dataset.notices.count == 1 && dataset.notices[0].hasPrefix("1 query has the id of a document with another text"))
        #expect(dataset.gradesByID == ["0": ["1": 1], "1": ["2": 1]])
        let error = try #require(throws: UserError.self) { try BeirDataset(folder: PackagePath.golden("evaluation/pages"), store: nil) }
        #expect(error.code == .content && error.message.contains("image"), "\(error)")
    }

    // MARK: - Ids

    /// Ids that are numbers, or are compared with numbers: corpus, queries, judgements.
    @Test(arguments: [
        ("0", "0", "0\t0\t1"), ("\"0\"", "0", "0\t0\t1"), ("0", "\"0\"", "0 0 0 1"), ("-7", "9007199254740993", "9007199254740993\t-7\t1"),
        ("3.0", "4e2", "400\t3\t1"), ("\"007\"", "7", "7\t007\t1"),
    ])
    func numbersAreTheirText(_ document: String, _ query: String, _ judgement: String) throws {
        let dataset = try DatasetFolder(files: [
            "corpus.jsonl": "{\"_id\": \(document), \"text\": \"a\"}\n{\"_id\": \"other\", \"text\": \"b\"}",
            "queries.jsonl": "{\"_id\": \(query), \"text\": \"q\"}", "qrels/test.tsv": judgement,
        ]).read()
        #expect(dataset.queries.count == 1 && dataset.queries[0].judgements.grades.count == 1)
    }

    /// A query's id, its text and judgements of the documents 5 ("the bee") and 1; what becomes of document 5 by itself, always kept,
    /// always dropped: whether it is left out.
    @Test(arguments: [
        ("5", "how does bread rise", "5\t1\t1", [false, false, true]),
        ("5", "the bee", "5\t1\t1", [true, false, true]),
        ("5", "  the \\n bee ", "5\t1\t1", [true, false, true]),
        ("5", "Bees", "5\t1\t1", [true, false, true]),
        ("5", "Bees the bee", "5\t1\t1", [true, false, true]),
        ("5", "the bee", "5\t1\t1\n5\t5\t0", [false, false, false]),
        ("5", "the bee", "5\t5\t1", [false, false, false]),
        ("5", "the be", "5\t1\t1", [false, false, true]),
        ("5", " ", "5\t1\t1", [false, false, true]),
        ("7", "the bee", "7\t1\t1", [false, false, false]),
    ])
    func documentsOfTheQuerysOwnID(_ id: String, _ text: String, _ judgements: String, _ isLeftOut: [Bool]) throws {
        let folder = DatasetFolder(files: [
            "corpus.jsonl":
                "{\"_id\": \"5\", \"title\": \"Bees\", \"text\": \"the bee\"}\n{\"_id\": \"1\", \"title\": \"\", \"text\": \"bread\"}",
            "queries.jsonl": "{\"_id\": \"\(id)\", \"text\": \"\(text)\"}\n{\"_id\": \"other\", \"text\": \"words\"}",
            "qrels/test.tsv": judgements,
        ])
        for (own, isLeftOut) in zip([BeirDataset.OwnDocument.automatic, .keep, .drop], isLeftOut) {
            let dataset = try folder.read(own: own)
            #expect(dataset.queries[0].ownDocument.map { dataset.documents[$0].id } == (isLeftOut ? "5" : nil), "\(own)")
            let said = dataset.notices.filter { $0.contains("own-id") }
            let isUnjudged = id == "5" && !judgements.contains("5\t5")
            #expect(said.count == (isLeftOut || own == .automatic && isUnjudged ? 1 : 0), "\(dataset.notices)")
            if isLeftOut { #expect(said[0].hasPrefix("1 document with the id of a query is left out")) }
        }
    }

    // MARK: - Judgements of what is not there

    /// Further judgements, what is said, and the grades of absent documents of q1.
    @Test(arguments: [
        ("q1\tzz9\t1", "1 judgement (of 1 query) is of a document that the corpus lacks, \"zz9\"", [1]),
        (
            "q1\tzz9\t3\nq1\tzz8\t0\nq1\tzz9\t3", "2 judgements (of 1 query) are of documents that the corpus lacks, such as \"zz8\"",
            [0, 3]
        ),
        ("q1\td1 \t1", "1 judgement (of 1 query) is of a document that the corpus lacks, \"d1 \"", [1]),
        ("q9\td1\t1", "1 judged query, \"q9\", is not among the queries, and is not evaluated", []),
        ("q9\tzz9\t1\nq8\td1\t1", "2 judged queries, such as \"q9\", are not among the queries", []),
        ("q1\td1\t3", "1 pair of query and document is judged with two grades; the higher one counts", []),
        ("q1\td1\t1", "1 pair of query and document is judged with two grades; the higher one counts", []),
        ("q1\td1\t1\nq2\td2\t0", "2 judgements give a pair of query and document another grade; the highest counts", []),
    ])
    func oddJudgementsAreCounted(_ lines: String, _ sentence: String, _ absent: [Int]) throws {
        let usual = DatasetFolder.usual
        let dataset = try usual.with(["qrels/test.tsv": usual.files["qrels/test.tsv"]! + lines]).read()
        #expect(dataset.notices.count == 1 && dataset.notices[0].hasPrefix(sentence), "\(dataset.notices)")
        #expect(dataset.queries[1].judgements.absent == absent)
        let grade = dataset.gradesByID["q1"]?["d1"]
        #expect(grade == (lines == "q1\td1\t3" ? 3 : 2))
        #expect(dataset.gradesByID["q2"] == ["d2": 1])
    }

    @Test func setsThatDoNotBelongTogetherAreRefused() throws {
        for (lines, message) in [
            ("q7\td1\t1\n", "none of the judged queries, such as \"q7\", is in"),
            ("q1\tz\t1\nq2\ty\t1\n", "none of the judged documents, such as \"y\""),
        ] {
            let error = try #require(throws: UserError.self) { try DatasetFolder.usual.with(["qrels/test.tsv": lines]).read() }
            #expect(error.code == .content && error.message.contains(message), "\(error)")
        }
    }

    // MARK: - Empty texts

    @Test(arguments: [
        (#"{"_id": "d1", "text": ""}"#, ""), (#"{"_id": "d1", "title": "", "text": "  "}"#, ""),
        (#"{"_id": "d1", "title": "only"}"#, "only"),
        (#"{"_id": "d1", "title": "only", "text": null}"#, "only"), (#"{"_id": "d1", "title": null, "text": "words"}"#, "words"),
        (#"{"_id": "d1"}"#, ""),
    ])
    func documentsWithoutText(_ row: String, _ text: String) throws {
        let dataset = try DatasetFolder.usual.with(["corpus.jsonl": row + "\n{\"_id\": \"d2\", \"text\": \"b\"}"]).read()
        #expect(String(decoding: dataset.documents[1].text, as: UTF8.self) == text)
        #expect(dataset.notices == (text.isEmpty ? ["1 document has neither title nor text, and is ranked as what its prompt gives"] : []))
    }

    @Test(arguments: [
        "{\"_id\": \"q1\", \"text\": \"\"}", "{\"_id\": \"q1\", \"text\": \" \\t\"}", "{\"_id\": \"q1\", \"text\": null}",
        "{\"_id\": \"q1\"}",
    ])
    func emptyQueriesAreCountedWhereTheyAreJudged(_ row: String) throws {
        let dataset = try DatasetFolder.usual.with(["queries.jsonl": "{\"_id\": \"q2\", \"text\": \"two\"}\n\(row)\n{\"_id\": \"q0\"}"])
            .read()
        #expect(dataset.queries.count == 2)
        #expect(dataset.notices == ["1 judged query has no text, and is ranked as what its prompt gives"])
    }

    // MARK: - Splits

    /// Splits that are there, the one that is asked for, and the one that is taken or what is said.
    @Test(
        arguments: [
            (["test", "dev"], nil, "test", nil), (["test", "dev"], "dev", "dev", nil), (["test", "dev", "train"], "train", "train", nil),
            (["dev"], nil, "dev", "there are judgements for dev alone"), (["train"], nil, "train", "--split train asks for them by name"),
            (["dev"], "dev", "dev", nil), (["validation"], nil, "validation", "there are judgements for validation alone"),
            (["dev", "train"], nil, nil, "has judgements for dev and train, and none for test; choose by --split"),
            (["test"], "dev", nil, "has no judgements for the split \"dev\"; there are those for test"),
            (["dev", "test"], "Test", nil, "there are those for dev and test"),
        ] as [([String], String?, String?, String?)])
    func splitsAreChosen(_ there: [String], _ wanted: String?, _ taken: String?, _ sentence: String?) throws {
        var folder = DatasetFolder.usual.with(["qrels/test.tsv": nil])
        for (number, name) in there.enumerated() { folder.files["qrels/\(name).tsv"] = "q1\td1\t\(number + 1)\n" }
        guard let taken else {
            let error = try #require(throws: UserError.self) { try folder.read(split: wanted) }
            #expect(error.code == .missing && error.message.contains(sentence!), "\(error)")
            return
        }
        let dataset = try folder.read(split: wanted)
        #expect(dataset.gradesByID == ["q1": ["d1": there.firstIndex(of: taken)! + 1]])
        #expect(dataset.notices.count == (sentence == nil ? 0 : 1))
        if let sentence { #expect(dataset.notices[0].contains(sentence), "\(dataset.notices)") }
    }

    @Test func oneFileOfJudgementsHasNoSplits() throws {
        let folder = DatasetFolder.usual.with(["qrels/test.tsv": nil, "qrels.txt": "q1 0 d1 1"])
        #expect(try folder.read().queries.count == 1)
        let error = try #require(throws: UserError.self) { try folder.read(split: "dev") }
        #expect(error.message.contains("has no splits; leave --split out"), "\(error)")
    }

    @Test func aSecondFileOfAPartIsNamed() throws {
        let folder = DatasetFolder.usual.with(["corpus.csv": "_id,text\nd1,other\n", "qrels/test.txt": "q1 0 d1 1"])
        let dataset = try folder.read()
        #expect(dataset.documents.count == 3 && dataset.queries.count == 2)
        #expect(dataset.notices.count == 2 && dataset.notices.allSatisfy { $0.contains("is read, and ") }, "\(dataset.notices)")
        let error = try #require(throws: UserError.self) {
            try DatasetFolder.usual.with(["corpus.jsonl": nil, "corpus/a.csv": "_id,text\nd1,a\n", "corpus/b.jsonl": "{\"_id\": \"d2\"}"])
                .read()
        }
        #expect(error.message.contains("holds tables of several formats"), "\(error)")
    }
}
