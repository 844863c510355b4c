// From training files to the rows of the plan and the tokens of a text.

import Foundation
import Model
import Support
import Testing

@testable import Data

@Suite struct TrainingSourceTests {
    private let folder = try! TemporaryFolder()
    private let tasks = ["retrieval", "text-matching", "code"]

    /// Texts of numbered tokens; at most 6 of an input.
    private func source(
        _ files: [(text: String, task: String)], dropsEqualNegatives: Bool = true, holdsOut: Bool = false
    ) throws -> TrainingSource {
        let tokenizer = try Tokenizer(path: NumberedTokens.writeTokenizer(count: 40, to: folder.path))
        return TrainingSource(
            files: try files.enumerated().map { number, file in (try folder.write("rows-\(number).jsonl", file.text), file.task) },
            taskNames: tasks, processor: TextProcessor(tokenizer, maxTokens: 6), version: "test", dropsEqualNegatives: dropsEqualNegatives,
            holdsOut: holdsOut
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
        let index = try source([(firstFile, "retrieval"), (secondFile, "code")]).index()
        #expect(index.truncated == 1 && index.droppedNegatives == 1 && !index.holdsOut)
        #expect(index.kinds.map(\.task) == [0, 2, 2] && index.rowsByTask == [1, 0, 2] && index.gradedByTask == [0, 0, 0])
        #expect(
            Array(index) == [
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
        let kept = try source([(firstFile, "retrieval"), (secondFile, "code")], dropsEqualNegatives: false).index()
        #expect(kept.droppedNegatives == 0 && kept[0].negativePlaces == [0, 1, 2])
    }

    @Test func tokensAreThoseOfTheRowsText() throws {
        let index = try source([(firstFile, "retrieval"), (secondFile, "code")]).index()
        #expect(try index.tokens(ofRow: 0, .anchor) == [1, 3])
        #expect(try index.tokens(ofRow: 0, .positive) == [2, 4, 5])
        #expect(try index.tokens(ofRow: 0, .negative(2)) == [2, 7, 7, 7])
        #expect(try index.tokens(ofRow: 1, .positive) == [2, 8, 8, 8, 8, 8])
        let inputs = [RowText.positive, .anchor].map { PlannedInput(row: 2, text: $0, tokens: 0) }
        #expect(try index.encoded(inputs) == [.text([3]), .text([1, 1, 9])])
    }

    /// Every row of a real file, row by row through file, row and tokenizer.
    @Test func theIndexHoldsWhatTheRowsGive() throws {
        let path = PackagePath.example("python-stdlib/train.jsonl.gz")
        let processor = TextProcessor(try Tokenizer(path: PackagePath.example("jina-tiny/tokenizer.json")), maxTokens: 100)
        let source = TrainingSource(files: [(path, "code")], taskNames: tasks, processor: processor, version: "test") { _, _ in
            ("Query: ", "Passage: ")
        }
        let index = try source.index()
        let file = try PairFile(path: path, task: "code", knownTasks: tasks)
        #expect(index.count == file.count && file.count > 1000)
        var truncated = 0
        for row in 0..<file.count {
            let content = try file.row(row)
            func summary(_ input: RowInput, _ prefix: String, _ place: RowText) throws -> InputSummary {
                let text = try #require(input.text)
                let (ids, isTruncated) = processor.encode(text, prefix: prefix)
                truncated += isTruncated ? 1 : 0
                #expect(try index.tokens(ofRow: row, place) == ids)
                return InputSummary(content: ContentHash(of: text), tokens: Int32(ids.count))
            }
            let places = content.negatives.indices.filter { content.negatives[$0] != content.positive }
            let expected = RowSummary(
                file: 0, row: row, task: 2, anchor: try summary(content.anchor, "Query: ", .anchor),
                positive: try summary(content.positive, "Passage: ", .positive),
                negatives: try places.map { try summary(content.negatives[$0], "Passage: ", .negative($0)) }, negativePlaces: places)
            #expect(index[row] == expected)
            let tokens = ([expected.anchor, expected.positive] + expected.negatives).reduce(0) { $0 + Int($1.tokens) }
            #expect(index.tokenCount(ofRow: row) == (tokens, 0))
        }
        #expect(truncated > 0 && index.truncated == truncated)
    }

    @Test func equalPromptsHaveEqualNumbers() throws {
        let numbers = try source([(firstFile, "retrieval"), (secondFile, "code")]).promptNumbers
        #expect(numbers.anchor(0, 0) == numbers.anchor(0, 2) && numbers.anchor(0, 0) == numbers.candidate(1, 1))
        #expect(Set([numbers.anchor(0, 0), numbers.candidate(0, 0), numbers.anchor(1, 0), numbers.candidate(1, 0)]).count == 4)
    }

    @Test(arguments: [40, 10]) func heldOutRowsAreNotTrainedOn(rows: Int) throws {
        let lines = (0..<rows).map { "{\"query\": \"<\($0)>\", \"positive\": \"<1>\"}\n" }.joined()
        let source = try source([(lines, "retrieval")], holdsOut: true)
        let index = try source.index()
        let heldOut = (0..<rows).filter { rows > 10 && HeldOutRows.contain(anchor: Array("<\($0)>".utf8)) }
        #expect(heldOut.isEmpty == (rows == 10) && index.holdsOut == (rows > 10))
        #expect(index.map(\.row) == (0..<rows).filter { !heldOut.contains($0) })
        #expect(try source.heldOutRows(index).map(\.row.anchor) == heldOut.map { RowInput.text(Array("<\($0)>".utf8)) })
    }

    /// Afterwards there are neither the other rows nor any image: whoever looked at one again would fail.
    @Test func heldOutRowsAreReadAlone() throws {
        let model = PackagePath.example("jina-tiny")
        let tokenizer = try Tokenizer(path: model + "/tokenizer.json")
        let reader = try ImageReader(folder: model, ModelConfig.read(folder: model), tokenizer)
        let picture = [UInt8](try Data(contentsOf: URL(fileURLWithPath: PackagePath.golden("images/files/rgb-8.png"))))
        let chosen = (0..<40).filter { HeldOutRows.contain(anchor: Array("text \($0)".utf8)) }
        let bad = [chosen[0], try #require((0..<40).first { !chosen.contains($0) })]
        for row in 0..<40 { try folder.write("\(row).png", bad.contains(row) ? Array(picture.prefix(picture.count / 2)) : picture) }
        let lines = (0..<40).map { #"{"query": "text \#($0)", "positive_image": "\#($0).png"}"# }
        let path = try folder.write("rows.jsonl", lines.joined(separator: "\n"))
        let source = TrainingSource(
            files: [(path, "code")], taskNames: tasks, processor: TextProcessor(tokenizer, maxTokens: 64), version: "test",
            images: RowImages(.success(reader), skipsBad: true, maximumTokens: 1000), holdsOut: true
        ) { _, _ in ("", "") }
        let index = try source.index()
        #expect(index.skippedRows == 2 && index.count == 40 - chosen.count - 1)

        let seen = Set(index.map(\.row))
        let blanked = lines.enumerated().map { seen.contains($0) ? String(repeating: "x", count: $1.utf8.count) : $1 }
        try folder.write("rows.jsonl", blanked.joined(separator: "\n"))
        for row in 0..<40 { try FileManager.default.removeItem(atPath: folder.path("\(row).png")) }
        let heldOut = try source.heldOutRows(index).map(\.row)
        #expect(heldOut.map(\.anchor) == chosen.dropFirst().map { RowInput.text(Array("text \($0)".utf8)) })
        #expect(heldOut.map(\.positive) == chosen.dropFirst().map { RowInput.image("\($0).png") })
    }

    @Test func scoresReachTheIndex() throws {
        let graded = """
            {"sentence1": "<3>", "sentence2": "<4>", "score": 2.5}
            {"query": "<3>", "positive": "<5>"}
            {"query": "<6>", "positive": "<6>", "score": 0, "task": "code"}
            """
        let index = try source([(secondFile, "code"), (graded, "text-matching")]).index()
        #expect(index.map(\.score) == [nil, 2.5, nil, 0])
        #expect(index.kinds.map(\.isGraded) == [false, true, false, true] && index.kinds.map(\.task) == [2, 1, 1, 2])
        #expect(index.rowsByTask == [0, 2, 2] && index.gradedByTask == [0, 1, 1])
        #expect(index.firstUngraded.map { [$0.file, $0.row] } == [0, 0])
        #expect(try source([(graded, "code")]).index().firstUngraded.map { [$0.file, $0.row] } == [0, 1])
        let all = try source([("{\"query\": \"<6>\", \"positive\": \"<6>\", \"score\": -1e-3}\n", "code")]).index()
        #expect(all.firstUngraded == nil && all[0].score == -1e-3)
    }

    /// A negative that is dropped because it equals the positive drops its score.
    @Test func aTeachersScoresReachTheIndex() throws {
        let taught = """
            {"query": "<3>", "positive": "<4>", "negatives": ["<5>", "<4>", "<6>"], "scores": [7.5, 2, 7.25, -1e-3]}
            {"query": "<3>", "positive": "<5>", "negatives": ["<7>"]}
            {"query": "<6>", "pos": ["<6>"], "neg": [], "pos_scores": [0.5], "neg_scores": []}
            {"query": "<6>", "positive": "<6>", "score": 0}
            """
        let index = try source([(taught, "code")]).index()
        #expect(index.map(\.teacherScores) == [[7.5, 2, -1e-3], [], [0.5], []])
        #expect(index[0].negativePlaces == [0, 2] && index.droppedNegatives == 1)
        #expect(index.taughtRows == 1 && index.firstUntaught.map { [$0.file, $0.row] } == [0, 1])
        let kept = try source([(taught, "code")], dropsEqualNegatives: false).index()
        #expect(kept[0].teacherScores == [7.5, 2, 7.25, -1e-3])
        let graded = try source([("{\"query\": \"<6>\", \"positive\": \"<6>\", \"score\": 1}\n", "code")]).index()
        #expect(graded.firstUntaught == nil && graded.taughtRows == 0)
    }

    @Test func rowsWithScoresAreNotHeldOut() throws {
        let lines = (0..<40).map { "{\"query\": \"<\($0)>\", \"positive\": \"<1>\", \"score\": 1}\n" }.joined()
        #expect(try source([(lines, "retrieval")], holdsOut: true).index().count == 40)
    }

    @Test func theFirstBadRowIsNamed() throws {
        let source = try source([(firstFile + "{\"query\": \"<3>\"}\n{\n", "retrieval")])
        expectUserError(.content, "rows-0.jsonl:4", "positive") { _ = try source.index() }
    }
}

extension TrainingSource {
    /// The rows, tokenized into memory.
    func index() throws -> RowIndex {
        var notices: [String] = []
        return try TrainingData.find(self, .alone(), nil).index(notices: &notices) { _, _, _ in }
    }
}
