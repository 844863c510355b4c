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
        own = plan.inputs(ofRank: world.rank)
        self.heads = heads
        ownPlaces = Dictionary(uniqueKeysWithValues: own.enumerated().map { ($1, $0) })
        let owners = PlannedOwners(plan, worldSize: world.worldSize)
        ownRows = EmbeddingRows(
            dense: embeddings.dense, late: embeddings.late, tokens: embeddings.late == nil ? [] : owners.tokenRanges(own))
        if world.worldSize == 1 {
            source = .gathered(ownRows, rows: owners.rowOfInput)
        } else if streams {
            source = .streamed(PanelExchange(world, owners, ownRows, ownPlaces))
        } else {
            source = .gathered(try owners.gather(ownRows, world), rows: owners.rowOfInput)
        }
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
        var owners = rows
        for (row, input) in inputs.joined().enumerated() { rows[input] = row }
        for (rank, list) in inputs.enumerated() {
            for input in list { owners[input] = rank }
        }
        rowOfInput = rows
        ownerOfInput = owners
    }

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
        return EmbeddingRows(
            dense: try own.dense.map { try world.allGatherRows($0, rows) },
            late: try own.late.map { try world.allGatherRows($0, tokenRows) },
            tokens: own.late == nil ? [] : tokenRanges(inputs.joined()))
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
