// Embeddings of a list of inputs that the ranks hold together: each rank some of them, or every rank all. Read in panels, block
// by block: from memory, or each panel from its owners when its turn is. The same numbers in the same order.

import Comm
import Data
import Loss
import Model
import Tensor

/// Which inputs each rank holds embeddings of.
struct EmbeddingOwners: Sendable {
    /// Inputs of each rank in the order of its rows; a single list when every rank holds all.
    let lists: [[Int]]
    /// Tokens of each input.                                       [inputs]
    let tokenCounts: [Int]
    /// The list of each input.                                     [inputs]
    let ownerOfInput: [Int]
    /// Row of each input within its list.                          [inputs]
    let placeOfInput: [Int]

    init(lists: [[Int]], tokenCounts: [Int]) {
        self.lists = lists
        self.tokenCounts = tokenCounts
        var (owners, places) = ([Int](repeating: 0, count: tokenCounts.count), [Int](repeating: 0, count: tokenCounts.count))
        for (owner, list) in lists.enumerated() {
            for (place, input) in list.enumerated() { (owners[input], places[input]) = (owner, place) }
        }
        (ownerOfInput, placeOfInput) = (owners, places)
    }

    /// As the inputs of a step are embedded.
    init(_ plan: StepPlan, worldSize: Int) {
        self.init(lists: (0..<worldSize).map { plan.inputs(ofRank: $0) }, tokenCounts: plan.inputs.map(\.tokens))
    }

    var count: Int { tokenCounts.count }
    var isWhole: Bool { lists.count == 1 }
    /// Every rank holds all, the lists one after the other.
    var whole: EmbeddingOwners { EmbeddingOwners(lists: [Array(lists.joined())], tokenCounts: tokenCounts) }

    /// The inputs that a rank holds.
    func inputs(ofRank rank: Int) -> [Int] { lists[isWhole ? 0 : rank] }

    func tokens(_ inputs: some Sequence<Int>) -> Int { inputs.reduce(0) { $0 + tokenCounts[$1] } }

    /// Rows of the tokens of some inputs, one input after the other.
    func tokenRanges(_ inputs: some Sequence<Int>) -> [Range<Int>] {
        inputs.map { tokenCounts[$0] }.consecutiveRanges
    }
}

/// Embeddings of inputs, as one rank has its part of them.
struct SpreadEmbeddings: Sendable {
    let owners: EmbeddingOwners
    /// Of the inputs that this rank holds.
    let rows: EmbeddingRows

    /// - Parameter embeddings: of the inputs that the rank holds, in the order of its list
    init(_ embeddings: Embeddings, _ owners: EmbeddingOwners, rank: Int) {
        self.owners = owners
        rows = EmbeddingRows(
            dense: embeddings.dense, late: embeddings.late,
            tokens: embeddings.late == nil ? [] : owners.tokenRanges(owners.inputs(ofRank: rank)))
    }

    /// The panels of `inputs` in blocks, in order.
    ///
    /// Collective unless every rank holds all: every rank asks for the same inputs.
    func forEachPanel(
        of inputs: [Int], _ heads: ScoreHeads, _ world: Communicator, _ body: (_ range: Range<Int>, _ panel: Panel) throws -> Void
    ) throws {
        let size = Panel.limit
        let ranges = stride(from: 0, to: inputs.count, by: size).map { $0..<min($0 + size, inputs.count) }
        if owners.isWhole {
            for range in ranges { try body(range, Panel(rows, inputs[range].map { owners.placeOfInput[$0] }, heads)) }
        } else {
            try PanelExchange(world, self).forEachPanel(of: ranges.map { Array(inputs[$0]) }, heads) { try body(ranges[$0], $1) }
        }
    }

    /// The same with all of them on every rank.
    ///
    /// Collective unless they are already.
    func gathered(_ world: Communicator) throws -> SpreadEmbeddings {
        guard !owners.isWhole else { return self }
        let all = Embeddings(
            dense: try rows.dense.map { try world.allGatherRows($0, owners.lists.map(\.count)) },
            late: try rows.late.map { try world.allGatherRows($0, owners.lists.map { owners.tokens($0) }) })
        return SpreadEmbeddings(all, owners.whole, rank: world.rank)
    }

    /// Copies of some inputs, numbered anew from 0 in the order given. Each stays where it is.
    func picked(_ inputs: [Int], rank: Int) -> SpreadEmbeddings {
        var lists = [[Int]](repeating: [], count: owners.lists.count)
        for (place, input) in inputs.enumerated() { lists[owners.ownerOfInput[input]].append(place) }
        let picked = EmbeddingOwners(lists: lists, tokenCounts: inputs.map { owners.tokenCounts[$0] })
        let places = picked.inputs(ofRank: rank).map { owners.placeOfInput[inputs[$0]] }
        return SpreadEmbeddings(rows.copied(places), picked, rank: rank)
    }

    /// An even share of what every rank holds, the others' left to them.
    func shared(rank: Int, worldSize: Int) -> SpreadEmbeddings {
        precondition(owners.isWhole, "shared: held by \(owners.lists.count) ranks")
        let lists = (0..<worldSize).map { Array(Shard.range(of: owners.count, rank: $0, worldSize: worldSize)) }
        return SpreadEmbeddings(
            rows.copied(lists[rank].map { owners.placeOfInput[$0] }), EmbeddingOwners(lists: lists, tokenCounts: owners.tokenCounts),
            rank: rank)
    }
}

extension EmbeddingRows {
    /// Copies of the inputs at some places.
    fileprivate func copied(_ places: [Int]) -> Embeddings {
        Embeddings(
            dense: dense.map { $0.rows(places.map { $0..<$0 + 1 }) }, late: late.map { $0.rows(places.map { tokens[$0] }) })
    }
}

extension Communicator {
    /// The rows of all ranks, one rank's after the other's.
    ///
    /// Collective.
    /// - Parameter counts: rows of each rank
    fileprivate func allGatherRows(_ own: Tensor, _ counts: [Int]) throws -> Tensor {
        let all = Tensor(counts.reduce(0, +), own.columns)
        try all.withMutableFloats { try allGather(own.floats, counts: counts.map { $0 * own.columns }, into: &$0) }
        return all
    }
}
