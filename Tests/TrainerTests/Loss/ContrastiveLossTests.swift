// The contrastive loss on vectors small enough to check by hand; ParityTests compare batches with PyTorch.

import Foundation
import Model
import Tensor
import Testing

@testable import Trainer

@Suite struct ContrastiveLossTests {
    private let heads = ScoreHeads(dimension: 2, widths: [2], hasLate: false)

    private func objective(_ temperature: Double = 0.5) -> Objective {
        Objective(heads: heads, widthWeights: [1], temperature: temperature)
    }

    /// Anchors e₀ and e₁, positives e₀ and e₁, a negative of row 0 half way to e₀.
    private func batch(negative: String = "n") -> (StepPlan, EmbeddingPool) {
        var rows = PlannedRows()
        rows.add("a", "p", [negative])
        rows.add("b", "q")
        let plan = rows.plan()
        let vectors: [Float] = [1, 0, 0, 1, 1, 0, 0, 1, 0.5, 0.5]
        return (plan, pool(Tensor(vectors, rows: 5, columns: 2), plan, heads))
    }

    private func pool(_ vectors: Tensor, _ plan: StepPlan, _ heads: ScoreHeads) -> EmbeddingPool {
        EmbeddingPool(Embeddings(dense: vectors), own: Embeddings(dense: vectors), plan, heads, rank: 0, worldSize: 1)
    }

    private func loss(_ plan: StepPlan, _ pool: EmbeddingPool, _ objective: Objective) throws -> ContrastiveLoss {
        let pairs = plan.anchors.indices.map { ScoredPair(row: $0, column: $0) }
        return ContrastiveLoss(
            objective: objective, plan: plan, pool: pool, positives: try PairScores(pairs: pairs, plan: plan, pool: pool).ownScores())
    }

    private func losses(_ plan: StepPlan, _ pool: EmbeddingPool, _ objective: Objective) throws -> [Double] {
        let loss = try loss(plan, pool, objective)
        return zip(try loss.statistics(ofRows: [0, 1]), loss.positives).map { line, positive in
            line.0.softmax[0].logarithm(temperature: objective.temperature) - Double(positive[0]) / objective.temperature
        }
    }

    @Test func aRowsLossIsMinusTheLogOfItsPositivesShare() throws {
        let (plan, pool) = batch()
        let expected = log(exp(2.0) + exp(0) + exp(1)) - 2
        #expect(try losses(plan, pool, objective()).allSatisfy { abs($0 - expected) < 1e-7 })
        #expect(abs(try LossInDouble(objective(), plan, pool).value - expected) < 1e-12)
    }

    @Test func aMaskedColumnHasNoPart() throws {
        // The negative's text is row 1's anchor: row 1 does not see it, row 0 does.
        let (plan, pool) = batch(negative: "b")
        let found = try losses(plan, pool, objective())
        #expect(abs(found[0] - (log(exp(2.0) + exp(0) + exp(1)) - 2)) < 1e-7)
        #expect(abs(found[1] - (log(exp(2.0) + exp(0)) - 2)) < 1e-7)
        let gradient = try LossPhase(objective(), plan, pool, .alone()).run().gradient.dense!.rows(4..<5)
        // Only anchor 0 pulls at the negative: e₀ · share / (rows · τ).
        let share = exp(1) / (exp(2.0) + exp(0) + exp(1))
        #expect(abs(Double(gradient.floats[0]) - share) < 1e-6 && gradient.floats[1] == 0)
    }

    @Test func gradientsOfBothSidesBalance() throws {
        // Scores do not change when all is turned alike, so Σ (gradient × vector) is zero.
        let (plan, pool) = batch()
        let gradient = try LossPhase(objective(), plan, pool, .alone()).run().gradient.dense!
        var turn: Float = 0
        for input in 0..<5 {
            let (g, v) = (gradient.floats + 2 * input, pool.ownRows.dense!.floats + 2 * input)
            turn += g[0] * v[1] - g[1] * v[0]
        }
        #expect(abs(turn) < 1e-6)
    }

    @Test func highScoresDoNotOverflow() throws {
        let (plan, pool) = batch()
        let result = try LossPhase(objective(0.001), plan, pool, .alone()).run()
        #expect(result.value >= 0 && result.value < 1e-6)
        #expect(result.gradient.dense!.values.allSatisfy { $0.isFinite })
    }

    /// Scores of any rows against any columns, in tiles that cut both: the same bits as one by one, from either side.
    @Test func scoresDoNotDependOnTheirTile() throws {
        let (inputs, width) = (700, 40)
        let stream = RandomStream(3)
        let values = (0..<inputs * width).map { Float(stream.gaussian(at: $0)) }
        var rows = PlannedRows()
        for row in 0..<inputs / 2 { rows.add("a\(row)", "p\(row)") }
        let heads = ScoreHeads(dimension: width, widths: [8, 17, width], hasLate: false)
        let scorer = pool(Tensor(values, rows: inputs, columns: width), rows.plan(), heads)
        let (lines, columns) = (Array(0..<300), Array(40..<700))
        let all = try scores(scorer, .anchors, lines, columns)
        let turned = try scores(scorer, .candidates, columns, lines)
        for row in stride(from: 0, to: 300, by: 37) {
            #expect(try scores(scorer, .anchors, [lines[row]], Array(columns.reversed()))[0].reversed() == all[row])
            #expect(columns.indices.allSatisfy { turned[$0][row] == all[row][$0] })
        }
    }

    /// By line and column, of all heads.
    private func scores(_ pool: EmbeddingPool, _ side: ScoreSide, _ lines: [Int], _ columns: [Int]) throws -> [[[Float]]] {
        var result = [[[Float]]](repeating: [], count: lines.count)
        try pool.forEachPanel(of: columns) { range, panel in
            let target = ScorePanel(panel, pool.heads, rows: side)
            for start in stride(from: 0, to: lines.count, by: 50) {
                let block = start..<min(start + 50, lines.count)
                let tile = ScoreTile(rows: block, columns: range, pool.ownPanel(lines[block]), target, findsBest: false)
                for place in 0..<block.count {
                    #expect(result[start + place].count == range.lowerBound, "panels come in the order of the columns")
                    result[start + place] += (0..<range.count).map { column in
                        (0..<pool.heads.count).map { tile.scores($0, place)[column] }
                    }
                }
            }
        }
        return result
    }
}
