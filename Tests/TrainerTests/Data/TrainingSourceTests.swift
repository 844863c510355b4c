// From training files to the rows of the plan and the tokens of a text.

import Comm
import Model
import Support
import Tensor
import Testing

@testable import Trainer

@Suite struct TrainingSourceTests {
    private let folder = try! TemporaryFolder()
    private let tasks = ["retrieval", "text-matching", "code"]

    /// Texts of numbered tokens; at most 6 of an input.
    private func source(_ files: [(text: String, task: String)], holdsOut: Bool = false) throws -> TrainingSource {
        let tokenizer = try Tokenizer(path: NumberedTokens.writeTokenizer(count: 40, to: folder.path))
        let pairFiles = try files.enumerated().map { number, file in
            try PairFile(path: folder.write("rows-\(number).jsonl", file.text), task: file.task, knownTasks: tasks)
        }
        return TrainingSource(
            files: pairFiles, taskNames: tasks, processor: TextProcessor(tokenizer, maxTokens: 6), holdsOut: holdsOut
        ) { file, task in task == "text-matching" ? ("<1>", "<1>") : file == 0 ? ("<1>", "<2>") : ("<1><1>", "") }
    }

    private func summary(_ text: String, tokens: Int32) -> InputSummary {
        InputSummary(content: ContentHash(of: Array(text.utf8)), tokens: tokens)
    }

    private let firstFile = """
        {"query": "<3>", "positive": "<4><5>", "negatives": ["<6>", "<4><5>", "<7><7><7>"]}

        {"query": "<3>", "positive": "<8><8><8><8><8><8>", "task": "code"}

        """
    private let secondFile = """
        {"query": "<9>", "positive": "<3>"}
        """

    @Test func rowsHaveLengthsWithPromptsAndHashesWithout() throws {
        let source = try source([(firstFile, "retrieval"), (secondFile, "code")])
        #expect(source.rowCount == 3)
        let index = try RowIndex.build(source, .alone(), dropsEqualNegatives: true)
        #expect(index.truncated == 1 && index.droppedNegatives == 1)
        #expect(
            index.rows == [
                RowSummary(
                    file: 0, row: 0, task: 0, anchor: summary("<3>", tokens: 2), positive: summary("<4><5>", tokens: 3),
                    negatives: [summary("<6>", tokens: 2), summary("<7><7><7>", tokens: 4)], negativePlaces: [0, 2]),
                RowSummary(
                    file: 0, row: 1, task: 2, anchor: summary("<3>", tokens: 2), positive: summary("<8><8><8><8><8><8>", tokens: 6),
                    negatives: [], negativePlaces: []),
                RowSummary(
                    file: 1, row: 0, task: 2, anchor: summary("<9>", tokens: 3), positive: summary("<3>", tokens: 1), negatives: [],
                    negativePlaces: []),
            ])
        let kept = try RowIndex.build(source, .alone(), dropsEqualNegatives: false)
        #expect(kept.droppedNegatives == 0 && kept.rows[0].negativePlaces == [0, 1, 2])
    }

    @Test func tokensAreThoseOfTheRowsText() throws {
        let source = try source([(firstFile, "retrieval"), (secondFile, "code")])
        let rows = try RowIndex.build(source, .alone(), dropsEqualNegatives: true).rows
        #expect(try source.tokens(of: rows[0], .anchor) == [1, 3])
        #expect(try source.tokens(of: rows[0], .positive) == [2, 4, 5])
        #expect(try source.tokens(of: rows[0], .negative(2)) == [2, 7, 7, 7])
        #expect(try source.tokens(of: rows[1], .positive) == [2, 8, 8, 8, 8, 8])
        #expect(try source.tokens(of: [(rows[2], .positive), (rows[2], .anchor)]) == [[3], [1, 1, 9]])
    }

    @Test func equalPromptsHaveEqualNumbers() throws {
        let numbers = try source([(firstFile, "retrieval"), (secondFile, "code")]).promptNumbers
        #expect(numbers.anchor(0, 0) == numbers.anchor(0, 2) && numbers.anchor(0, 0) == numbers.candidate(1, 1))
        #expect(Set([numbers.anchor(0, 0), numbers.candidate(0, 0), numbers.anchor(1, 0), numbers.candidate(1, 0)]).count == 4)
    }

    @Test func heldOutRowsAreNotTrainedOn() throws {
        let lines = (0..<40).map { "{\"query\": \"<\($0 % 40)>\", \"positive\": \"<1>\"}\n" }.joined()
        let index = try RowIndex.build(source([(lines, "retrieval")], holdsOut: true), .alone(), dropsEqualNegatives: true)
        let heldOut = (0..<40).filter { HeldOutRows.contain(anchor: Array("<\($0)>".utf8)) }
        #expect(!heldOut.isEmpty)
        #expect(index.rows.map(\.row) == (0..<40).filter { !heldOut.contains($0) })
    }

    @Test func theFirstBadRowIsNamed() throws {
        let source = try source([(firstFile + "{\"query\": \"<3>\"}\n{\n", "retrieval")])
        expectUserError(.content, "rows-0.jsonl:4", "positive") {
            _ = try RowIndex.build(source, .alone(), dropsEqualNegatives: true)
        }
    }
}
