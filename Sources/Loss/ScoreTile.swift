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
    private let planes: Tensor
    /// Best document token of each query token.                    [query tokens, documents]
    private let best: [Int32]

    /// - Parameter findsBest: whether the gradient of late scores will be asked for
    init(rows: Range<Int>, columns: Range<Int>, _ block: Panel, _ target: ScorePanel, findsBest: Bool) {
        self.rows = rows
        self.columns = columns
        self.block = block
        self.target = target
        heads = target.heads
        planes = Tensor((2 * heads.count + 1) * rows.count, Self.stride)
        best = heads.hasLate ? Self.scoreLate(block, target, planes, findsBest: findsBest) : []
        scoreDense()
    }

    /// Scores of a row, by its place within the block.             [columns]
    func scores(_ head: Int, _ row: Int) -> UnsafeMutablePointer<Float> { line(head, row) }

    /// Gradients of a row's scores, to be filled.                  [columns]
    func gradient(_ head: Int, _ row: Int) -> UnsafeMutablePointer<Float> { line(heads.count + head, row) }

    private func line(_ plane: Int, _ row: Int) -> UnsafeMutablePointer<Float> {
        planes.floats + (plane * rows.count + row) * Self.stride
    }

    // MARK: - Scores

    /// The dot product of whole vectors grows prefix by prefix; each prefix's product is divided by both lengths.
    private func scoreDense() {
        guard let dense = block.dense, let transposed = target.transposed else { return }
        let work = line(2 * heads.count, 0)
        var start = 0
        for (head, width) in heads.widths.enumerated() {
            BlockProduct.multiply(
                rows: rows.count, columns: columns.count, depth: width - start,
                Strided(dense.floats + start, rowStride: dense.columns), transposed.floats + start * transposed.columns,
                bStride: transposed.columns, into: work, cStride: Self.stride, accumulate: start > 0)
            start = width
            for row in 0..<rows.count {
                let (from, to) = (work + row * Self.stride, scores(head, row))
                let own = block.inverseLengths[head][row]
                target.panel.inverseLengths[head].withUnsafeBufferPointer { lengths in
                    for column in 0..<columns.count { to[column] = from[column] * (own * lengths[column]) }
                }
                if heads.distance == .euclidean { measureDistances(row, head, to) }
            }
        }
    }

    /// Cosines to distances. Of vectors close to one another 2 - 2·cosine keeps no digit: their differences are squared instead.
    private func measureDistances(_ row: Int, _ head: Int, _ line: UnsafeMutablePointer<Float>) {
        let dense = (block.dense!, target.panel.dense!)
        for column in 0..<columns.count {
            if line[column] < 0.99 {
                line[column] = heads.score(cosine: line[column])
            } else {
                let (x, y) = (dense.0.floats + row * dense.0.columns, dense.1.floats + column * dense.1.columns)
                let lengths = (block.inverseLengths[head][row], target.panel.inverseLengths[head][column])
                var square: Float = 0
                for i in 0..<heads.widths[head] {
                    let difference = x[i] * lengths.0 - y[i] * lengths.1
                    square += difference * difference
                }
                line[column] = -square.squareRoot()
            }
        }
    }

    private static func scoreLate(_ block: Panel, _ target: ScorePanel, _ planes: Tensor, findsBest: Bool) -> [Int32] {
        let panel = target.panel
        let isAnchors = target.side == .anchors
        let (queries, documents) = isAnchors ? (block, panel) : (panel, block)
        let start = planes.floats + target.heads.late! * block.count * stride
        let scores =
            isAnchors
            ? MaxSimScores(start, queryStride: stride, documentStride: 1) : MaxSimScores(start, queryStride: 1, documentStride: stride)
        let tokens = target.documents ?? DocumentTokens(documents.late!, documents.tokens)
        var best = [Int32](repeating: 0, count: findsBest ? (queries.tokens.last?.upperBound ?? 0) * documents.count : 0)
        best.withUnsafeMutableBufferPointer { best in
            MaxSim.score(
                queries.late!, queries.tokens, tokens, into: scores, best: findsBest ? best.baseAddress : nil)
        }
        for (query, range) in queries.tokens.enumerated() {
            let count = Float(range.count)
            for document in 0..<documents.count {
                scores.start[query * scores.queryStride + document * scores.documentStride] /= count
            }
        }
        return best
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
        let work = line(2 * heads.count, 0)
        work.update(repeating: 0, count: rows.count * Self.stride)
        for head in heads.widths.indices.reversed() {
            for row in 0..<rows.count {
                let (score, gradient, to) = (scores(head, row), self.gradient(head, row), work + row * Self.stride)
                let own = block.inverseLengths[head][row]
                var along: Float = 0
                target.panel.inverseLengths[head].withUnsafeBufferPointer { lengths in
                    for column in 0..<columns.count where gradient[column] != 0 {
                        let change = gradient[column] * heads.slope(score: score[column])
                        along += change * heads.cosine(score: score[column])
                        to[column] += change * (own * lengths[column])
                    }
                }
                uses.addAlong(along, head, use: rows.lowerBound + row)
            }
            let start = head == 0 ? 0 : heads.widths[head - 1]
            BlockProduct.multiply(
                rows: rows.count, columns: heads.widths[head] - start, depth: columns.count, Strided(work, rowStride: Self.stride),
                dense.floats + start, bStride: dense.columns, into: uses.dense!.floats + rows.lowerBound * heads.dimension + start,
                cStride: heads.dimension, accumulate: true)
        }
    }

    /// Each query token moves towards its best document token, and that one towards it.
    private func addLate(to uses: UseGradient) {
        guard let head = heads.late, let other = target.panel.late else { return }
        let panelTokens = target.panel.tokens
        let width = other.columns
        let documents = target.side == .anchors ? columns.count : rows.count
        for row in 0..<rows.count {
            let line = gradient(head, row)
            let own = uses.late!.floats + uses.tokens[rows.lowerBound + row].lowerBound * width
            for column in 0..<columns.count where line[column] != 0 {
                let queryTokens = target.side == .anchors ? block.tokens[row] : panelTokens[column]
                let change = line[column] / Float(queryTokens.count)
                let document = target.side == .anchors ? column : row
                for (place, token) in queryTokens.enumerated() {
                    let found = Int(best[token * documents + document])
                    let (to, from) = target.side == .anchors ? (place, panelTokens[column].lowerBound + found) : (found, token)
                    add(change, other.floats + from * width, to: own + to * width, width)
                }
            }
        }
    }

    @inline(__always)
    private func add(_ factor: Float, _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int) {
        for i in 0..<count { target[i].addProduct(factor, source[i]) }
    }
}
