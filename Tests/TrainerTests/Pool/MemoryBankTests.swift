// The memory bank: what rows see of earlier steps, and the loss with it, against the formulas written out in Double.

import Comm
import Foundation
import Model
import Support
import Tensor
import Testing

@testable import Data
@testable import Loss
@testable import Trainer

@Suite struct MemoryBankTests {
    // MARK: - Loss and gradient

    /// Two steps remembered, a third trained, by every term at once.
    @Test(arguments: [(false, true), (true, true), (false, false)]) func lossAndGradient(isSymmetric: Bool, coversNegatives: Bool) throws {
        let formula = Formula(isSymmetric: isSymmetric, coversNegatives: coversNegatives)
        let (plan, pool, inputs) = try Self.thirdStep(formula.objective)
        let vectors = Self.vectors
        let result = try formula.objective.run(plan, pool, Communicator.alone())
        let expected = formula.loss(vectors)
        #expect(abs(result.value - expected) < 2e-6 * expected, "\(result.value) ≠ \(expected)")
        #expect(abs(try formula.objective.inDouble(plan, pool) - expected) < 1e-9)
        #expect(result.pool?.negatives == 9, "2 + 3 + 3 columns of positives and 2 of hard negatives, without the own")

        for (input, text) in inputs.enumerated() {
            for place in 0..<Self.width {
                let difference = formula.derivative(vectors) { $0[text]!.dense[place] += $1 }
                #expect(abs(Double(result.gradient.dense!.floats[input * Self.width + place]) - difference) < 2e-5, "\(text) \(place)")
            }
            for (row, token) in pool.ownRows.tokens[input].enumerated() {
                for place in 0..<Self.width {
                    let difference = formula.derivative(vectors) { $0[text]!.late[row][place] += $1 }
                    #expect(
                        abs(Double(result.gradient.late!.floats[token * Self.width + place]) - difference) < 2e-5, "\(text) token \(row)")
                }
            }
        }
    }

    /// An earlier candidate as close to an anchor as its positive is no negative of it.
    @Test func theMarginHidesEarlierCandidates() throws {
        let heads = ScoreHeads(dimension: 2, widths: [2], hasLate: false)
        var first = PlannedRows()
        first.add("x", "near")
        first.add("y", "far")
        var second = PlannedRows()
        second.add("a", "p")
        var bank = MemoryBank()
        let pool = { (plan: StepPlan, vectors: [Float], earlier: [SpreadEmbeddings]) in
            let all = Embeddings(dense: Tensor(vectors, rows: vectors.count / 2, columns: 2))
            return EmbeddingPool(all, own: all, plan, heads, rank: 0, worldSize: 1, earlier: earlier)
        }
        bank.remember(first.plan(), pool(first.plan(), [0, 1, 0, 1, 0.96, 0.28, 0, 1], []), limit: 1)
        let plan = second.plan(earlier: bank.contents)
        let now = pool(plan, [1, 0, 0.8, 0.6], bank.embeddings)
        for (margin, columns) in [(nil, [0.8, 0.96, 0]), (0, [0.8, 0]), (-0.5, [0.8, 0.96, 0])] as [(Double?, [Double])] {
            var loss = ContrastiveLoss()
            (loss.temperature, loss.negativeMargin) = (0.5, margin)
            let objective = Objective(WeightedHeads(heads), .contrastive(loss))
            let expected = log(columns.reduce(0) { $0 + exp($1 / 0.5) }) - 0.8 / 0.5
            #expect(abs(try objective.run(plan, now, Communicator.alone()).value - expected) < 1e-6)
            #expect(abs(try objective.inDouble(plan, now) - expected) < 1e-6)
        }
    }

    // MARK: - What is remembered

    @Test func theLastStepsAreRememberedInTheirOrder() throws {
        let objective = Formula().objective
        var bank = MemoryBank()
        for step in 1...3 {
            let plan = Self.rows(ofStep: step).plan()
            bank.remember(plan, Self.pool(plan, step, objective.heads.heads, []), limit: 2)
        }
        let names = ["p3", "p4", "n3", "p5", "p6", "p7", "n5"]
        #expect(bank.contents.map(\.content) == names.map { ContentHash(of: Array($0.utf8)) })
        #expect(bank.embeddings.map(\.owners.count) == [3, 4])
        let (row, dense) = (bank.embeddings[1].rows, try #require(bank.embeddings[1].rows.dense))
        #expect(dense.rows(1..<2).values == Self.vectors[Text(3, "p6")]!.dense.map { Float($0) })
        #expect(row.tokens.map(\.count) == ["p5", "p6", "p7", "n5"].map(Text.tokens))
        var off = MemoryBank()
        let plan = Self.rows(ofStep: 1).plan()
        off.remember(plan, Self.pool(plan, 1, objective.heads.heads, []), limit: 0)
        #expect(off.steps.isEmpty)
    }

    // MARK: - What a row sees

    @Test func duplicatesAmongEarlierCandidatesAreHidden() {
        var rows = PlannedRows()
        rows.add("a", "p")
        rows.add("b", "q", ["n"])
        let earlier = Self.contents([("p", nil), ("a", "x"), ("r", "b"), ("n", "y"), ("s", nil), ("q", "b"), ("p", "z")])
        let plan = rows.plan(earlier: earlier)
        #expect(plan.columnCount == 10 && plan.earlierColumns == 7)
        // Columns: p, q, n, then the earlier ones from 3 on.
        #expect(plan.masked == [[3, 4, 9], [5, 8]])
        #expect(rows.plan(masksDuplicates: false, earlier: earlier).masked == [[], []])
        #expect(plan.contents.map(\.anchor) == [ContentHash(of: Array("a".utf8)), ContentHash(of: Array("b".utf8)), nil])
    }

    @Test func gradedRowsSeeNoEarlierCandidates() {
        var rows = PlannedRows()
        rows.add("a", "p", score: 1)
        #expect(rows.plan(earlier: Self.contents([("q", "b")])).columnCount == 1)
    }

    @Test func aLimitedPoolIsDrawnFromAllColumns() {
        var rows = PlannedRows()
        for row in 0..<20 { rows.add("a\(row)", "p\(row)") }
        let earlier = Self.contents((0..<60).map { ("e\($0)", nil) })
        let plan = rows.plan(negatives: PoolLimit(count: 8, stream: RandomStream(4)), earlier: earlier)
        let seen = (0..<20).map { row in (0..<80).filter { $0 != row && plan.visibility.sees(row: row, column: $0) } }
        #expect(seen.allSatisfy { $0.count == 8 })
        #expect(PoolLimit(count: 79, stream: RandomStream(4)).drawn(columns: 80, hidden: plan.masked) == nil, "all are seen")
        let early = seen.joined().count { $0 >= 20 }
        #expect((100...140).contains(early), "three in four of 160, not \(early)")
    }

    private static func contents(_ columns: [(String, anchor: String?)]) -> [CandidateContent] {
        columns.map { name, anchor in
            CandidateContent(content: ContentHash(of: Array(name.utf8)), anchor: anchor.map { ContentHash(of: Array($0.utf8)) })
        }
    }

    // MARK: - Three steps

    fileprivate static let width = 5

    private static func rows(ofStep step: Int) -> PlannedRows {
        var rows = PlannedRows()
        rows.length = Text.tokens
        for row in Formula.rows[step - 1] { rows.add(row.anchor, row.positive, row.negatives) }
        return rows
    }

    private static func pool(_ plan: StepPlan, _ step: Int, _ heads: ScoreHeads, _ earlier: [SpreadEmbeddings]) -> EmbeddingPool {
        let inputs = texts(plan, step).map { vectors[$0]! }
        let tokens = inputs.flatMap(\.late)
        let all = Embeddings(
            dense: Tensor(inputs.flatMap { $0.dense.map { Float($0) } }, rows: inputs.count, columns: width),
            late: Tensor(tokens.flatMap { $0.map { Float($0) } }, rows: tokens.count, columns: width))
        return EmbeddingPool(all, own: all, plan, heads, rank: 0, worldSize: 1, earlier: earlier)
    }

    /// The text of each input.
    private static func texts(_ plan: StepPlan, _ step: Int) -> [Text] {
        plan.inputs.map { input in
            let row = Formula.rows[step - 1][input.row]
            return switch input.text {
            case .anchor: Text(step, row.anchor)
            case .positive: Text(step, row.positive)
            case .negative(let place): Text(step, row.negatives[place])
            }
        }
    }

    private static func thirdStep(_ objective: Objective) throws -> (StepPlan, EmbeddingPool, inputs: [Text]) {
        var bank = MemoryBank()
        for step in 1...2 {
            let plan = rows(ofStep: step).plan(earlier: bank.contents)
            bank.remember(plan, pool(plan, step, objective.heads.heads, bank.embeddings), limit: 2)
        }
        let plan = rows(ofStep: 3).plan(earlier: bank.contents)
        return (plan, pool(plan, 3, objective.heads.heads, bank.embeddings), texts(plan, 3))
    }

    /// Random unit vectors, the same to the last bit in Float and in Double.
    private static let vectors: [Text: Vectors] = {
        var vectors: [Text: Vectors] = [:]
        for (step, rows) in Formula.rows.enumerated() {
            for name in rows.flatMap({ [$0.anchor, $0.positive] + $0.negatives }) {
                let stream = RandomStream(8).stream("\(step) \(name)")
                func unit(_ number: Int) -> [Double] {
                    let values = (0..<width).map { stream.gaussian(at: number * width + $0) }
                    let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
                    return values.map { Double(Float($0 / length)) }
                }
                vectors[Text(step + 1, name)] = Vectors(dense: unit(0), late: (1...Text.tokens(name)).map(unit))
            }
        }
        return vectors
    }()
}

/// A text as it is embedded in a step.
private struct Text: Hashable {
    let step: Int
    let name: String

    init(_ step: Int, _ name: String) { (self.step, self.name) = (step, name) }

    @Sendable static func tokens(_ name: String) -> Int { 1 + Int(name.utf8.last!) % 3 }
}

private struct Vectors {
    var dense: [Double]
    var late: [[Double]]
}

/// The joint loss of the third step, with the candidates of two steps before it.
private struct Formula {
    static let rows: [[(anchor: String, positive: String, negatives: [String])]] = [
        [("a1", "p1", []), ("a2", "p2", ["n1"])], [("a3", "p3", []), ("a4", "p4", ["n3"])],
        [("a5", "p5", []), ("a6", "p6", ["n5"]), ("a7", "p7", [])],
    ]

    var isSymmetric = false
    var coversNegatives = true
    private let temperature = 0.3

    var objective: Objective {
        var loss = ContrastiveLoss()
        (loss.divergenceWeight, loss.divergenceCoversNegatives) = (0.9, coversNegatives)
        (loss.temperature, loss.isSymmetric) = (temperature, isSymmetric)
        let heads = ScoreHeads(dimension: MemoryBankTests.width, widths: [MemoryBankTests.width], hasLate: true)
        return Objective(WeightedHeads(heads, denseWeight: 0.7, lateWeight: 1.1), .contrastive(loss))
    }

    func loss(_ vectors: [Text: Vectors]) -> Double {
        let anchors = ["a5", "a6", "a7"].map { vectors[Text(3, $0)]! }
        let columns =
            (["p5", "p6", "p7", "n5"].map { Text(3, $0) } + ["p1", "p2", "n1"].map { Text(1, $0) }
            + ["p3", "p4", "n3"].map { Text(2, $0) }).map { vectors[$0]! }
        let dense = anchors.map { anchor in columns.map { dot(anchor.dense, $0.dense) / temperature } }
        let late = anchors.map { anchor in columns.map { maxSim(anchor.late, $0.late) / temperature } }
        let covered = coversNegatives ? columns.count : 3
        return (0..<3).reduce(0) { sum, row in
            sum + 0.7 * nce(dense, row) + 1.1 * nce(late, row) + 0.9 * divergence(dense[row].prefix(covered), late[row].prefix(covered))
        } / 3
    }

    func derivative(_ vectors: [Text: Vectors], _ move: (inout [Text: Vectors], Double) -> Void) -> Double {
        func moved(_ by: Double) -> Double {
            var vectors = vectors
            move(&vectors, by)
            return loss(vectors)
        }
        return (moved(1e-5) - moved(-1e-5)) / 2e-5
    }

    private func nce(_ scores: [[Double]], _ row: Int) -> Double {
        let ahead = log(scores[row].reduce(0) { $0 + exp($1) }) - scores[row][row]
        guard isSymmetric else { return ahead }
        return (ahead + log(scores.reduce(0) { $0 + exp($1[row]) }) - scores[row][row]) / 2
    }

    private func divergence(_ p: ArraySlice<Double>, _ q: ArraySlice<Double>) -> Double {
        let (pSum, qSum) = (p.reduce(0) { $0 + exp($1) }, q.reduce(0) { $0 + exp($1) })
        return zip(p, q).reduce(0) { $0 + exp($1.0) / pSum * ($1.0 - log(pSum) - $1.1 + log(qSum)) }
    }

    private func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }

    private func maxSim(_ query: [[Double]], _ document: [[Double]]) -> Double {
        query.reduce(0) { sum, token in sum + document.map { dot(token, $0) }.max()! } / Double(query.count)
    }
}
