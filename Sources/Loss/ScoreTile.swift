// Scores of a few own inputs against a panel, by every head, and the way back to the embeddings. An element's bits do not
// depend on its tile, nor on which side it was asked from (see BlockProduct), so any rank computes the same score.

import Tensor

/// Which side of the scores the rows of a tile are; its columns are the other.
enum ScoreSide { case anchors, candidates }

/// A panel made ready to be scored against.
struct ScorePanel {
    let panel: Panel
    let heads: ScoreHeads
    /// What the rows are; the panel is the other side.
    let side: ScoreSide
    /// [padded dimension, columns padded to whole vectors, and one more to be read over]
    fileprivate let transposed: Tensor?
    /// The panel's, when it holds candidates.
    fileprivate let documents: DocumentTokens?

    fileprivate var rowsAre: MaxSimRows { side == .anchors ? .queries : .documents }

    init(_ panel: Panel, _ heads: ScoreHeads, rows side: ScoreSide) {
        self.panel = panel
        self.heads = heads
        self.side = side
        transposed = panel.dense?.transposed(paddedTo: BlockProduct.padded(panel.count) + 16)
        documents = side == .anchors ? panel.late.map { DocumentTokens($0, panel.tokens) } : nil
    }
}

/// The scores of a block of rows with the inputs of a panel. Made and used within one task.
struct ScoreTile {
    /// Floats between two lines.
    static let stride = Panel.limit

    /// Places of the rows among the uses they are part of, and of the columns in their list.
    let rows: Range<Int>
    let columns: Range<Int>
    let block: Panel
    let target: ScorePanel
    private let heads: ScoreHeads
    /// Scores, then their gradients, each [heads, rows, 256]; then one plane of work.
    private let planes: ScorePlanes
    /// Best document token of each query token.                    [query tokens, documents]
    private let best: [Int32]

    /// - Parameter findsBest: whether the gradient of late scores will be asked for
    init(rows: Range<Int>, columns: Range<Int>, _ block: Panel, _ target: ScorePanel, findsBest: Bool) {
        self.rows = rows
        self.columns = columns
        self.block = block
        self.target = target
        heads = target.heads
        planes = ScorePlanes(2 * heads.count + 1, rows: rows.count, stride: Self.stride)
        best = Self.scoreLate(block, target, planes, findsBest: findsBest)
        scoreDense()
    }

    /// Scores of a row, by its place within the block, as long as the tile is held.    [columns]
    func scores(_ head: Int, _ row: Int) -> UnsafeMutablePointer<Float> { planes.line(head, row) }

    /// Gradients of a row's scores, to be filled, as long as the tile is held.         [columns]
    func gradient(_ head: Int, _ row: Int) -> UnsafeMutablePointer<Float> { planes.line(heads.count + head, row) }

    private var work: Int { 2 * heads.count }

    // MARK: - Scores

    /// The dot product of whole vectors grows prefix by prefix; each prefix's product is divided by both lengths.
    private func scoreDense() {
        guard let dense = block.dense, let transposed = target.transposed, let others = target.panel.dense else { return }
        var start = 0
        for (head, width) in heads.widths.enumerated() {
            let (ofRows, ofColumns) = (block.inverseLengths[head], target.panel.inverseLengths[head])
            planes.multiply(dense, transposed, start..<width, columns: columns.count, into: work, accumulate: start > 0)
            start = width
            planes.scaleProducts(work, into: head, ofRows: ofRows, ofColumns: ofColumns)
            if heads.distance == .euclidean {
                planes.measureDistances(head, dense, others, width: width, ofRows: ofRows, ofColumns: ofColumns)
            }
        }
    }

    private static func scoreLate(_ block: Panel, _ target: ScorePanel, _ planes: ScorePlanes, findsBest: Bool) -> [Int32] {
        guard let head = target.heads.late else { return [] }
        let (queries, documents) = target.side == .anchors ? (block, target.panel) : (target.panel, block)
        let tokens = target.documents ?? DocumentTokens(documents.late!, documents.tokens)
        return planes.scoreLate(into: head, rowsAre: target.rowsAre, queries.late!, queries.tokens, tokens, findsBest: findsBest)
    }

    // MARK: - Gradients

    /// Adds what the gradients of the scores mean for the embeddings of the rows.
    func addGradient(to uses: UseGradient) {
        addDense(to: uses)
        addLate(to: uses)
    }

    /// With â = a/‖a‖ of each prefix, d a = Σ_c g (ĉ - â (â·ĉ)) / ‖a‖: the first part is a product whose coefficients, between
    /// two widths, add up over all wider heads; of the second only Σ_c g (â·ĉ) is kept until the end.
    private func addDense(to uses: UseGradient) {
        guard let dense = target.panel.dense, !heads.widths.isEmpty else { return }
        planes.clear(work, columns: Self.stride)
        for head in heads.widths.indices.reversed() {
            let along = planes.addCosineGradients(
                head, heads.count + head, to: work, ofRows: block.inverseLengths[head], ofColumns: target.panel.inverseLengths[head],
                isDistance: heads.distance == .euclidean)
            for (row, value) in along.enumerated() { uses.addAlong(value, head, use: rows.lowerBound + row) }
            let start = head == 0 ? 0 : heads.widths[head - 1]
            planes.addProduct(
                of: work, depth: columns.count, dense, columns: start..<heads.widths[head], to: uses.dense!, from: rows.lowerBound)
        }
    }

    /// Each query token moves towards its best document token, and that one towards it.
    private func addLate(to uses: UseGradient) {
        guard let head = heads.late, let other = target.panel.late else { return }
        planes.addLateGradient(
            heads.count + head, rowsAre: target.rowsAre, block.tokens, target.panel.tokens, best: best, other, to: uses.late!,
            uses.tokens[rows])
    }
}
