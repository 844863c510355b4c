// The contrastive loss over the global pool: each anchor against all positives and all hard negatives of all rows.
//
//     loss = mean over rows i of  log Σ_j exp(s(i,j)/τ) - s(i,i)/τ
//
// It is sharded without a backward collective: the owner of an anchor makes the anchor's statistics, these are gathered, and
// then every rank forms the gradient of its own anchors and of its own candidates. (van den Oord et al. 2018, arXiv:1807.03748)

import Glibc
import Tensor

/// What the gradient needs to know of an anchor's row of scores.
struct RowStatistics: Equatable {
    /// Highest score of the row.
    var maximum: Float = -.infinity
    /// Σ exp((score - maximum) / τ) over the columns that are not masked.
    var sum: Double = 0
    /// Score of the own positive.
    var positive: Float = 0

    /// The row's loss.
    func loss(temperature: Double) -> Double { Double(maximum - positive) / temperature + log(sum) }
}

struct InfoNCE {
    let temperature: Double

    private var inverseTemperature: Float { Float(1 / temperature) }

    /// Statistics of the rows `own`.                               [own]
    func statistics(of own: [Int], _ plan: StepPlan, _ pool: EmbeddingPool) -> [RowStatistics] {
        var statistics = [RowStatistics](repeating: RowStatistics(), count: own.count)
        statistics.withUnsafeMutableBufferPointer { statistics in
            nonisolated(unsafe) let statistics = statistics
            pool.forEachTile(rows: own.map { plan.anchors[$0] }, columns: plan.candidates) { rows, columns, scores, _ in
                for local in rows {
                    let row = own[local]
                    let line = scores + (local - rows.lowerBound) * EmbeddingPool.scoreStride
                    hide(plan.masked[row], columns, line)
                    if columns.contains(row) { statistics[local].positive = line[row - columns.lowerBound] }
                    add(line, columns.count, to: &statistics[local])
                }
            }
        }
        return statistics
    }

    /// Gradients of the loss with respect to the embeddings of `own`.   [own, dimension]
    ///
    /// An input used in several roles adds up its uses as anchor by row, then its uses as candidate by column.
    /// - Parameters:
    ///   - own: inputs of the plan that this rank embeds
    ///   - statistics: of all rows
    func gradient(of own: [Int], _ plan: StepPlan, _ pool: EmbeddingPool, _ statistics: [RowStatistics]) -> Tensor {
        let local = Dictionary(uniqueKeysWithValues: own.enumerated().map { ($1, $0) })
        let gradient = Tensor.zeros(own.count, pool.dimension)
        let ownAnchors = plan.anchors.indices.filter { local[plan.anchors[$0]] != nil }
        let ownColumns = plan.candidates.indices.filter { local[plan.candidates[$0]] != nil }
        let weights = RowWeights(statistics, inverseTemperature, rows: plan.anchors.count)

        let dAnchors = Tensor.zeros(ownAnchors.count, pool.dimension)
        pool.forEachTile(rows: ownAnchors.map { plan.anchors[$0] }, columns: plan.candidates) { block, columns, scores, panel in
            for place in block {
                let row = ownAnchors[place]
                let line = scores + (place - block.lowerBound) * EmbeddingPool.scoreStride
                hide(plan.masked[row], columns, line)
                weights.apply(row: row, line, columns.count)
                if columns.contains(row) { line[row - columns.lowerBound] -= weights.scale }
            }
            panel.add(weights: scores, rows: block.count, to: dAnchors.floats + block.lowerBound * pool.dimension)
        }
        add(dAnchors, ownAnchors.map { local[plan.anchors[$0]]! }, to: gradient)

        let maskedRows = rowsMasking(plan)
        let dCandidates = Tensor.zeros(ownColumns.count, pool.dimension)
        pool.forEachTile(rows: ownColumns.map { plan.candidates[$0] }, columns: plan.anchors) { block, rows, scores, panel in
            for place in block {
                let column = ownColumns[place]
                let line = scores + (place - block.lowerBound) * EmbeddingPool.scoreStride
                hide(maskedRows[column] ?? [], rows, line)
                weights.apply(rows: rows, line)
                if rows.contains(column) { line[column - rows.lowerBound] -= weights.scale }
            }
            panel.add(weights: scores, rows: block.count, to: dCandidates.floats + block.lowerBound * pool.dimension)
        }
        add(dCandidates, ownColumns.map { local[plan.candidates[$0]]! }, to: gradient)
        return gradient
    }

    /// Takes the scores of one tile into a row's running maximum and sum.
    private func add(_ line: UnsafePointer<Float>, _ count: Int, to row: inout RowStatistics) {
        var maximum = row.maximum
        for column in 0..<count { maximum = max(maximum, line[column]) }
        guard maximum > -.infinity else { return }
        row.sum *= exp(Double(row.maximum - maximum) / temperature)
        row.maximum = maximum
        for column in 0..<count where line[column] > -.infinity {
            row.sum += exp(Double(line[column] - maximum) / temperature)
        }
    }

    /// Takes masked columns out of a line of scores.
    private func hide(_ masked: [Int], _ columns: Range<Int>, _ line: UnsafeMutablePointer<Float>) {
        for column in masked where columns.contains(column) { line[column - columns.lowerBound] = -.infinity }
    }

    /// For each column, the rows that it is masked for.
    private func rowsMasking(_ plan: StepPlan) -> [Int: [Int]] {
        var rows: [Int: [Int]] = [:]
        for (row, columns) in plan.masked.enumerated() {
            for column in columns { rows[column, default: []].append(row) }
        }
        return rows
    }

    /// target[places[i]] += source[i], in the order of i.
    private func add(_ source: Tensor, _ places: [Int], to target: Tensor) {
        let width = source.columns
        for (row, place) in places.enumerated() {
            for d in 0..<width { target.floats[place * width + d] += source.floats[row * width + d] }
        }
    }
}

/// Turns scores into their share of the gradient: exp((s - maximum)/τ) / sum / (rows · τ).
private struct RowWeights {
    /// 1 / (rows · τ): what the own positive's score loses.
    let scale: Float
    private let inverseTemperature: Float
    private let maxima: [Float]
    private let factors: [Float]

    init(_ statistics: [RowStatistics], _ inverseTemperature: Float, rows: Int) {
        self.inverseTemperature = inverseTemperature
        let scale = Double(inverseTemperature) / Double(rows)
        self.scale = Float(scale)
        maxima = statistics.map(\.maximum)
        factors = statistics.map { Float(scale / $0.sum) }
    }

    /// Scores of one row with many columns.
    func apply(row: Int, _ line: UnsafeMutablePointer<Float>, _ count: Int) {
        let (maximum, factor) = (maxima[row], factors[row])
        for column in 0..<count { line[column] = weight(line[column], maximum, factor) }
    }

    /// Scores of one column with many rows.
    func apply(rows: Range<Int>, _ line: UnsafeMutablePointer<Float>) {
        for row in rows { line[row - rows.lowerBound] = weight(line[row - rows.lowerBound], maxima[row], factors[row]) }
    }

    @inline(__always)
    private func weight(_ score: Float, _ maximum: Float, _ factor: Float) -> Float {
        score > -.infinity ? exponential((score - maximum) * inverseTemperature) * factor : 0
    }
}
