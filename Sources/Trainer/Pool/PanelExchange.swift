// Embeddings fetched from their owners panel by panel, for pools that no rank can hold: while one panel is worked on, the next
// one is on its way.

import Comm
import Loss
import Tensor

/// Fetches inputs of any rank for all ranks.
struct PanelExchange {
    private let world: Communicator
    private let owners: EmbeddingOwners
    private let ownRows: EmbeddingRows

    init(_ world: Communicator, _ embeddings: SpreadEmbeddings) {
        self.world = world
        owners = embeddings.owners
        ownRows = embeddings.rows
    }

    /// The panel of each block in turn.
    ///
    /// Collective, with the same blocks.
    func forEachPanel(of blocks: [[Int]], _ heads: ScoreHeads, _ body: (_ block: Int, _ panel: Panel) throws -> Void) throws {
        var next = try blocks.first.map(begin)
        for index in blocks.indices {
            let rows = try next!.received()
            let places = next!.places
            next = index + 1 < blocks.count ? try begin(blocks[index + 1]) : nil
            try body(index, Panel(rows, places, heads))
        }
    }

    private func begin(_ inputs: [Int]) throws -> Transfer {
        let lists = (0..<world.worldSize).map { rank in inputs.indices.filter { owners.ownerOfInput[inputs[$0]] == rank } }
        var places = [Int](repeating: 0, count: inputs.count)
        for (row, place) in lists.joined().enumerated() { places[place] = row }
        let own = lists[world.rank].map { owners.placeOfInput[inputs[$0]] }
        let dense = try ownRows.dense.map { try begin($0, own.map { $0..<$0 + 1 }, lists.map(\.count)) }
        let late = try ownRows.late.map { late in
            try begin(
                late, own.map { ownRows.tokens[$0] }, lists.map { owners.tokens($0.map { inputs[$0] }) })
        }
        let tokens = ownRows.late == nil ? [] : owners.tokenRanges(lists.joined().map { inputs[$0] })
        return Transfer(places: places, tokens: tokens, dense: dense, late: late)
    }

    private func begin(_ rows: Tensor, _ ranges: [Range<Int>], _ counts: [Int]) throws -> Transfer.Part {
        let own = rows.rows(ranges)
        let all = Tensor(counts.reduce(0, +), rows.columns)
        let pending = try all.withMutableFloats { floats in
            try floats.withUnsafeMutableBufferPointer { result in
                try world.beginAllGather(own.floats, counts: counts.map { $0 * rows.columns }, into: result, of: all)
            }
        }
        return Transfer.Part(rows: all, pending: pending)
    }
}

/// A panel on its way.
private struct Transfer {
    struct Part {
        let rows: Tensor
        let pending: PendingGather<Float>

        func received() throws -> Tensor {
            try pending.wait()
            return rows
        }
    }

    /// Row of each input of the block.
    let places: [Int]
    /// Token rows of each row.
    let tokens: [Range<Int>]
    let dense: Part?
    let late: Part?

    func received() throws -> EmbeddingRows {
        EmbeddingRows(dense: try dense?.received(), late: try late?.received(), tokens: tokens)
    }
}
