// The gradient of a contrastive loss, line by line: of a row over its columns for the anchor, of a column over the rows for
// the candidate. Both see the same pairs, and a pair's gradient needs the statistics of its row and of its column.

import Data
import Model
import Tensor

extension ContrastiveScores {
    /// Statistics of all lines as the gradient reads them.
    struct Lines {
        /// Of the rows, one a head.                                [heads]
        fileprivate let rows: [SoftmaxLines]
        /// Of the columns, one a head; empty unless symmetric.     [heads]
        fileprivate let columns: [SoftmaxLines]
        /// Of the rows, one a width.
        fileprivate let divergences: [DivergenceLines]
        /// What the own positive's score loses.                    [heads]
        fileprivate let positive: [Float]
        /// Weight of each divergence.
        fileprivate let divergenceScales: [Float]

        init(_ scores: ContrastiveScores, rows: [LineStatistics], columns: [LineStatistics]) {
            let (loss, heads) = (scores.loss, scores.batch.heads)
            let scale = loss.rowScale(rows: rows.count) / loss.temperature
            let half = loss.isSymmetric ? 0.5 : 1
            let weights = (0..<scores.heads.count).map { heads.weight(ofHead: $0) * scale }
            self.rows = weights.indices.map { SoftmaxLines(rows, head: $0, scale: half * weights[$0], paddedTo: rows.count) }
            self.columns =
                loss.isSymmetric
                ? weights.indices.map {
                    SoftmaxLines(columns, head: $0, scale: half * weights[$0], paddedTo: scores.plan.columnCount)
                } : []
            divergences = (0..<scores.divergences).map { DivergenceLines(rows, width: $0, temperature: loss.temperature) }
            positive = weights.map { Float($0) }
            divergenceScales = (0..<scores.divergences).map { Float(loss.divergenceWeight(ofWidth: $0, heads) * scale) }
        }
    }

    /// Adds the gradient of this rank's inputs: their uses as anchors by row, then as candidates by column.
    ///
    /// Collective when the pool is streamed.
    func addGradient(_ lines: Lines, to gradient: Embeddings) throws {
        try add(.anchors, lines, to: gradient)
        try add(.candidates, lines, to: gradient)
    }

    private func add(_ side: ScoreSide, _ lines: Lines, to gradient: Embeddings) throws {
        let inputs = inputs(of: side)
        let own = inputs.indices.filter { pool.ownPlaces[inputs[$0]] != nil }
        let ownInputs = own.map { inputs[$0] }
        let uses = UseGradient(ownInputs, pool)
        try forEachTile(side, own, findsBest: heads.hasLate, addingTo: uses) { tile, place in
            let local = place - tile.rows.lowerBound
            hide(tile, place: local, index: own[place])
            fill(tile, local, index: own[place], lines)
        }
        uses.add(ownInputs, to: gradient, pool)
    }

    /// The gradients of one line's scores.
    private func fill(_ tile: ScoreTile, _ row: Int, index: Int, _ lines: Lines) {
        let (side, columns) = (tile.target.side, tile.columns)
        for head in 0..<heads.count {
            let gradient = tile.gradient(head, row)
            gradient.update(repeating: 0, count: columns.count)
            guard batch.heads.weight(ofHead: head) > 0 else { continue }
            let scores = tile.scores(head, row)
            let rowsVary = side == .candidates
            addSoftmax(lines.rows[head], scores, rowsVary ? .each(columns) : .one(index), columns.count, to: gradient)
            if loss.isSymmetric && (rowsVary ? index < rowCount : true) {
                addSoftmax(lines.columns[head], scores, rowsVary ? .one(index) : .each(columns), columns.count, to: gradient)
            }
            if columns.contains(index) { gradient[index - columns.lowerBound] -= lines.positive[head] }
        }
        for width in lines.divergences.indices { addDivergence(width, tile, row, index: index, lines) }
    }

    /// Which line's statistics belong to the elements of a line of scores.
    private enum Choice {
        case one(Int)
        case each(Range<Int>)
    }

    private func addSoftmax(
        _ lines: SoftmaxLines, _ scores: UnsafePointer<Float>, _ choice: Choice, _ count: Int, to gradient: UnsafeMutablePointer<Float>
    ) {
        let inverseTemperature = Float(1 / loss.temperature)
        @inline(__always)
        func share(_ score: Float, _ maximum: Float, _ factor: Float) -> Float {
            score > -.infinity ? exponential((score - maximum) * inverseTemperature) * factor : 0
        }
        switch choice {
        case .one(let line):
            let (maximum, factor) = (lines.maxima[line], lines.factors[line])
            for place in 0..<count { gradient[place] += share(scores[place], maximum, factor) }
        case .each(let range):
            lines.maxima.withUnsafeBufferPointer { maxima in
                lines.factors.withUnsafeBufferPointer { factors in
                    let (maxima, factors) = (maxima.baseAddress! + range.lowerBound, factors.baseAddress! + range.lowerBound)
                    for place in 0..<count { gradient[place] += share(scores[place], maxima[place], factors[place]) }
                }
            }
        }
    }

    /// KL(P ‖ Q) with P = softmax(p/τ), Q = softmax(q/τ):  ∂p = P (log P - log Q - KL) / τ,  ∂q = (Q - P) / τ.
    private func addDivergence(_ width: Int, _ tile: ScoreTile, _ row: Int, index: Int, _ lines: Lines) {
        let isRow = tile.target.side == .anchors
        if !isRow && !loss.divergenceCoversNegatives && index >= rowCount { return }
        let count = isRow ? coveredByDivergence(tile.columns) : tile.columns.count
        let (p, q) = sides(ofWidth: width)
        let (pScores, qScores) = (tile.scores(p, row), tile.scores(q, row))
        let (pGradient, qGradient) = (tile.gradient(p, row), tile.gradient(q, row))
        let detached: Int? =
            switch loss.detached {
            case .none: nil
            case .dense: width
            case .late: heads.late!
            }
        let (pScale, qScale) = (p == detached ? 0 : lines.divergenceScales[width], q == detached ? 0 : lines.divergenceScales[width])
        let statistics = lines.divergences[width]
        let inverseTemperature = Float(1 / loss.temperature)
        for place in 0..<count where pScores[place] > -.infinity {
            let line = isRow ? index : tile.columns.lowerBound + place
            let logP = (pScores[place] - statistics.pMaxima[line]) * inverseTemperature - statistics.pLogarithms[line]
            let logQ = (qScores[place] - statistics.qMaxima[line]) * inverseTemperature - statistics.qLogarithms[line]
            let (shareP, shareQ) = (exponential(logP), exponential(logQ))
            pGradient[place] += pScale * (shareP * (logP - logQ - statistics.values[line]))
            qGradient[place] += qScale * (shareQ - shareP)
        }
    }
}
