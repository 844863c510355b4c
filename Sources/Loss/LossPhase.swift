// The loss of a global batch and its gradient with respect to this rank's embeddings, of whatever form the objective gives the
// batch. Ranks exchange statistics of rows, never gradients.

import Data
import Glibc
import Model

/// What the loss phase gives the step.
package struct LossResult {
    /// Over the global batch, the same on every rank.
    package let value: Double
    /// Of this rank's inputs.
    package let gradient: Embeddings
    /// Pairs of a row and a column left out as duplicates, of those that the loss is made of.
    package let maskedPairs: Int
    /// Nil for losses that look at a row's own pairs alone.
    package let pool: PoolReport?
}

/// The loss phase of one step.
///
///     let result = try LossPhase(objective, plan, pool, world).run()
package struct LossPhase {
    private let objective: Objective
    private let plan: StepPlan
    private let pool: any EmbeddingSource
    private let world: any LineExchange
    /// Rows whose anchor each rank embeds.
    private let rowsOfRanks: [[Int]]

    package init(_ objective: Objective, _ plan: StepPlan, _ pool: any EmbeddingSource, _ world: any LineExchange) {
        self.objective = objective
        self.plan = plan
        self.pool = pool
        self.world = world
        rowsOfRanks = plan.rows(worldSize: world.worldSize)
    }

    /// Collective.
    package func run() throws -> LossResult {
        let gradient = pool.zeroGradient()
        if let grades = plan.scores { return try cosent(grades, gradient) }
        return switch objective.form {
        case .contrastive: try contrastive(gradient)
        case .triplet: try triplet(gradient)
        }
    }

    // MARK: - The pool

    private func contrastive(_ gradient: Embeddings) throws -> LossResult {
        // 1. Every anchor's score with its own positive: by it near duplicates are known.
        let (_, positives) = try scores(plan.anchors.indices.map { ScoredPair(row: $0, column: $0) })
        let loss = ContrastiveLoss(objective: objective, plan: plan, pool: pool, positives: positives)

        // 2. Statistics of own rows, and of own positives when they have a part.
        let (rows, reports) = try rowStatistics(loss)
        let columns = objective.isSymmetric ? try columnStatistics(loss) : []

        // 3. The value, in row order; the gradient of own inputs.
        let value = self.value(loss, rows: rows, columns: columns)
        try loss.addGradient(ContrastiveLoss.Lines(loss, rows: rows, columns: columns), to: gradient)
        return LossResult(value: value, gradient: gradient, maskedPairs: plan.maskedPairs, pool: PoolReport(reports))
    }

    private func rowStatistics(_ loss: ContrastiveLoss) throws -> (rows: [LineStatistics], reports: [ArraySlice<Double>]) {
        let own = try loss.statistics(ofRows: rowsOfRanks[world.rank]).flatMap { line, pool in
            line.encoded + pool.encoded(temperature: objective.temperature)
        }
        let all = try world.gatherLines(own, rowsOfRanks)
        let lines = all.map { LineStatistics(decoding: $0, heads: objective.heads.count, divergences: loss.divergences) }
        return (lines, all.map { $0.suffix(PoolStatistics.fields) })
    }

    private func columnStatistics(_ loss: ContrastiveLoss) throws -> [LineStatistics] {
        let owners = plan.rowsByPositive(worldSize: world.worldSize)
        let own = try loss.statistics(ofColumns: owners[world.rank]).flatMap(\.encoded)
        return try world.gatherLines(own, owners).map {
            LineStatistics(decoding: $0, heads: objective.heads.count, divergences: 0)
        }
    }

    private func value(_ loss: ContrastiveLoss, rows: [LineStatistics], columns: [LineStatistics]) -> Double {
        let temperature = objective.temperature
        let half = objective.isSymmetric ? 0.5 : 1
        func term(_ line: LineStatistics, _ head: Int, _ row: Int) -> Double {
            let softmax = line.softmax[head]
            return half * (Double(softmax.maximum - loss.positives[row][head]) / temperature + log(softmax.sum))
        }
        var sum = 0.0
        for (row, line) in rows.enumerated() {
            for head in 0..<objective.heads.count where objective.weight(ofHead: head) > 0 {
                sum += objective.weight(ofHead: head) * (term(line, head, row) + (columns.isEmpty ? 0 : term(columns[row], head, row)))
            }
            for (width, divergence) in line.divergence.enumerated() {
                sum += objective.divergenceWeight(ofWidth: width) * divergence.value(temperature: temperature)
            }
        }
        return sum * objective.rowScale(rows: rows.count)
    }

    // MARK: - Pairs

    private func cosent(_ grades: [Float], _ gradient: Embeddings) throws -> LossResult {
        let pairs = plan.anchors.indices.map { ScoredPair(row: $0, column: $0) }
        return try pairLoss(pairs, gradient, scale: 1) { cosentLoss(scores: $0, grades: grades, temperature: objective.cosentTemperature) }
    }

    private func triplet(_ gradient: Embeddings) throws -> LossResult {
        let pairs = ownPairs
        let triplets = pairs.count { !$0.isPositive }
        let scale = objective.isMean ? 1 / Double(max(triplets, 1)) : 1
        return try pairLoss(pairs, gradient, scale: scale) { tripletLoss(pairs: pairs, scores: $0, margin: objective.tripletMargin) }
    }

    /// Each row's positive, then all hard negatives that are not hidden, each with its own row.
    private var ownPairs: [ScoredPair] {
        plan.rowsOfCandidates.enumerated().map { ScoredPair(row: $1, column: $0) }
            .filter { plan.visibility.sees(row: $0.row, column: $0.column) }
    }

    /// The weighted sum of a loss over the heads.
    private func pairLoss(
        _ pairs: [ScoredPair], _ gradient: Embeddings, scale: Double, _ loss: (_ scores: [Double]) -> PairLoss
    ) throws -> LossResult {
        let (scorer, scores) = try scores(pairs)
        let heads = objective.heads.count
        var value = 0.0
        var changes = [[Double]](repeating: Array(repeating: 0, count: heads), count: pairs.count)
        for head in 0..<heads {
            let weight = objective.weight(ofHead: head) * scale
            let part = loss(scores.map { Double($0[head]) })
            value += weight * part.value
            for pair in pairs.indices { changes[pair][head] = weight * part.changes[pair] }
        }
        try scorer.addGradient(changes, to: gradient)
        return LossResult(value: value, gradient: gradient, maskedPairs: plan.candidates.count - pairs.count, pool: nil)
    }

    /// Scores of pairs, each made by the owner of its anchor: [pairs][heads].
    private func scores(_ pairs: [ScoredPair]) throws -> (PairScores, [[Float]]) {
        let scorer = PairScores(pairs: pairs, plan: plan, pool: pool)
        let own = try scorer.ownScores().joined().map(Double.init)
        let owner = plan.ownerOfInput
        let lists = (0..<world.worldSize).map { rank in pairs.indices.filter { owner[plan.anchors[pairs[$0].row]] == rank } }
        return (scorer, try world.gatherLines(own, lists).map { $0.map { Float($0) } })
    }
}
