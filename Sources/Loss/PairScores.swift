// Scores of single pairs of an anchor and a candidate, and their gradients: for losses that look at a row's own pairs and not
// at the whole pool.

import Data
import Model
import Tensor

/// An anchor and a candidate.
struct ScoredPair: Hashable {
    let row: Int
    let column: Int
}

/// Pairs of a global batch, in an order that all ranks share.
struct PairScores {
    let pairs: [ScoredPair]
    let plan: StepPlan
    let pool: any EmbeddingSource

    /// Scores of the pairs whose anchor is this rank's: by pair, [heads].
    ///
    /// Collective when the pool is streamed.
    func ownScores() throws -> [[Float]] {
        let own = pairs.indices.filter { pool.ownPlaces[input(pairs[$0], .anchors)] != nil }
        let scores = Tensor(pairs.count, pool.heads.count)
        try forEachPair(.anchors) { pair, tile in
            for head in 0..<pool.heads.count { scores[pair, head] = tile.scores(head, 0)[0] }
        }
        return own.map { scores.rows($0..<$0 + 1).values }
    }

    /// Adds the gradient of this rank's inputs: their uses as anchors, then as candidates, each in the order of the pairs.
    ///
    /// Collective when the pool is streamed.
    /// - Parameter changes: d loss / d score, [pairs][heads]
    func addGradient(_ changes: [[Double]], to gradient: Embeddings) throws {
        for side in [ScoreSide.anchors, .candidates] {
            let own = pairs.indices.filter { pool.ownPlaces[input(pairs[$0], side)] != nil }
            let inputs = own.map { input(pairs[$0], side) }
            let uses = UseGradient(inputs, pool)
            let places = Dictionary(uniqueKeysWithValues: own.enumerated().map { ($1, $0) })
            try forEachPair(side, places) { pair, tile in
                for head in 0..<pool.heads.count { tile.gradient(head, 0)[0] = Float(changes[pair][head]) }
                tile.addGradient(to: uses)
            }
            uses.add(inputs, to: gradient, pool)
        }
    }

    private func input(_ pair: ScoredPair, _ side: ScoreSide) -> Int {
        side == .anchors ? plan.anchors[pair.row] : plan.candidates[pair.column]
    }

    /// Tiles of one element: this rank's input of a pair on `side`, against the other. `body` is called from several threads.
    ///
    /// - Parameter places: of the pairs among the uses whose gradient is formed
    private func forEachPair(
        _ side: ScoreSide, _ places: [Int: Int] = [:], _ body: (_ pair: Int, _ tile: ScoreTile) -> Void
    ) throws {
        let other: ScoreSide = side == .anchors ? .candidates : .anchors
        try pool.forEachPanel(of: pairs.map { input($0, other) }) { range, panel in
            let own = range.filter { pool.ownPlaces[input(pairs[$0], side)] != nil }
            Threads.run(own.count, grain: 8) { block in
                for pair in own[block] {
                    let target = ScorePanel(panel.only(pair - range.lowerBound), pool.heads, rows: side)
                    let use = places[pair] ?? 0
                    let line = pool.ownPanel([input(pairs[pair], side)])
                    body(pair, ScoreTile(rows: use..<use + 1, columns: pair..<pair + 1, line, target, findsBest: true))
                }
            }
        }
    }
}
