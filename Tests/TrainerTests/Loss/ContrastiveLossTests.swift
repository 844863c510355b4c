// InfoNCE on vectors small enough to check by hand; ParityTests compare batches with PyTorch.

import Foundation
import Tensor
import Testing

@testable import Trainer

@Suite struct InfoNCETests {
    private let loss = InfoNCE(temperature: 0.5)

    /// Anchors e₀ and e₁, positives e₀ and e₁, a negative of row 0 half way to e₀.
    private func batch(masksDuplicates: Bool = true, negative: String = "n") -> (StepPlan, EmbeddingPool) {
        var rows = PlannedRows()
        rows.add("a", "p", [negative])
        rows.add("b", "q")
        let plan = rows.plan(masksDuplicates: masksDuplicates)
        let vectors: [Float] = [1, 0, 0, 1, 1, 0, 0, 1, 0.5, 0.5]
        return (plan, EmbeddingPool(embeddings: Tensor(vectors, rows: 5, columns: 2), rows: Array(0..<5)))
    }

    private func losses(_ plan: StepPlan, _ pool: EmbeddingPool) -> [Double] {
        loss.statistics(of: [0, 1], plan, pool).map { $0.loss(temperature: loss.temperature) }
    }

    @Test func aRowsLossIsMinusTheLogOfItsPositivesShare() {
        let (plan, pool) = batch()
        let expected = log(exp(2.0) + exp(0) + exp(1)) - 2
        #expect(losses(plan, pool).allSatisfy { abs($0 - expected) < 1e-7 })
        #expect(abs(loss.valueInDouble(plan, pool) - expected) < 1e-12)
    }

    @Test func aMaskedColumnHasNoPart() {
        // The negative's text is row 1's anchor: row 1 does not see it, row 0 does.
        let (plan, pool) = batch(negative: "b")
        let found = losses(plan, pool)
        #expect(abs(found[0] - (log(exp(2.0) + exp(0) + exp(1)) - 2)) < 1e-7)
        #expect(abs(found[1] - (log(exp(2.0) + exp(0)) - 2)) < 1e-7)
        let statistics = loss.statistics(of: [0, 1], plan, pool)
        let gradient = loss.gradient(of: [4], plan, pool, statistics)
        // Only anchor 0 pulls at the negative: e₀ · share / (rows · τ).
        let share = exp(1) / (exp(2.0) + exp(0) + exp(1))
        #expect(abs(Double(gradient.floats[0]) - share) < 1e-6 && gradient.floats[1] == 0)
    }

    @Test func gradientsOfBothSidesBalance() {
        // Scores do not change when all is turned alike, so Σ (gradient × vector) is zero.
        let (plan, pool) = batch()
        let gradient = loss.gradient(of: Array(0..<5), plan, pool, loss.statistics(of: [0, 1], plan, pool))
        var turn: Float = 0
        for input in 0..<5 {
            let (g, v) = (gradient.floats + 2 * input, pool.embedding(input))
            turn += g[0] * v[1] - g[1] * v[0]
        }
        #expect(abs(turn) < 1e-6)
    }

    @Test func highScoresDoNotOverflow() {
        let sharp = InfoNCE(temperature: 0.001)
        let (plan, pool) = batch()
        let statistics = sharp.statistics(of: [0, 1], plan, pool)
        #expect(statistics.allSatisfy { $0.loss(temperature: 0.001) >= 0 && $0.loss(temperature: 0.001) < 1e-6 })
        #expect(sharp.gradient(of: Array(0..<5), plan, pool, statistics).values.allSatisfy { $0.isFinite })
    }

    @Test func aRankWithoutInputsHasNothing() {
        let (plan, pool) = batch()
        #expect(loss.statistics(of: [], plan, pool).isEmpty)
        #expect(loss.gradient(of: [], plan, pool, loss.statistics(of: [0, 1], plan, pool)).rows == 0)
    }

    /// Scores of any rows against any columns, in tiles that cut both: the same bits as one by one, from either side.
    @Test func scoresDoNotDependOnTheirTile() {
        let (inputs, width) = (700, 40)
        let stream = RandomStream(3)
        let values = (0..<inputs * width).map { Float(stream.gaussian(at: $0)) }
        let pool = EmbeddingPool(embeddings: Tensor(values, rows: inputs, columns: width), rows: Array((0..<inputs).reversed()))
        let (rows, columns) = (Array(0..<300), Array(40..<700))
        let all = scores(pool, rows, columns)
        let turned = scores(pool, columns, rows)
        for row in stride(from: 0, to: 300, by: 37) {
            #expect(scores(pool, [rows[row]], Array(columns.reversed()))[0].reversed() == all[row])
            #expect(columns.indices.allSatisfy { turned[$0][row] == all[row][$0] })
        }
    }

    private func scores(_ pool: EmbeddingPool, _ rows: [Int], _ columns: [Int]) -> [[Float]] {
        var result = [[Float]](repeating: [], count: rows.count)
        var next = [Int](repeating: 0, count: rows.count)
        pool.forEachTile(rows: rows, columns: columns) { block, range, scores, _ in
            for row in block {
                #expect(next[row] == range.lowerBound, "tiles come in the order of the columns")
                next[row] = range.upperBound
                let line = scores + (row - block.lowerBound) * EmbeddingPool.scoreStride
                result[row] += UnsafeBufferPointer(start: line, count: range.count)
            }
        }
        return result
    }
}
