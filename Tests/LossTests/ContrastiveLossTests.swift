// The contrastive loss on vectors small enough to check by hand; ParityTests compare batches with PyTorch.

import Comm
import Foundation
import Model
import Support
import Tensor
import Testing

@testable import Data
@testable import Loss
@testable import Trainer

@Suite struct ContrastiveLossTests {
    private let heads = ScoreHeads(dimension: 2, widths: [2], hasLate: false)

    private func loss(_ temperature: Double = 0.5) -> ContrastiveLoss {
        var loss = ContrastiveLoss()
        loss.temperature = temperature
        return loss
    }

    private func objective(_ temperature: Double = 0.5) -> Objective { Objective(WeightedHeads(heads), .contrastive(loss(temperature))) }

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

    private func losses(_ plan: StepPlan, _ pool: EmbeddingPool, _ loss: ContrastiveLoss) throws -> [Double] {
        let batch = LossBatch(WeightedHeads(heads), plan, pool, Communicator.alone())
        let scores = ContrastiveScores(loss: loss, batch: batch, positives: try batch.scores(of: batch.positives))
        return zip(try scores.statistics(ofRows: [0, 1]), scores.positives).map { line, positive in
            line.0.softmax[0].logarithm(temperature: loss.temperature) - Double(positive[0]) / loss.temperature
        }
    }

    @Test func aRowsLossIsMinusTheLogOfItsPositivesShare() throws {
        let (plan, pool) = batch()
        let expected = log(exp(2.0) + exp(0) + exp(1)) - 2
        #expect(try losses(plan, pool, loss()).allSatisfy { abs($0 - expected) < 1e-7 })
        #expect(abs(try objective().inDouble(plan, pool) - expected) < 1e-12)
    }

    @Test func aMaskedColumnHasNoPart() throws {
        // The negative's text is row 1's anchor: row 1 does not see it, row 0 does.
        let (plan, pool) = batch(negative: "b")
        let found = try losses(plan, pool, loss())
        #expect(abs(found[0] - (log(exp(2.0) + exp(0) + exp(1)) - 2)) < 1e-7)
        #expect(abs(found[1] - (log(exp(2.0) + exp(0)) - 2)) < 1e-7)
        let gradient = try objective().run(plan, pool, Communicator.alone()).gradient.dense!.rows(4..<5)
        // Only anchor 0 pulls at the negative: e₀ · share / (rows · τ).
        let share = exp(1) / (exp(2.0) + exp(0) + exp(1))
        #expect(abs(Double(gradient.floats[0]) - share) < 1e-6 && gradient.floats[1] == 0)
    }

    /// Row 0 has its positive at the first place, row 1 at the second of three.
    @Test(arguments: [0.1, 0.005]) func whatIsReportedOfThePool(temperature: Double) throws {
        let (plan, _) = batch()
        let vectors = Tensor([1, 0, 0, 1, 1, 0, 0.96, 0.28, 0.6, 0.8], rows: 5, columns: 2)
        let report = try #require(try objective(temperature).run(plan, pool(vectors, plan, heads), Communicator.alone()).pool)
        let rows = [(positive: 1.0, negatives: [0.96, 0.6]), (positive: 0.28, negatives: [0, 0.8])]
        func mean(_ value: (Double, [Double]) -> Double) -> Double { rows.reduce(0) { $0 + value($1.positive, $1.negatives) } / 2 }
        func weights(_ scores: [Double]) -> [Double] { scores.map { exp(($0 - scores.max()!) / temperature) } }
        #expect(abs(report.positive - 0.64) < 1e-6 && abs(report.hardestNegative - 0.88) < 1e-6 && abs(report.meanNegative - 0.59) < 1e-6)
        #expect(report.positionOfPositive == 1.5 && report.negatives == 2)
        let saturated = mean { positive, negatives in
            1 / (1 + negatives.reduce(0) { $0 + exp(($1 - positive) / temperature) }) > 0.99 ? 1 : 0
        }
        #expect(report.saturatedRows == saturated && saturated == (temperature == 0.1 ? 0 : 0.5))
        let effective = mean { _, negatives in
            let weights = weights(negatives)
            return pow(weights.reduce(0, +), 2) / weights.reduce(0) { $0 + $1 * $1 }
        }
        #expect(abs(report.effectiveNegatives - effective) < 1e-6)
    }

    /// A negative of its own row that equals the anchor.
    @Test(arguments: [("n", 0.3, 0), ("a", 0, 1)]) func aTripletOfADuplicateHasNoPart(negative: String, loss: Double, masked: Int) throws {
        var hinge = TripletLoss()
        hinge.margin = 0.8
        let triplets = Objective(WeightedHeads(heads), .triplet(hinge))
        let (plan, pool) = batch(negative: negative)
        let result = try triplets.run(plan, pool, Communicator.alone())
        #expect(abs(result.value - loss) < 1e-6 && result.maskedPairs == masked)
        #expect(abs(try triplets.inDouble(plan, pool) - loss) < 1e-9)
        #expect(result.gradient.dense!.values.contains { $0 != 0 } == (loss > 0))
    }

    @Test func gradientsOfBothSidesBalance() throws {
        // Scores do not change when all is turned alike, so Σ (gradient × vector) is zero.
        let (plan, pool) = batch()
        let gradient = try objective().run(plan, pool, Communicator.alone()).gradient.dense!
        var turn: Float = 0
        for input in 0..<5 {
            let (g, v) = (gradient.rows(input..<input + 1).values, pool.ownRows.dense!.rows(input..<input + 1).values)
            turn += g[0] * v[1] - g[1] * v[0]
        }
        #expect(abs(turn) < 1e-6)
    }

    @Test func highScoresDoNotOverflow() throws {
        let (plan, pool) = batch()
        let result = try objective(0.001).run(plan, pool, Communicator.alone())
        #expect(result.value >= 0 && result.value < 1e-6)
        #expect(result.gradient.dense!.values.allSatisfy { $0.isFinite })
    }

    /// Every term over 300 rows and 600 columns, three blocks of them: the value, and its gradient here and there.
    @Test func severalBlocksFollowTheFormula() throws {
        let stream = RandomStream(8)
        var rows = PlannedRows()
        rows.length = { 1 + $0.count % 3 }
        for row in 0..<300 { rows.add("a\(row)", "p\(row)", ["n\(row)"]) }
        let plan = rows.plan()
        var loss = ContrastiveLoss()
        (loss.divergenceWeight, loss.temperature, loss.isSymmetric) = (0.7, 0.2, true)
        let heads = ScoreHeads(dimension: 16, widths: [4, 16], hasLate: true)
        let objective = Objective(WeightedHeads(heads, widthWeights: [1, 0.5], lateWeight: 1.5), .contrastive(loss))
        func random(_ name: String, _ count: Int, _ width: Int) -> Tensor {
            let stream = stream.stream(name)
            let values = (0..<count * width).map { Float(stream.gaussian(at: $0) / Double(width).squareRoot()) }
            return Tensor(values, rows: count, columns: width)
        }
        let vectors = Embeddings(dense: random("dense", plan.inputs.count, 16), late: random("late", plan.tokens, 8))
        func pool(_ vectors: Embeddings) -> EmbeddingPool {
            EmbeddingPool(vectors, own: vectors, plan, heads, rank: 0, worldSize: 1)
        }
        let result = try objective.run(plan, pool(vectors), Communicator.alone())
        let expected = try objective.inDouble(plan, pool(vectors))
        #expect(abs(result.value - expected) < 1e-6 * expected)

        let ranges = EmbeddingOwners(plan, worldSize: 1).tokenRanges(plan.inputs.indices)
        for input in [plan.anchors[290], plan.candidates[10], plan.candidates[299], plan.candidates[590]] {
            for (tensor, change, place) in [
                (vectors.dense!, result.gradient.dense!, input * 16 + 2), (vectors.dense!, result.gradient.dense!, input * 16 + 11),
                (vectors.late!, result.gradient.late!, ranges[input].lowerBound * 8 + 5),
            ] {
                let (step, own) = (Float(0x1p-14), tensor.floats[place])
                let values = try [own + step, own - step].map { value in
                    tensor[place / tensor.columns, place % tensor.columns] = value
                    return try objective.inDouble(plan, pool(vectors))
                }
                tensor[place / tensor.columns, place % tensor.columns] = own
                let difference = (values[0] - values[1]) / (2 * Double(step))
                #expect(abs(Double(change.floats[place]) - difference) < 1e-6 + 1e-3 * abs(difference), "input \(input), \(difference)")
            }
        }
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
