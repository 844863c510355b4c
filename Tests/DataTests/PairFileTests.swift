// Training rows: every spelling, every fault with its place, real files, random damage.

import Files
import Foundation
import Support
import Testing

@testable import Data

private let tasks = ["retrieval", "text-matching", "code"]

/// An image as `[name]`.
private func text(_ input: RowInput) -> String {
    switch input {
    case .text(let bytes): String(decoding: bytes, as: UTF8.self)
    case .image(let name): "[\(name)]"
    }
}

@Suite struct PairFileTests {
    /// Lives as long as the test.
    private let folder = try! TemporaryFolder()

    private func file(
        _ content: String, task: String = "retrieval", scoreRange: ClosedRange<Double>? = nil
    ) throws -> PairFile {
        try PairFile(path: folder.write("rows.jsonl", content), task: task, knownTasks: tasks, scoreRange: scoreRange)
    }

    private func row(_ line: String) throws -> TrainingRow { try file(line + "\n").row(0) }

    @Test(arguments: [
        (#"{"anchor": "a", "positive": "p", "negatives": ["n", "m"]}"#, ["n", "m"]),
        (#"{"query": "a", "pos": "p", "neg": "n"}"#, ["n"]),
        (#"{"text": "a", "pos": ["p"], "negative": []}"#, []),
        (#"{"positive": "p", "query": "a", "negatives": null, "anchor": null, "id": 7, "notes": {"k": [1]}}"#, []),
    ])
    func takesEverySpelling(_ line: String, _ negatives: [String]) throws {
        let row = try row(line)
        #expect(text(row.anchor) == "a")
        #expect(text(row.positive) == "p")
        #expect(row.negatives.map(text) == negatives)
        #expect(row.task == "retrieval")
    }

    @Test(arguments: [
        (#"{"sentence1": "a", "sentence2": "p", "score": 4.4}"#, Float(4.4)), (#"{"query": "a", "positive": "p", "score": 0}"#, 0),
        (#"{"score": -1e-3, "sentence2": "p", "anchor": "a", "negatives": []}"#, -1e-3),
        (#"{"text": "a", "pos": ["p"], "score": null}"#, nil), (#"{"sentence1": "a", "sentence2": "p"}"#, nil),
    ])
    func takesScores(_ line: String, _ score: Float?) throws {
        let row = try row(line)
        #expect(text(row.anchor) == "a" && text(row.positive) == "p" && row.negatives.isEmpty)
        #expect(row.score == score)
    }

    @Test(arguments: [(5, true), (0, true), (5.0001, false), (-1, false)])
    func holdsScoresAgainstTheirRange(_ score: Double, _ isInside: Bool) throws {
        let file = try file("\n{\"query\": \"a\", \"positive\": \"p\", \"score\": \(score)}\n", scoreRange: 0...5)
        if isInside {
            #expect(try file.row(0).score == Float(score))
        } else {
            expectUserError(.content, "rows.jsonl:2:42", "\"score\" is \(Figures.short(score)), but score_range of this file is [0, 5]") {
                _ = try file.row(0)
            }
        }
    }

    /// Names without detours; an image takes the place of its side's texts, whatever they are.
    @Test(arguments: [
        (#"{"query_image": "a.png", "positive": "p"}"#, "[a.png]", "p", []),
        (#"{"query": "", "query_image": ["./x//a.png"], "positive_image": "x/../b.png"}"#, "[x/a.png]", "[b.png]", []),
        (#"{"query": "a", "positive": "p", "negatives": ["n"], "negative_images": ["c", "d"]}"#, "a", "p", ["[c]", "[d]"]),
        (#"{"query": "a", "positive": "p", "negatives": ["n"], "negative_images": []}"#, "a", "p", ["n"]),
        (#"{"query": "a", "positive": "p", "query_image": null, "negative_image": "c"}"#, "a", "p", ["[c]"]),
    ])
    func takesImages(_ line: String, _ anchor: String, _ positive: String, _ negatives: [String]) throws {
        let row = try row(line)
        #expect(text(row.anchor) == anchor && text(row.positive) == positive && row.negatives.map(text) == negatives)
    }

    @Test func aRowsTaskWins() throws {
        #expect(try row(#"{"query": "a", "positive": "p", "task": "code"}"#).task == "code")
    }

    @Test func keepsTheBytesOfATextAsTheyAre() throws {
        let row = try row(#"{"query": " a\r\n ", "positive": "e\u0301\ud83d\ude00", "negative": "é"}"#)
        #expect(row.anchor == .text(Array(" a\r\n ".utf8)))
        #expect(row.positive == .text([0x65, 0xCC, 0x81, 0xF0, 0x9F, 0x98, 0x80]))
        #expect(row.negatives == [.text([0xC3, 0xA9])])
    }

    /// Line, the column of the fault, and what the message must contain.
    @Test(arguments: [
        (#"{"query": "a", "positive": ""}"#, 28, "\"positive\" is empty"),
        (#"{"query": "äö", "positive": " \t\u3000"}"#, 29, "\"positive\" is empty"),
        (#"{"query": "\n", "positive": "p"}"#, 11, "\"query\" is empty"),
        (#"{"query": "a", "positive": "p", "negatives": ["n", ""]}"#, 46, "entry 2 of \"negatives\" is empty"),
        (#"{"query": "a"}"#, 1, "no positive; it stands under one of \"positive\", \"pos\", \"positives\", \"sentence2\""),
        (#"{"positive": "p"}"#, 1, "no anchor"),
        (#"{"query": null, "positive": "p"}"#, 1, "no anchor"),
        (#"{"query": 7, "positive": "p"}"#, 11, "\"query\" is a number"),
        (#"{"query": "a", "positive": {"x": 1}}"#, 28, "\"positive\" is an object"),
        (#"{"query": ["a", "b"], "positive": "p"}"#, 11, "has 2 entries; a row has one anchor"),
        (#"{"query": "a", "positive": []}"#, 28, "\"positive\" is an empty list"),
        (#"{"query": "a", "positive": ["p", "r"], "score": 1}"#, 28, "has one second text, and this one has 2"),
        (#"{"query": "a", "positive": "p", "neg": ["n", 3]}"#, 40, "entry 2 of \"neg\" is a number"),
        (#"{"query": "a", "anchor": "b", "positive": "p"}"#, 11, "mean the same"),
        (#"{"query": "a", "pos": "p", "positive": "p"}"#, 23, "mean the same"),
        (#"{"query": "a", "query": "b", "positive": "p"}"#, 16, "stands twice"),
        (#"{"query": "a", "positive": "p", "task": "codes"}"#, 41, "\"codes\"; this run has the tasks retrieval, text-matching, code"),
        (#"{"query": "a", "positive": "p", "task": ["code"]}"#, 41, "\"task\" is an array; it must be a string"),
        (#"{"sentence1": "a", "sentence2": "b", "score": "1"}"#, 47, "\"score\" is a string; it must be a number, without quotes"),
        (#"{"query": "a", "positive": "p", "score": true}"#, 42, "\"score\" is true or false; it must be a number"),
        (#"{"query": "a", "positive": "p", "score": [1]}"#, 42, "\"score\" is an array"),
        (#"{"query": "a", "positive": "p", "score": 1e39}"#, 42, "\"score\" is 1e+39; the largest that is read is 3.4028235e+38"),
        (#"{"query": "a", "positive": "p", "score": 1e999}"#, 42, "out of range"),
        (#"{"query": "a", "positive": "p", "score": NaN}"#, 42, "found"),
        (#"{"query": "a", "positive": "p", "score": 1, "negatives": ["n"]}"#, 42, "a row with a \"score\" has no negatives"),
        (#"{"query": "a", "sentence1": "b", "positive": "p"}"#, 29, "mean the same"),
        (#"{"sentence1": "a", "score": 1}"#, 1, "no positive"),
        (#"{"query": "a", "positive": "p", "image": "a.png"}"#, 42, "\"image\" does not say which side it is"),
        (#"{"query": "a", "positive_image": "/a.png"}"#, 34, "\"positive_image\": \"/a.png\" is an absolute path"),
        (#"{"query": "a", "positive_image": "b/../../a.png"}"#, 34, "leads out of"),
        (#"{"query_image": ["a", "b"], "positive": "p"}"#, 17, "has 2 entries; a row has one anchor"),
        (#"{"query_image": " ", "positive": "p"}"#, 17, "is empty"),
        (#"{"query_image": 7, "positive": "p"}"#, 17, "\"query_image\": 7 is a number"),
        (#"{"query": "a", "positive": "p", "negative_images": ["n.png", 3]}"#, 52, "\"negative_images\": 3 is a number"),
        (#"{"query": "a", "positive": "p", "negative_image": "n", "negative_images": "m"}"#, 51, "mean the same"),
        (#"["query", "positive"]"#, 1, "an array where an object is expected"),
        (#"{"query": "a", "positive": "p"} x"#, 33, "after the end"),
        (#"{"query": "a", "positive": "p""#, 31, "cut short"),
    ])
    func refusesARow(_ line: String, _ column: Int, _ message: String) throws {
        let file = try file("{\"query\": \"a\", \"positive\": \"p\"}\n\n\(line)\n")
        #expect(file.count == 2)
        let error = try #require(throws: UserError.self) { try file.row(1) }
        #expect(error.message.contains(message), "\(error)")
        #expect(error.code == .content)
        #expect(error.path == folder.path("rows.jsonl"))
        #expect(error.line == 3)
        #expect(error.column == column, "\(error)")
    }

    @Test func countsBlankLinesAndWindowsLineEnds() throws {
        let lines = ["", "{\"query\": \"a\", \"positive\": \"p\"}", " \t", "{\"query\": \"b\", \"positive\": \"r\"}"]
        let file = try file(lines.joined(separator: "\r\n"))
        #expect(file.count == 2)
        #expect([0, 1].map(file.lineNumber(ofRow:)) == [2, 4])
        #expect(try text(file.row(1).anchor) == "b")
    }

    @Test(arguments: ["", "\n \n"]) func refusesAFileWithoutRows(_ content: String) throws {
        let error = try #require(throws: UserError.self) { try file(content) }
        #expect(error.code == .content)
        #expect(error.message.contains("holds no rows"))
    }

    @Test func aMissingFileIsMissing() throws {
        let error = try #require(throws: UserError.self) {
            try PairFile(path: folder.path("absent.jsonl"), task: "code", knownTasks: tasks)
        }
        #expect(error.code == .missing)
    }

    @Test func anUnknownTaskOfTheFileIsAnErrorOfTheRow() throws {
        let file = try file("{\"query\": \"a\", \"positive\": \"p\"}", task: "codes")
        #expect(throws: UserError.self) { try file.row(0) }
    }

    @Test func readsTheEmbeddedDataSet() throws {
        let file = try PairFile(
            path: PackagePath.root.appendingPathComponent("examples/python-stdlib/train.jsonl.gz").path, task: "code", knownTasks: tasks)
        #expect(file.count == 4266)
        let first = try file.row(0)
        #expect(text(first.positive).hasPrefix("def _is_param_expr(obj):\n"))
        for row in 0..<file.count { #expect(try file.row(row).negatives.isEmpty) }
    }

    @Test(
        .enabled(if: TestData.available, "set SHOAL_TEST_DATA"),
        arguments: [
            ("retrieval/medquad-train.jsonl.gz", 9331, 14066), ("code/nl2bash-train.jsonl.gz", 11099, 0),
            ("sts/stsb-free-train.jsonl", 2999, 0), ("sts/jsts-train-ja.jsonl.gz", 12451, 0),
        ])
    func readsRealFiles(_ name: String, _ rows: Int, _ negatives: Int) throws {
        let file = try PairFile(path: TestData.url(name).path, task: "retrieval", knownTasks: tasks)
        #expect(file.count == rows)
        #expect(try (0..<file.count).reduce(0) { try $0 + file.row($1).negatives.count } == negatives)
    }

    @Test(.enabled(if: TestData.available, "set SHOAL_TEST_DATA")) func findsTheEmptyQueriesOfAPublishedFile() throws {
        let path = TestData.url("retrieval/cmrc2018-trial-zh-train.jsonl.gz").path
        let file = try PairFile(path: path, task: "retrieval", knownTasks: tasks)
        let refused = (0..<file.count).filter { (try? file.row($0)) == nil }
        #expect(file.count == 1002)
        #expect(refused.map(file.lineNumber(ofRow:)) == [748, 809])
        let error = try #require(throws: UserError.self) { try file.row(747) }
        #expect(error.description == "\(path):748:11: \"query\" is empty; write its text or remove the row")
    }

    /// Bytes of a good row replaced, removed and doubled: an error or a row, never a trap.
    @Test func survivesDamage() throws {
        let line = Array(
            #"{"query": "ä\u00e9\ud83d\ude00", "positive": ["p"], "negatives": ["n", "m"], "task": "code", "k": [-1.5e3, null]}"#.utf8)
        var generator = SystemRandomNumberGenerator()
        var damaged: [UInt8] = []
        for _ in 0..<3000 {
            var copy = line
            let place = Int.random(in: 0..<copy.count, using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: copy[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: copy.removeSubrange(place..<min(place + 3, copy.count))
            default: copy.insert(contentsOf: copy[place...].prefix(4), at: place)
            }
            damaged += copy + [0x0A]
        }
        let path = try folder.write("damaged.jsonl", damaged)
        let file = try PairFile(path: path, task: "code", knownTasks: tasks)
        var refused = 0
        for row in 0..<file.count {
            do { _ = try file.row(row) } catch {
                refused += 1
                #expect(error.path == path && error.line == file.lineNumber(ofRow: row) && error.column != nil, "\(error)")
            }
        }
        #expect(refused > 500)
    }
}
