// What a loss asks of the world around it: embeddings of all inputs, block by block, and the numbers that other ranks have made
// of theirs. The loss itself knows neither ranks nor messages.

import Model
import Tensor

/// The embeddings of a global batch as a loss reads them: those of this rank's inputs at hand, those of any other in panels.
package protocol EmbeddingSource: Sendable {
    /// How the embeddings are compared.
    var heads: ScoreHeads { get }
    /// Embeddings of this rank's inputs.
    var ownRows: EmbeddingRows { get }
    /// Index of each own input in `ownRows`.
    var ownPlaces: [Int: Int] { get }

    /// Calls `body` with the panels of `inputs` in blocks, in order.
    ///
    /// Collective when the embeddings are fetched: every rank asks for the same inputs.
    func forEachPanel(of inputs: [Int], _ body: (_ range: Range<Int>, _ panel: Panel) throws -> Void) throws

    /// Calls `body` with the panels of earlier candidates, counted from 0 over all earlier steps.
    ///
    /// Collective when the embeddings are fetched.
    func forEachEarlierPanel(_ body: (_ range: Range<Int>, _ panel: Panel) throws -> Void) throws
}

extension EmbeddingSource {
    /// Own inputs as a panel.
    func ownPanel(_ inputs: ArraySlice<Int>) -> Panel { Panel(ownRows, inputs.map { ownPlaces[$0]! }, heads) }

    /// Zeros for the gradient of own inputs.
    func zeroGradient() -> Embeddings {
        Embeddings(
            dense: ownRows.dense.map { .zeros($0.rows, $0.columns) }, late: ownRows.late.map { .zeros($0.rows, $0.columns) })
    }
}

/// Ranks that tell one another what they have found of their own rows and columns.
package protocol LineExchange: Sendable {
    /// Number of this rank.
    var rank: Int { get }
    /// Number of ranks.
    var worldSize: Int { get }

    /// What each rank knows of its own lines, in the order of all lines.
    ///
    /// Collective.
    /// - Parameters:
    ///   - own: the same count of numbers for each own line
    ///   - lists: the lines of each rank
    func gatherLines(_ own: [Double], _ lists: [[Int]]) throws -> [ArraySlice<Double>]
}
