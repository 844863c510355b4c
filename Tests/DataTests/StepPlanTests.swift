// The plan of a step: which texts are embedded, who is whose candidate, and who embeds what.

import Support
import Tensor
import Testing

@testable import Data

@Suite struct StepPlanTests {
    /// Row and text of each input, as `0a`, `0p`, `0n1`.
    private func names(_ plan: StepPlan) -> [String] {
        plan.inputs.map { input in
            switch input.text {
            case .anchor: "\(input.row)a"
            case .positive: "\(input.row)p"
            case .negative(let place): "\(input.row)n\(place)"
            }
        }
    }

    @Test func candidatesAreAllPositivesThenAllNegatives() {
        var rows = PlannedRows()
        rows.add("q0", "p0", ["x", "y"])
        rows.add("q1", "p1")
        rows.add("q2", "p2", ["z"])
        let plan = rows.plan()
        #expect(names(plan) == ["0a", "1a", "2a", "0p", "1p", "2p", "0n0", "0n1", "2n0"])
        #expect(plan.anchors == [0, 1, 2])
        #expect(plan.candidates == [3, 4, 5, 6, 7, 8])
        #expect(plan.masked == [[], [], []] && plan.tokens == 90)
        #expect(names(rows.plan(batch: [2, 0])) == ["2a", "0a", "2p", "0p", "2n0", "0n0", "0n1"])
    }

    @Test func scoresAreThoseOfTheRows() {
        var rows = PlannedRows()
        rows.add("a", "b", score: 0)
        rows.add("c", "d", score: 4.5)
        #expect(rows.plan(batch: [1, 0]).scores == [4.5, 0])
        rows.add("e", "f")
        #expect(rows.plan(batch: [2]).scores == nil)
    }

    @Test func aTeachersScoresAreThoseOfTheRowsOwnColumns() {
        var rows = PlannedRows()
        rows.add("q0", "p0", ["x", "y"], teacher: [3, 2, 1])
        rows.add("q1", "p1", ["z"])
        rows.add("q2", "p2", ["x"], teacher: [-1, 5])
        let plan = rows.plan()
        #expect(plan.ownColumns == [[0, 3, 4], [1, 5], [2, 6]])
        #expect(plan.teacherScores == [[3, 2, 1], [], [-1, 5]])
        let turned = rows.plan(batch: [2, 0])
        #expect(turned.ownColumns == [[0, 2], [1, 3, 4]] && turned.teacherScores == [[-1, 5], [3, 2, 1]])
    }

    @Test func aTextWithOnePromptIsEmbeddedOnce() {
        var rows = PlannedRows()
        rows.add("same", "p0", ["p1", "x"])
        rows.add("q1", "p1", ["x"])
        rows.add("same", "same")
        let plan = rows.plan()
        // The passage "same" has another prompt than the query "same".
        #expect(names(plan) == ["0a", "1a", "0p", "1p", "2p", "0n1"])
        #expect(plan.anchors == [0, 1, 0])
        #expect(plan.candidates == [2, 3, 4, 3, 5, 5])
        let alike = rows.plan(prompts: .alike)
        #expect(names(alike) == ["0a", "1a", "0p", "1p", "0n1"])
        #expect(alike.anchors == [0, 1, 0] && alike.candidates == [2, 3, 0, 3, 4, 4])
    }

    @Test func promptsBelongToFileAndTask() {
        var rows = PlannedRows()
        rows.add("q0", "p", task: 2)
        rows.add("q1", "p", file: 1, task: 2)
        let plan = rows.plan(prompts: PromptNumbers(anchor: { _, _ in 0 }, candidate: { file, task in file + 10 * task }))
        #expect(plan.candidates == [2, 3] && plan.task == 2)
        #expect(plan.masked == [[1], [0]], "texts are compared without their prompts")
    }

    @Test func masksPositiveAnchorAndTheirEquals() {
        var rows = PlannedRows()
        rows.add("a", "p", ["n", "a", "q"])  // columns 4, 5, 6
        rows.add("b", "p", ["n"])  // column 7
        rows.add("a", "q", ["p"])  // column 8
        rows.add("c", "b")
        let plan = rows.plan()
        // Row 0: its positive in columns 1 and 8, its anchor in 5, the positive of row 2, which has the same anchor. Column 6 has
        // that positive's text, but is no positive itself.
        #expect(plan.masked[0] == [1, 2, 5, 8])
        #expect(plan.masked[1] == [0, 3, 8])
        #expect(plan.masked[2] == [0, 5, 6])
        #expect(plan.masked[3] == [])
        #expect(plan.maskedPairs == 10)
        #expect(rows.plan(masksDuplicates: false).maskedPairs == 0)
    }

    @Test func anAnchorThatIsItsOwnPositiveStaysAPositive() {
        var rows = PlannedRows()
        rows.add("a", "a")
        rows.add("b", "p")
        for prompts in [PromptNumbers.alike, .differing] { #expect(rows.plan(prompts: prompts).masked == [[], []]) }
    }

    @Test func chunksAreRunsOfWholeInputs() {
        var rows = PlannedRows()
        rows.length = { ["q0": 60, "q1": 68, "q2": 1, "p0": 300, "p1": 128, "p2": 127, "n": 1][$0]! }
        rows.add("q0", "p0", ["n"])
        rows.add("q1", "p1")
        rows.add("q2", "p2")
        let plan = rows.plan()
        #expect(plan.chunks == [0..<2, 2..<3, 3..<4, 4..<5, 5..<7])
        #expect(rows.plan(chunkTokens: 1).chunks == (0..<7).map { $0..<$0 + 1 })
        #expect(rows.plan(chunkTokens: 10_000).chunks == [0..<7])
    }

    @Test func onlyOwnersDependOnTheWorld() {
        let rows = randomRows(64)
        let one = rows.plan(worldSize: 1)
        #expect(Set(one.owners) == [0])
        for worldSize in [2, 3, 16, 300] {
            let plan = rows.plan(worldSize: worldSize)
            #expect(plan.chunks == one.chunks && plan.masked == one.masked)
            #expect(plan.anchors == one.anchors && plan.candidates == one.candidates)
            #expect(zip(plan.inputs, one.inputs).allSatisfy { $0.row == $1.row && $0.text == $1.text && $0.tokens == $1.tokens })
            let owned = (0..<worldSize).map { plan.inputs(ofRank: $0) }
            #expect(owned.joined().sorted() == Array(plan.inputs.indices), "every input has one owner")
            #expect(owned.allSatisfy { $0 == $0.sorted() })
            #expect(plan.rows(worldSize: worldSize).joined().sorted() == Array(0..<64))
        }
    }

    @Test func efficiencyIsTheMeanLoadOverTheLargest() {
        var rows = PlannedRows()
        rows.length = { Int($0.dropFirst())! }
        rows.add("a40", "p70")
        rows.add("a10", "p60")
        rows.add("a20", "p10")
        let cost = InputCost(perToken: 1, perTokenSquared: 0)
        #expect(abs(rows.plan(chunkTokens: 1, worldSize: 3).efficiency(worldSize: 3, cost: cost) - 1) < 1e-12)
        #expect(abs(rows.plan(chunkTokens: 1000, worldSize: 3).efficiency(worldSize: 3, cost: cost) - 1.0 / 3) < 1e-12)
        let weighted = InputCost(perToken: 3, perTokenSquared: 1, perImageToken: 10)
        #expect(weighted.of(PlannedInput(row: 0, text: .anchor, tokens: 7)) == 70)
        #expect(weighted.of(PlannedInput(row: 0, text: .anchor, tokens: 7, isImage: true)) == 140)
    }

    /// Texts have a prompt for each role and images none.
    @Test func anImageThatIsAnchorAndCandidateIsOneInput() {
        let (image, text) = (ContentHash(of: Array("image".utf8)), ContentHash(of: Array("text".utf8)))
        for (content, isImage, inputs) in [(image, true, 3), (text, false, 4)] {
            let repeated = InputSummary(content: content, tokens: 9, isImage: isImage)
            var rows = PlannedRows()
            rows.add(repeated, InputSummary(content: ContentHash(of: [1]), tokens: 5))
            rows.add(InputSummary(content: ContentHash(of: [2]), tokens: 6), repeated)
            let plan = rows.plan()
            #expect(plan.inputs.count == inputs)
            #expect(plan.inputs.map(\.isImage) == [isImage] + [false, false] + (isImage ? [] : [false]))
            #expect(plan.masked == [[1], []])
        }
    }

    @Test func microbatchesHoldARanksChunksUpToTheLimit() {
        let plan = randomRows(64).plan(worldSize: 3)
        func tokens(_ chunks: [Int]) -> Int { chunks.reduce(0) { $0 + plan.chunks[$1].reduce(0) { $0 + plan.inputs[$1].tokens } } }
        for rank in 0..<3 {
            let own = plan.chunks.indices.filter { plan.owners[$0] == rank }
            for limit in [1, 300, 1024, 100_000] {
                let microbatches = plan.microbatches(rank: rank, limit: limit)
                #expect(microbatches.flatMap { $0 } == own)
                #expect(microbatches.allSatisfy { !$0.isEmpty && ($0.count == 1 || tokens($0) <= limit) })
                // As few as filling each one up gives; and none is larger than it must be for that.
                let largest = microbatches.map(tokens).max()!
                func count(limit: Int) -> Int {
                    var (count, sum) = (0, limit)
                    for chunk in own {
                        let size = tokens([chunk])
                        (count, sum) = sum + size > limit ? (count + 1, size) : (count, sum + size)
                    }
                    return count
                }
                #expect(microbatches.count == count(limit: limit))
                #expect(largest == 1 || count(limit: largest - 1) > microbatches.count || microbatches.contains { $0.count == 1 })
            }
        }
        #expect(randomRows(1).plan(chunkTokens: 10_000, worldSize: 2).microbatches(rank: 1, limit: 100).isEmpty)
    }

    /// Rows of 1 to about 200 tokens a text, some with a negative.
    private func randomRows(_ count: Int) -> PlannedRows {
        let stream = RandomStream(7)
        var rows = PlannedRows()
        rows.length = { 1 + stream.stream($0).integer(below: 200, at: 0) }
        for row in 0..<count { rows.add("q\(row)", "p\(row)", row % 3 == 0 ? ["n\(row)"] : []) }
        return rows
    }
}
