// The contrastive loss against PyTorch in float64, for one rank and as several ranks would compute it.

import Comm
import Files
import Model
import Support
import Tensor
import Testing

@testable import Data
@testable import Loss
@testable import Trainer

/// Losses and gradients with and without masks of duplicates.
@Suite struct LossParityTests {
    @Test(arguments: [5, 70, 300]) func duplicatesAreMaskedAsInTheReference(rows: Int) throws {
        let golden = try GoldenLoss(rows: rows)
        let pairs = try golden.tensors.integers("masked_pairs")
        let masked = golden.plan(masksDuplicates: true, worldSize: 1).masked
        #expect(masked.enumerated().flatMap { row, columns in columns.flatMap { [row, $0] } } == pairs)
        #expect(golden.plan(masksDuplicates: false, worldSize: 1).maskedPairs == 0)
    }

    @Test(arguments: [5, 70, 300], ["masked", "unmasked"])
    func lossesEqualTheReference(rows: Int, kind: String) throws {
        let golden = try GoldenLoss(rows: rows)
        let result = try golden.computed(masksDuplicates: kind == "masked", worldSize: 1)
        let expected = try golden.tensors.values("\(kind).row_losses", as: Double.self)
        let losses = zip(result.statistics, result.positives).map { line, positive in
            line.softmax[0].logarithm(temperature: golden.temperature) - Double(positive[0]) / golden.temperature
        }
        for (row, (loss, expected)) in zip(losses, expected).enumerated() {
            #expect(abs(loss - expected) < 1e-5, "row \(row): \(loss), expected \(expected)")
        }
        let mean = try #require(golden.facts[kind]?["loss"]?.numberValue)
        #expect(abs(losses.reduce(0, +) / Double(rows) - mean) < 1e-6)
        #expect(abs(result.lossInDouble - mean) < 1e-12)
    }

    /// `rows-300` has no gradients without masks.
    @Test(arguments: [(5, "masked"), (70, "masked"), (300, "masked"), (5, "unmasked"), (70, "unmasked")])
    func gradientsEqualTheReference(rows: Int, kind: String) throws {
        let golden = try GoldenLoss(rows: rows)
        let result = try golden.computed(masksDuplicates: kind == "masked", worldSize: 1)
        let (anchors, candidates) = try (
            golden.tensors.floats("\(kind).gradient.anchors"), golden.tensors.floats("\(kind).gradient.candidates")
        )
        let expected = golden.summed(anchors, candidates)
        #expect(relativeDifference(result.gradient.flatMap { $0 }, expected.flatMap { $0 }) < 1e-5)
        let typical = (expected.reduce(0.0) { $0 + square($1) } / Double(expected.count)).squareRoot()
        for (input, (found, expected)) in zip(result.gradient, expected).enumerated() {
            let difference = square(zip(found, expected).map { $0 - $1 }).squareRoot()
            #expect(difference < 1e-4 * max(square(expected).squareRoot(), 0.1 * typical), "input \(input)")
        }
    }

    @Test(arguments: [5, 70, 300], [2, 3, 7])
    func ranksComputeTheSameBits(rows: Int, worldSize: Int) throws {
        let golden = try GoldenLoss(rows: rows)
        let (one, many) = try (
            golden.computed(masksDuplicates: true, worldSize: 1), golden.computed(masksDuplicates: true, worldSize: worldSize)
        )
        expectSameElements(many.statistics, one.statistics, "statistics")
        expectSameBits(many.gradient.flatMap { $0 }, one.gradient.flatMap { $0 }, "gradient")
    }

    private func square(_ values: [Float]) -> Double { values.reduce(0) { $0 + Double($1) * Double($1) } }
}

/// One golden batch: vectors in place of a model, contents in place of texts.
private struct GoldenLoss {
    static let width = 48

    let rows: Int
    let tensors: GoldenTensors
    let facts: JSONValue
    let temperature: Double
    private let summaries: [RowSummary]

    init(rows: Int) throws {
        self.rows = rows
        tensors = try GoldenTensors("loss/rows-\(rows)")
        facts = try JSONValue.parse(file: PackagePath.golden("loss/rows-\(rows).json"))
        temperature = try #require(facts["temperature"]?.numberValue)
        let (anchors, positives) = try (tensors.integers("anchor_contents"), tensors.integers("positive_contents"))
        // The goldens do not say whose the negatives are, only their order: the last row has them all.
        let negatives = try tensors.integers("negative_contents")
        summaries = (0..<rows).map { row in
            let own = row == rows - 1 ? negatives : []
            return RowSummary(
                file: 0, row: row, task: 0, anchor: Self.summary(anchors[row]), positive: Self.summary(positives[row]),
                negatives: own.map(Self.summary), negativePlaces: Array(own.indices))
        }
    }

    private static func summary(_ content: Int) -> InputSummary {
        InputSummary(content: ContentHash(of: Array("text \(content)".utf8)), tokens: Int32(1 + content * 31 % 17))
    }

    func plan(masksDuplicates: Bool, worldSize: Int) -> StepPlan {
        StepPlan(
            summaries, batch: Array(0..<rows), prompts: PromptNumbers(anchor: { _, _ in 0 }, candidate: { _, _ in 1 }),
            masksDuplicates: masksDuplicates, chunkTokens: 24, worldSize: worldSize,
            cost: InputCost(perToken: 100, perTokenSquared: 1))
    }

    /// Statistics of all rows and the gradient of every input, each from the rank that has it.
    func computed(masksDuplicates: Bool, worldSize: Int) throws -> Computed {
        let plan = plan(masksDuplicates: masksDuplicates, worldSize: worldSize)
        let vectors = try vectors(plan)
        let heads = ScoreHeads(dimension: Self.width, widths: [Self.width], hasLate: false)
        var loss = ContrastiveLoss()
        loss.temperature = temperature
        let objective = Objective(WeightedHeads(heads), .contrastive(loss))
        let owned = (0..<worldSize).map { plan.inputs(ofRank: $0) }
        func embeddings(_ inputs: some Sequence<Int>) -> Embeddings {
            let rows = inputs.map { vectors[$0] }
            return Embeddings(dense: Tensor(rows.flatMap { $0 }, rows: rows.count, columns: Self.width))
        }
        let all = embeddings(owned.joined())
        let pools = owned.indices.map {
            EmbeddingPool(all, own: embeddings(owned[$0]), plan, heads, rank: $0, worldSize: worldSize)
        }
        let pairs = plan.anchors.indices.map { ScoredPair(row: $0, column: $0) }
        let places = plan.rows(worldSize: worldSize)
        var positives = [[Float]](repeating: [], count: rows)
        for (pool, own) in zip(pools, places) {
            for (row, scores) in zip(own, try PairScores(pairs: pairs, plan: plan, pool: pool).ownScores()) { positives[row] = scores }
        }
        let shares = pools.map {
            ContrastiveScores(loss: loss, batch: LossBatch(objective.heads, plan, $0, Communicator.alone()), positives: positives)
        }
        var statistics = [LineStatistics](repeating: LineStatistics(heads: 1, divergences: 0), count: rows)
        for (share, own) in zip(shares, places) {
            for (row, line) in zip(own, try share.statistics(ofRows: own)) { statistics[row] = line.0 }
        }
        var gradient = [[Float]](repeating: [], count: plan.inputs.count)
        for (share, own) in zip(shares, owned) {
            let values = share.pool.zeroGradient()
            try share.addGradient(ContrastiveScores.Lines(share, rows: statistics, columns: []), to: values)
            for (place, input) in own.enumerated() { gradient[input] = values.dense!.rows(place..<place + 1).values }
        }
        return Computed(
            statistics: statistics, positives: positives, gradient: gradient,
            lossInDouble: try objective.inDouble(plan, pools[0]))
    }

    struct Computed {
        let statistics: [LineStatistics]
        let positives: [[Float]]
        let gradient: [[Float]]
        let lossInDouble: Double
    }

    /// Of every input.
    private func vectors(_ plan: StepPlan) throws -> [[Float]] {
        let (anchors, candidates) = try (tensors.floats("anchors"), tensors.floats("candidates"))
        var vectors = [[Float]](repeating: [], count: plan.inputs.count)
        for (row, input) in plan.anchors.enumerated() { vectors[input] = Self.vector(row, of: anchors) }
        for (column, input) in plan.candidates.enumerated() { vectors[input] = Self.vector(column, of: candidates) }
        return vectors
    }

    /// Gradients by row and by column, added up by input.
    func summed(_ anchors: [Float], _ candidates: [Float]) -> [[Float]] {
        let plan = plan(masksDuplicates: true, worldSize: 1)
        var sums = [[Double]](repeating: [Double](repeating: 0, count: Self.width), count: plan.inputs.count)
        for (inputs, values) in [(plan.anchors, anchors), (plan.candidates, candidates)] {
            for (place, input) in inputs.enumerated() {
                for (d, value) in Self.vector(place, of: values).enumerated() { sums[input][d] += Double(value) }
            }
        }
        return sums.map { $0.map(Float.init) }
    }

    private static func vector(_ index: Int, of values: [Float]) -> [Float] { Array(values[index * width..<(index + 1) * width]) }
}
