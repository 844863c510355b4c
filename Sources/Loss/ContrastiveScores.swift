// Statistics of the lines of scores of a contrastive loss: of a row over all columns that it sees, of a column over all rows.
//
// Sharded without a backward collective: the owner of an anchor makes the row's statistics, these are gathered, and then every
// rank forms the gradient of its own anchors and of its own candidates.

import Data
import Tensor

/// The scores of a global batch that a contrastive loss is made of, block by block.
struct ContrastiveScores {
    let loss: ContrastiveLoss
    let batch: LossBatch
    /// Scores of every anchor with its positive.                   [rows][heads]
    let positives: [[Float]]

    var heads: ScoreHeads { batch.heads.heads }
    var plan: StepPlan { batch.plan }
    var pool: any EmbeddingSource { batch.pool }
    var rowCount: Int { plan.anchors.count }
    /// Widths with a divergence from the late scores.
    var divergences: Int { loss.divergenceWeight > 0 ? heads.widths.count : 0 }
    private var blockRows: Int { heads.hasLate ? 8 : 32 }

    // MARK: - Statistics

    /// Of own rows over all columns they see, with what the step reports of them.    [own]
    ///
    /// Collective when the pool is streamed.
    func statistics(ofRows own: [Int]) throws -> [(LineStatistics, PoolStatistics)] {
        var lines = own.map { row in
            (
                LineStatistics(heads: heads.count, divergences: divergences),
                PoolStatistics(positive: positives[row][batch.heads.reportedHead])
            )
        }
        try lines.withUnsafeMutableBufferPointer { lines in
            nonisolated(unsafe) let lines = lines
            try forEachTile(.anchors, own, findsBest: false) { tile, place in
                let row = own[place]
                let local = place - tile.rows.lowerBound
                hide(tile, place: local, index: row)
                add(tile, local, to: &lines[place].0)
                lines[place].1.add(
                    tile.scores(batch.heads.reportedHead, local), tile.columns, positive: row, temperature: loss.temperature)
            }
        }
        return lines
    }

    /// Of the columns of own positives over all rows that see them.    [own]
    ///
    /// Collective when the pool is streamed.
    func statistics(ofColumns own: [Int]) throws -> [LineStatistics] {
        var lines = own.map { _ in LineStatistics(heads: heads.count, divergences: 0) }
        try lines.withUnsafeMutableBufferPointer { lines in
            nonisolated(unsafe) let lines = lines
            try forEachTile(.candidates, own, findsBest: false) { tile, place in
                let local = place - tile.rows.lowerBound
                hide(tile, place: local, index: own[place])
                add(tile, local, to: &lines[place])
            }
        }
        return lines
    }

    private func add(_ tile: ScoreTile, _ row: Int, to line: inout LineStatistics) {
        let count = tile.columns.count
        for head in 0..<heads.count where batch.heads.weight(ofHead: head) > 0 {
            line.softmax[head].add(tile.scores(head, row), count, temperature: loss.temperature)
        }
        let covered = coveredByDivergence(tile.columns)
        for width in line.divergence.indices {
            let (p, q) = sides(ofWidth: width)
            line.divergence[width].add(
                p: tile.scores(p, row), q: tile.scores(q, row), covered, temperature: loss.temperature)
        }
    }

    /// The heads of P and Q in KL(P ‖ Q).
    func sides(ofWidth width: Int) -> (p: Int, q: Int) {
        loss.direction == .denseToLate ? (width, heads.late!) : (heads.late!, width)
    }

    /// How many of some columns, from the first on, the divergence covers.
    func coveredByDivergence(_ columns: Range<Int>) -> Int {
        loss.divergenceCoversNegatives ? columns.count : max(0, min(columns.upperBound, rowCount) - columns.lowerBound)
    }

    // MARK: - Tiles

    /// Takes out of a line what has no part in it.
    ///
    /// - Parameter index: of the line, a row or a column
    func hide(_ tile: ScoreTile, place: Int, index: Int) {
        let side = tile.target.side
        hideNearPositives(tile, place, index)
        for head in 0..<heads.count {
            switch side {
            case .anchors: plan.visibility.hide(row: index, tile.columns, tile.scores(head, place))
            case .candidates: plan.visibility.hide(column: index, tile.columns, tile.scores(head, place))
            }
        }
    }

    /// Candidates as similar to the anchor as its positive is, by the whole dense vectors, count as unlabelled positives.
    private func hideNearPositives(_ tile: ScoreTile, _ place: Int, _ index: Int) {
        guard let margin = loss.negativeMargin, let whole = heads.whole else { return }
        let line = tile.scores(whole, place)
        for (column, other) in tile.columns.enumerated() where other != index {
            let row = tile.target.side == .anchors ? index : other
            guard heads.cosine(score: line[column]) > heads.cosine(score: positives[row][whole]) - Float(margin) else { continue }
            for head in 0..<heads.count { tile.scores(head, place)[column] = -.infinity }
        }
    }

    /// Calls `body` for each line of each tile: of one line always in the order of its columns, of several from several threads.
    ///
    /// Collective when the pool is streamed.
    /// - Parameters:
    ///   - side: what the lines are
    ///   - own: the lines
    ///   - uses: where the gradients go that `body` has filled in
    func forEachTile(
        _ side: ScoreSide, _ own: [Int], findsBest: Bool, addingTo uses: UseGradient? = nil,
        _ body: (_ tile: ScoreTile, _ place: Int) -> Void
    ) throws {
        let ownInputs = own.map { inputs(of: side)[$0] }
        try forEachPanel(against: side) { columns, panel in
            let target = ScorePanel(panel, heads, rows: side)
            Threads.run(own.count, grain: blockRows) { rows in
                let tile = ScoreTile(rows: rows, columns: columns, pool.ownPanel(ownInputs[rows]), target, findsBest: findsBest)
                for place in rows { body(tile, place) }
                if let uses { tile.addGradient(to: uses) }
            }
        }
    }

    /// The input of each row, or of each of the step's own columns.
    func inputs(of side: ScoreSide) -> [Int] { side == .anchors ? plan.anchors : plan.candidates }

    /// What the lines of a side are scored against: rows against the step's columns, then the earlier ones; columns against rows.
    private func forEachPanel(against side: ScoreSide, _ body: (_ columns: Range<Int>, _ panel: Panel) throws -> Void) throws {
        guard side == .anchors else { return try pool.forEachPanel(of: plan.anchors, body) }
        let count = plan.candidates.count
        try pool.forEachPanel(of: plan.candidates, body)
        try pool.forEachEarlierPanel { range, panel in try body(count + range.lowerBound..<count + range.upperBound, panel) }
    }
}
