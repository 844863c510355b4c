// The row forms of other trainers, columns by name, several positives, prompts of rows, and keys that have no part.

import Files
import Foundation
import Support
import Testing

@testable import Data

@Suite struct RowFormTests {
    private let folder = try! TemporaryFolder()
    private let tasks = ["retrieval", "text-matching", "code"]

    private func rules(_ change: (inout RowRules) -> Void = { _ in }) -> RowRules {
        var rules = RowRules(task: "retrieval", knownTasks: tasks)
        change(&rules)
        return rules
    }

    private func file(_ lines: String, _ rules: RowRules? = nil, passages: String? = nil) throws -> PairFile {
        try PairFile(path: folder.write("rows.jsonl", lines + "\n"), rules ?? self.rules(), passages: passages)
    }

    private func text(_ input: RowInput) -> String { input.text.map { String(decoding: $0, as: UTF8.self) } ?? "[\(input.imageName!)]" }

    /// Examples as `anchor > positive - negative - negative`.
    private func read(_ line: String, _ rules: RowRules? = nil) throws -> [String] {
        try file(line, rules).examples(ofRow: 0).map { row in
            "\(text(row.anchor)) > \(text(row.positive))" + row.negatives.map { " - \(text($0))" }.joined()
        }
    }

    @Test(arguments: [
        (#"{"anchor": "a", "positive": "p", "negative": "n"}"#, ["a > p - n"], "sentence-transformers"),
        (
            #"{"query": "a", "positive": "p", "negative_10": "z", "negative_2": "m", "negative_1": "n"}"#, ["a > p - n - m - z"],
            "sentence-transformers"
        ),
        (#"{"anchor": "a", "positive": "p", "negative": "n", "negative_1": "m"}"#, ["a > p - n - m"], "sentence-transformers"),
        (#"{"query": "a", "pos": ["p", "q"], "neg": ["n"]}"#, ["a > p - n", "a > q - n"], "FlagEmbedding"),
        (#"{"query": "a", "pos": ["p"], "neg": []}"#, ["a > p"], "FlagEmbedding"),
        (
            #"{"query_id": "1", "query": "a", "positive_passages": [{"docid": "7", "title": "T", "text": "p"}, {"docid": "8", "text": "q"}], "negative_passages": [{"title": "", "text": " n "}]}"#,
            ["a > T p - n", "a > q - n"], "Tevatron"
        ),
        (
            #"{"messages": [{"role": "user", "content": "a"}], "positive_messages": [[{"role": "user", "content": "p"}]], "negative_messages": [[{"role": "user", "content": "n"}], [{"role": "user", "content": "m"}]]}"#,
            ["a > p - n - m"], "ms-swift"
        ),
        (
            #"{"messages": [{"role": "user", "content": "a"}], "positive_messages": [[{"role": "user", "content": "<image>"}]], "positive_images": ["1.png"]}"#,
            ["a > [1.png]"], "ms-swift"
        ),
        (#"{"query": "a", "image": {"path": "pages/1.png"}}"#, ["a > [pages/1.png]"], "ViDoRe"),
        (
            #"{"query": "a", "image": "1.png", "negative_0": {"path": "2.png"}, "negative_1": {"path": "3.png"}}"#,
            ["a > [1.png] - [2.png] - [3.png]"], "ViDoRe"
        ),
        (#"{"query": "a", "pos_target": {"path": "1.png"}, "neg_target": [{"path": "2.png"}]}"#, ["a > [1.png] - [2.png]"], "colpali"),
    ])
    func readsTheFormsOfOthers(_ line: String, _ expected: [String], _ form: String) throws {
        #expect(try read(line) == expected)
        #expect(try file(line).read(0).layout.form == form)
    }

    @Test(arguments: [
        (#"{"sentence1": "a", "sentence2": "b", "label": 0}"#, Float(0)), (#"{"sentence1": "a", "sentence2": "b", "label": 0.7}"#, 0.7),
        (#"{"sentence1": "a", "sentence2": "b", "label": true}"#, 1), (#"{"sentence1": "a", "sentence2": "b", "score": 3}"#, 3),
        (#"{"premise": "a", "hypothesis": "b", "label": "neutral"}"#, 0.5), (#"{"premise": "a", "hypothesis": "b", "label": 2}"#, 0),
        (#"{"premise": "a", "hypothesis": "b", "label": 0}"#, 1),
        (
            #"{"messages": [{"role": "user", "content": "a"}], "positive_messages": [[{"role": "user", "content": "b"}]], "label": 0.25}"#,
            0.25
        ),
    ])
    func aLabelOfTwoSentencesIsAScore(_ line: String, _ score: Float) throws {
        #expect(try file(line).row(0).score == score)
    }

    @Test func labelsHaveTheScoresThatTheUserGives() throws {
        let rules = rules { $0.labelScores = ["duplicate": 1, "other": -1, "0": 0.25] }
        #expect(try file(#"{"sentence1": "a", "sentence2": "b", "label": "duplicate"}"#, rules).row(0).score == 1)
        #expect(try file(#"{"sentence1": "a", "sentence2": "b", "label": 0}"#, rules).row(0).score == 0.25)
        expectUserError(.content, "rows.jsonl:1:47", "\"label\" is \"similar\", and scores are known for the labels 0, duplicate, other") {
            _ = try file(#"{"sentence1": "a", "sentence2": "b", "label": "similar"}"#, rules).row(0)
        }
        expectUserError(.content, "rows.jsonl:1:46", "\"label\" is \"-1\", and scores are known for the labels") {
            _ = try file(#"{"premise": "a", "hypothesis": "b", "label": -1}"#).row(0)
        }
    }

    @Test func columnsNameThePartsOfARow() throws {
        let columns = RowColumns([
            .anchor: [KeyPattern("question")], .positive: [KeyPattern("answer"), KeyPattern("other_answer")],
            .negatives: [KeyPattern("neg_*")], .prompt: [KeyPattern("ask")],
        ])
        let rules = rules { $0.columns = columns }
        let line =
            #"{"question": "a", "answer": "p", "other_answer": "q", "neg_b": "m", "neg_10": "z", "neg_2": "n", "query": "note", "ask": "Say: "}"#
        #expect(try read(line, rules) == ["a > p - n - m - z", "a > q - n - m - z"])
        #expect(try file(line, rules).row(0).prompt == Array("Say: ".utf8))
        let graded = self.rules { $0.columns = RowColumns([.score: [KeyPattern("label")]]) }
        #expect(try file(#"{"query": "a", "positive": "p", "label": 0.5}"#, graded).row(0).score == 0.5)
        expectUserError(.content, "rows.jsonl:1:1", "the row has no anchor: no key is \"question\", which columns of this file name") {
            _ = try file(#"{"query": "a", "answer": "p"}"#, rules).row(0)
        }
    }

    /// A key that is named outright is not taken by another part's pattern.
    @Test func aPatternLeavesTheKeysThatAreNamed() throws {
        let rules = rules {
            $0.columns = RowColumns([.positive: [KeyPattern("document_1")], .negatives: [KeyPattern("document_*")]])
        }
        #expect(try read(#"{"query": "a", "document_1": "p", "document_2": "n", "document_3": "m"}"#, rules) == ["a > p - n - m"])
    }

    @Test func promptsAndSystemMessagesStandBeforeTheAnchor() throws {
        for line in [
            #"{"query": "a", "positive": "p", "prompt": "Find: "}"#, #"{"query": "a", "positive": "p", "instruction": "Find: "}"#,
            #"{"messages": [{"role": "system", "content": "Find: "}, {"role": "user", "content": "a"}], "positive_messages": [{"role": "user", "content": "p"}]}"#,
        ] {
            #expect(try file(line).row(0).prompt == Array("Find: ".utf8), "\(line)")
        }
        #expect(try file(#"{"query": "a", "positive": "p"}"#).row(0).prompt == nil)
        expectUserError(.content, "rows.jsonl:1:53", "its anchor is an image, which takes none") {
            _ = try file(#"{"query_image": "a.png", "positive": "p", "prompt": "Find: "}"#).row(0)
        }
    }

    @Test func idsNamePassagesOfACorpus() throws {
        let corpus = try folder.write(
            "corpus.jsonl", "{\"docid\": \"7\", \"title\": \"T\", \"text\": \"p\"}\n{\"docid\": 8, \"text\": \"n\"}\n")
        let line = #"{"query_id": 1, "query_text": "a", "positive_document_ids": ["7"], "negative_document_ids": [8]}"#
        let row = try file(line, passages: corpus).row(0)
        #expect(text(row.positive) == "T p" && row.negatives.map(text) == ["n"])
        expectUserError(.content, "rows.jsonl:1:61", "this file of rows has no corpus; name it: corpus: FILE") { _ = try file(line).row(0) }
        expectUserError(.content, "rows.jsonl:1:46", "names 9, which \(corpus) does not hold") {
            _ = try file(#"{"query_text": "a", "positive_document_ids": ["9"]}"#, passages: corpus).row(0)
        }
        let doubled = try folder.write("doubled.jsonl", "{\"docid\": \"7\", \"text\": \"p\"}\n{\"docid\": 7, \"text\": \"n\"}\n")
        expectUserError(.content, "doubled.jsonl:2", "the id \"7\" stands twice") { _ = try file(line, passages: doubled) }
    }

    @Test(arguments: [
        (
            #"{"messages": [{"role": "user", "content": "a <image>"}], "positive_messages": [[{"role": "user", "content": "p"}]]}"#,
            "an image and words in one message"
        ),
        (
            #"{"messages": [{"role": "user", "content": "<image>"}], "positive_messages": [[{"role": "user", "content": "p"}]]}"#,
            "more often than the row has images"
        ),
        (
            #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "positive_messages": []}"#,
            "of the role \"assistant\""
        ),
        (#"{"messages": "a", "positive_messages": []}"#, "must be a list of messages"),
        (#"{"messages": [{"role": "system", "content": "a"}], "positive_messages": []}"#, "no message of the role \"user\""),
        (#"{"query": "a", "positive": "p", "prompt": "x", "instruction": "y"}"#, "mean the same"),
        (#"{"query": "a", "positive": "p", "neg": ["n"], "negative_1": "m"}"#, "mean the same"),
    ])
    func refusesWhatItCannotKnow(_ line: String, _ message: String) throws {
        let error = try #require(throws: UserError.self) { try file(line).row(0) }
        #expect(error.message.contains(message), "\(error)")
    }

    /// Every example of the table in docs/data.md is read, and recognised as what the table says.
    @Test func theDocumentedExamplesAreRead() throws {
        let document = try String(contentsOf: PackagePath.root.appendingPathComponent("docs/data.md"), encoding: .utf8)
        let table = try #require(document.split(separator: "### Row forms").last?.split(separator: "| part |").first)
        let lines = table.split(separator: "\n").filter { $0.contains("`{") }
        #expect(lines.count == 10)
        let corpus = try folder.write("corpus.jsonl", "{\"docid\": \"1\", \"text\": \"p\"}\n{\"docid\": \"2\", \"text\": \"n\"}\n")
        for line in lines {
            let cells = line.split(separator: "|").map { String($0).stripped }
            let file = try file(String(cells[2].dropFirst().dropLast()), passages: corpus)
            let (examples, layout) = try file.read(0)
            #expect(!examples.isEmpty && (layout.form.map { cells[0].contains($0) } ?? (cells[0] == "Shoal")), "\(line)")
            try file.allExamples().report.keys.check(path: "docs", file.rules)
        }
    }

    // MARK: - Keys without a part

    private func doubt(_ line: String, _ rules: RowRules? = nil) throws -> String? {
        let file = try file(line, rules)
        do { try file.allExamples().report.keys.check(path: "rows.jsonl", file.rules) } catch { return error.message }
        return nil
    }

    @Test(arguments: [
        "label", "labels", "scores", "neg_scores", "pos_scores", "hard_negs", "instruct", "system", "document_2", "positive_1", "rejected",
    ])
    func aKeyWithAMeaningElsewhereIsRefused(_ key: String) throws {
        let line = "{\"query\": \"a\", \"positive\": \"p\", \"\(key)\": [1]}"
        #expect(try #require(try doubt(line)).hasPrefix("1 row has the key \"\(key)\", which other trainers give"))
        #expect(try doubt(line, rules { $0.ignoredKeys = [KeyPattern(key)] }) == nil)
    }

    @Test(arguments: [
        ("negativs", "negatives"), ("negativ", "negative"), ("Negatives", "negatives"), ("promt", "prompt"), ("scor", "score"),
        ("taks", "task"), ("sentence3", "sentence1"), ("anchro", "anchor"), ("hard-negatives", "hard_negatives"),
        ("postive_image", "positive_image"),
    ])
    func aMisspeltKeyIsRefused(_ key: String, _ known: String) throws {
        let line = "{\"query\": \"a\", \"positive\": \"p\", \"\(key)\": \"x\"}"
        #expect(try #require(try doubt(line)).contains("has no part in training and looks like \"\(known)\""))
        #expect(try doubt(line, rules { $0.ignoredKeys = [KeyPattern("*")] }) == nil)
    }

    @Test func aPlainNoteIsCountedAndSaid() throws {
        let lines = ["id", "url", "title", "source", "tags", "answer", "id"].map { "{\"query\": \"a\", \"positive\": \"p\", \"\($0)\": 1}" }
        let file = try file(lines.joined(separator: "\n"))
        let keys = file.allExamples().report.keys
        try keys.check(path: "rows.jsonl", file.rules)
        #expect(keys.unreadKeys.map { "\($0.key) \($0.rows)" } == ["answer 1", "id 2", "source 1", "tags 1", "title 1", "url 1"])
        let sentence = keys.unreadSentence(path: "rows.jsonl", ignored: [KeyPattern("t*"), KeyPattern("answer")])
        #expect(sentence == "keys of rows.jsonl without a part in training: \"id\" (2 rows), \"source\" (1 row), \"url\" (1 row)")
    }

    /// The mapping is said, so that a user sees what was taken for what.
    @Test func theFormIsSaid() throws {
        let file = try file(#"{"query": "a", "positive": "p", "negative_1": "n", "negative_2": "m"}"#)
        #expect(
            file.allExamples().report.keys.formSentence(path: "x", RowColumns())
                == "x is read as rows of sentence-transformers: anchor from \"query\", positive from \"positive\", negatives from \"negative_1\", \"negative_2\""
        )
        let own = try self.file(#"{"query": "a", "positive": "p", "negatives": ["n"]}"#)
        #expect(own.allExamples().report.keys.formSentence(path: "x", RowColumns()) == nil)
    }

    @Test func aReportSurvivesJSON() throws {
        let file = try file("{\"query\": \"a\", \"pos\": [\"p\", \"q\"], \"note\": 1}\n{\"query\": \"a\"}\n[]\n")
        let report = file.allExamples().report
        #expect(report.badRows == 2 && report.rowsWithSeveralPositives == 1)
        #expect(try RowReport(JSONValue.parse(report.json.serialized(pretty: false), path: nil)) == report)
        let error = try #require(report.badRowError(path: "x"))
        #expect(
            error.line == 2 && error.message.contains("no positive") && error.message.contains("1 more row of this file cannot be used"))
    }
}
