// The embeddings of a step as the loss reads them: those of this rank's inputs at hand, those of any other in panels, column
// block by column block. Either all were gathered beforehand, or each panel comes from its owners when its turn is.

import Comm
import Data
import Loss
import Model

/// All embeddings of a global batch, and those of earlier candidates that its rows see.
struct EmbeddingPool: EmbeddingSource {
    /// Inputs that this rank embeds, in its order.
    let own: [Int]
    let ownRows: EmbeddingRows
    let heads: ScoreHeads
    /// Place of each own input in `ownRows`.
    let ownPlaces: [Int: Int]
    private let all: SpreadEmbeddings
    /// Candidates of earlier steps, the oldest step first.
    private let earlier: [SpreadEmbeddings]
    private let world: Communicator

    /// Collective when gathered.
    ///
    /// - Parameters:
    ///   - embeddings: of the rank's own inputs, in the order of `plan.inputs(ofRank:)`
    ///   - streams: whether other ranks' embeddings are fetched panel by panel instead of all at once
    ///   - earlier: candidates of earlier steps, the oldest step first
    init(
        _ embeddings: Embeddings, _ plan: StepPlan, _ heads: ScoreHeads, _ world: Communicator, streams: Bool,
        earlier: [SpreadEmbeddings] = []
    ) throws {
        let own = SpreadEmbeddings(embeddings, EmbeddingOwners(plan, worldSize: world.worldSize), rank: world.rank)
        self.init(own, all: streams ? own : try own.gathered(world), heads, world, rank: world.rank, earlier: earlier)
    }

    /// The pool of a rank that has the embeddings of all ranks, one rank's after the other's.
    init(
        _ all: Embeddings, own: Embeddings, _ plan: StepPlan, _ heads: ScoreHeads, rank: Int, worldSize: Int,
        earlier: [SpreadEmbeddings] = []
    ) {
        let owners = EmbeddingOwners(plan, worldSize: worldSize)
        self.init(
            SpreadEmbeddings(own, owners, rank: rank), all: SpreadEmbeddings(all, owners.whole, rank: rank), heads, .alone(), rank: rank,
            earlier: earlier)
    }

    private init(
        _ own: SpreadEmbeddings, all: SpreadEmbeddings, _ heads: ScoreHeads, _ world: Communicator, rank: Int, earlier: [SpreadEmbeddings]
    ) {
        self.own = own.owners.inputs(ofRank: rank)
        ownPlaces = Dictionary(uniqueKeysWithValues: self.own.enumerated().map { ($1, $0) })
        ownRows = own.rows
        (self.all, self.heads, self.world, self.earlier) = (all, heads, world, earlier)
    }

    /// The panels of `inputs` in blocks, in order.
    ///
    /// Collective when streamed: every rank asks for the same inputs.
    func forEachPanel(of inputs: [Int], _ body: (_ range: Range<Int>, _ panel: Panel) throws -> Void) throws {
        try all.forEachPanel(of: inputs, heads, world, body)
    }

    /// The panels of the earlier candidates, counted from 0 over all earlier steps.
    ///
    /// Collective when streamed.
    func forEachEarlierPanel(_ body: (_ range: Range<Int>, _ panel: Panel) throws -> Void) throws {
        for (step, columns) in zip(earlier, earlier.map(\.owners.count).consecutiveRanges) {
            try step.forEachPanel(of: Array(0..<columns.count), heads, world) { range, panel in
                try body(columns.lowerBound + range.lowerBound..<columns.lowerBound + range.upperBound, panel)
            }
        }
    }

    /// Copies of the embeddings of some inputs, held as the pool holds them.
    func copies(of inputs: [Int]) -> SpreadEmbeddings { all.picked(inputs, rank: world.rank) }
}
