// The embeddings of a step as the loss reads them: those of this rank's inputs at hand, those of any other in panels, column
// block by column block. Either all were gathered beforehand, or each panel comes from its owners when its turn is: the same
// numbers in the same order.

import Comm
import Model
import Tensor

/// All embeddings of a global batch.
struct EmbeddingPool {
    /// Inputs that this rank embeds, in its order.
    let own: [Int]
    let ownRows: EmbeddingRows
    let heads: ScoreHeads
    private let source: Source

    private enum Source {
        /// Rows of all inputs, and the row of each input.
        case gathered(EmbeddingRows, rows: [Int])
        case streamed(PanelExchange)
    }

    /// Place of each own input in `ownRows`.
    let ownPlaces: [Int: Int]

    /// Collective when gathered.
    ///
    /// - Parameters:
    ///   - embeddings: of the rank's own inputs, in the order of `plan.inputs(ofRank:)`
    ///   - streams: whether other ranks' embeddings are fetched panel by panel instead of all at once
    init(_ embeddings: Embeddings, _ plan: StepPlan, _ heads: ScoreHeads, _ world: Communicator, streams: Bool) throws {
        let owners = PlannedOwners(plan, worldSize: world.worldSize)
        let own = EmbeddingRows(embeddings, owners, owners.inputs[world.rank])
        if world.worldSize > 1 && streams {
            self.init(own, owners, heads, rank: world.rank, .streamed(PanelExchange(world, owners, own, rank: world.rank)))
        } else {
            let all = world.worldSize == 1 ? own : try owners.gather(own, world)
            self.init(own, owners, heads, rank: world.rank, .gathered(all, rows: owners.rowOfInput))
        }
    }

    /// The pool of a rank that has the embeddings of all ranks, one rank's after the other's.
    init(_ all: Embeddings, own: Embeddings, _ plan: StepPlan, _ heads: ScoreHeads, rank: Int, worldSize: Int) {
        let owners = PlannedOwners(plan, worldSize: worldSize)
        self.init(
            EmbeddingRows(own, owners, owners.inputs[rank]), owners, heads, rank: rank,
            .gathered(EmbeddingRows(all, owners, Array(owners.inputs.joined())), rows: owners.rowOfInput))
    }

    private init(_ ownRows: EmbeddingRows, _ owners: PlannedOwners, _ heads: ScoreHeads, rank: Int, _ source: Source) {
        own = owners.inputs[rank]
        ownPlaces = owners.places(rank: rank)
        self.ownRows = ownRows
        self.heads = heads
        self.source = source
    }

    /// The panels of `inputs` in blocks, in order.
    ///
    /// Collective when streamed: every rank asks for the same inputs.
    func forEachPanel(of inputs: [Int], _ body: (_ range: Range<Int>, _ panel: Panel) throws -> Void) throws {
        let ranges = stride(from: 0, to: inputs.count, by: Self.panelRows).map { $0..<min($0 + Self.panelRows, inputs.count) }
        switch source {
        case .gathered(let rows, let rowOfInput):
            for range in ranges { try body(range, Panel(rows, inputs[range].map { rowOfInput[$0] }, heads)) }
        case .streamed(let exchange):
            try exchange.forEachPanel(of: ranges.map { Array(inputs[$0]) }, heads) { try body(ranges[$0], $1) }
        }
    }

    /// Own inputs as a panel.
    ///
    /// - Parameter inputs: of `own`
    func ownPanel(_ inputs: ArraySlice<Int>) -> Panel { Panel(ownRows, inputs.map { ownPlaces[$0]! }, heads) }

    /// Zeros for the gradient of own inputs.
    func zeroGradient() -> Embeddings {
        Embeddings(
            dense: ownRows.dense.map { .zeros($0.rows, $0.columns) }, late: ownRows.late.map { .zeros($0.rows, $0.columns) })
    }

    /// Inputs of a panel.
    static let panelRows = 256
}

/// Where the ranks' embeddings lie when they are put one rank's after the other's.
struct PlannedOwners {
    /// Inputs of each rank in its order.
    let inputs: [[Int]]
    /// Row of each input in the whole.
    let rowOfInput: [Int]
    let ownerOfInput: [Int]
    /// Tokens of each input.
    private let tokenCounts: [Int]

    init(_ plan: StepPlan, worldSize: Int) {
        inputs = (0..<worldSize).map { plan.inputs(ofRank: $0) }
        tokenCounts = plan.inputs.map(\.tokens)
        var rows = [Int](repeating: 0, count: plan.inputs.count)
        for (row, input) in inputs.joined().enumerated() { rows[input] = row }
        rowOfInput = rows
        ownerOfInput = plan.ownerOfInput
    }

    /// Place of each of a rank's inputs among them.
    func places(rank: Int) -> [Int: Int] { Dictionary(uniqueKeysWithValues: inputs[rank].enumerated().map { ($1, $0) }) }

    func tokens(_ input: Int) -> Int { tokenCounts[input] }

    /// Rows of the tokens of some inputs, one input after the other.
    func tokenRanges(_ inputs: some Sequence<Int>) -> [Range<Int>] {
        var start = 0
        return inputs.map { input in
            defer { start += tokenCounts[input] }
            return start..<start + tokenCounts[input]
        }
    }

    /// Collective.
    func gather(_ own: EmbeddingRows, _ world: Communicator) throws -> EmbeddingRows {
        let rows = inputs.map(\.count)
        let tokenRows = inputs.map { $0.reduce(0) { $0 + tokenCounts[$1] } }
        let all = Embeddings(
            dense: try own.dense.map { try world.allGatherRows($0, rows) },
            late: try own.late.map { try world.allGatherRows($0, tokenRows) })
        return EmbeddingRows(all, self, Array(inputs.joined()))
    }
}

extension EmbeddingRows {
    /// - Parameter inputs: whose embeddings they are, in their order
    fileprivate init(_ embeddings: Embeddings, _ owners: PlannedOwners, _ inputs: [Int]) {
        self.init(
            dense: embeddings.dense, late: embeddings.late, tokens: embeddings.late == nil ? [] : owners.tokenRanges(inputs))
    }
}

extension Communicator {
    /// The rows of all ranks, one rank's after the other's.
    ///
    /// Collective.
    /// - Parameter counts: rows of each rank
    fileprivate func allGatherRows(_ own: Tensor, _ counts: [Int]) throws -> Tensor {
        let all = Tensor(counts.reduce(0, +), own.columns)
        try withExtendedLifetime(own) {
            try allGather(
                UnsafeBufferPointer(start: own.floats, count: own.count), counts: counts.map { $0 * own.columns },
                into: UnsafeMutableBufferPointer(start: all.floats, count: all.count))
        }
        return all
    }
}
