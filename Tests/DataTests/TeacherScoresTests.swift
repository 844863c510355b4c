// A teacher's scores in a row: both spellings, and every fault with its place.

import Files
import Support
import Testing

@testable import Data

@Suite struct TeacherScoresTests {
    /// Lives as long as the test.
    private let folder = try! TemporaryFolder()

    private func file(_ content: String, name: String = "rows.jsonl") throws -> RowFile {
        try RowFile(path: folder.write(name, content))
    }

    private func scores(_ line: String, positives: Int = 1, negatives: Int = 2) throws -> TeacherScores {
        try scores(file(line + "\n").row(0), positives: positives, negatives: negatives)
    }

    private func scores(_ row: RowObject, positives: Int, negatives: Int, isGraded: Bool = false) throws -> TeacherScores {
        func key(_ name: String) -> String? { row[name] == nil ? nil : name }
        let keys = TeacherScores.Keys(all: key("scores"), positives: key("pos_scores"), negatives: key("neg_scores"))
        return try TeacherScores(of: row, keys: keys, positives: positives, negatives: negatives, isGraded: isGraded)
    }

    @Test(arguments: [
        #"{"scores": [0.5, 2, -3e2]}"#, #"{"neg_scores": [2, -300], "pos_scores": [0.5], "scores": null}"#,
        #"{"pos_scores": 0.5, "neg_scores": [2.0, -300.0]}"#,
    ])
    func bothSpellingsSayTheSame(_ line: String) throws {
        let scores = try scores(line)
        #expect(scores.positives == [0.5] && scores.negatives == [2, -300] && scores.ofExample(positive: 0) == [0.5, 2, -300])
    }

    @Test func everyPositiveHasItsOwn() throws {
        let expected = [[1, 3, 4, 5], [2, 3, 4, 5]] as [[Float]]
        for line in [#"{"scores": [1, 2, 3, 4, 5]}"#, #"{"pos_scores": [1, 2], "neg_scores": [3, 4, 5]}"#] {
            let scores = try scores(line, positives: 2, negatives: 3)
            #expect([0, 1].map(scores.ofExample) == expected)
        }
    }

    @Test func aRowWithoutScoresHasNoTeacher() throws {
        for line in [#"{"score": 3}"#, #"{"scores": null, "pos_scores": null}"#] {
            #expect(try scores(line).ofExample(positive: 0).isEmpty)
        }
        #expect(try scores(#"{"pos_scores": [4], "neg_scores": []}"#, negatives: 0).ofExample(positive: 0) == [4])
    }

    @Test func keysMayHaveOtherNames() throws {
        let keys = TeacherScores.Keys(all: "teacher", positives: nil, negatives: nil)
        let row = try file(#"{"scores": "x", "teacher": [1, 2]}"# + "\n").row(0)
        #expect(try TeacherScores(of: row, keys: keys, positives: 1, negatives: 1, isGraded: false).negatives == [2])
        #expect(throws: UserError.self) { try scores(row, positives: 1, negatives: 1, isGraded: false) }
    }

    /// Numbers in a table of texts are texts.
    @Test func aCellMayHoldANumber() throws {
        let row = try file("query,positive,scores\na,b,0.25\n", name: "rows.csv").row(0)
        #expect(try scores(row, positives: 1, negatives: 0).positives == [0.25])
    }

    /// Line, column of the fault, and what the message must contain.
    @Test(arguments: [
        (#"{"scores": [1, 2]}"#, 12, "\"scores\" has 2 numbers where the row needs 3: one for each positive, then"),
        (#"{"scores": []}"#, 12, "\"scores\" has 0 numbers where the row needs 3"),
        (#"{"scores": [1, 2, 3, 4]}"#, 12, "\"scores\" has 4 numbers"), (#"{"scores": 1}"#, 12, "\"scores\" has 1 number "),
        (#"{"scores": [1, null, 3]}"#, 12, "entry 2 of \"scores\" is null; a teacher's score is a number"),
        (#"{"scores": [1, "2", 3]}"#, 12, "entry 2 of \"scores\" is a string"), (#"{"scores": [1, 2, [3]]}"#, 12, "entry 3"),
        (#"{"scores": "1, 2, 3"}"#, 12, "\"scores\" is a string"), (#"{"scores": {"a": 1}}"#, 12, "\"scores\" is an object"),
        (#"{"scores": true}"#, 12, "\"scores\" is true or false; a teacher's scores are a list"),
        (#"{"scores": [1, 2, 1e39]}"#, 12, "entry 3 of \"scores\" is 1e+39; the largest that is read is 3.4028235e+38"),
        (#"{"scores": [1, 2, -1e39]}"#, 12, "entry 3 of \"scores\" is -1e+39"),
        (#"{"pos_scores": [1]}"#, 16, "\"pos_scores\" stands without \"neg_scores\""),
        (#"{"neg_scores": [1, 2]}"#, 16, "\"neg_scores\" stands without \"pos_scores\""),
        (#"{"pos_scores": [1], "neg_scores": [1]}"#, 35, "\"neg_scores\" has 1 number where the row needs 2: one for each negative"),
        (#"{"pos_scores": [1, 2], "neg_scores": [1, 2]}"#, 16, "\"pos_scores\" has 2 numbers where the row needs 1"),
        (#"{"scores": [1, 2, 3], "neg_scores": [2, 3]}"#, 37, "\"scores\" and \"neg_scores\" both hold a teacher's scores"),
    ])
    func faults(_ line: String, _ column: Int, _ part: String) throws {
        let row = try file("\n" + line + "\n").row(0)
        expectUserError(.content, "rows.jsonl:2:\(column)", part) {
            _ = try scores(row, positives: 1, negatives: 2, isGraded: false)
        }
    }

    @Test func aGradedRowHasNoTeacher() throws {
        let row = try file(#"{"score": 1, "scores": [2]}"# + "\n").row(0)
        expectUserError(.content, "rows.jsonl:1:24", "a row with a \"score\" is trained by it") {
            _ = try scores(row, positives: 1, negatives: 0, isGraded: true)
        }
    }
}
