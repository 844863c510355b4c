// Rank 0 has read the memory banks, and every rank takes its share of them, step by step: no rank but rank 0 holds more than one
// step's vectors of the others. Where the pool is gathered, the shares are, too, once it is known that they fit.

import Comm
import Data
import Loss
import Model
import Tensor

extension Communicator {
    /// This rank's share of rank 0's bank of one task.
    ///
    /// Collective. What the others pass as the bank is not looked at.
    /// - Parameter steps: of the bank
    func share(_ bank: MemoryBank?, steps: Int, _ setting: ResumeSetting) throws -> MemoryBank {
        MemoryBank(
            steps: try (0..<steps).map { index in
                let step = try broadcast(bank?.steps[index], setting)
                return MemoryBank.Step(
                    contents: step.contents, embeddings: step.embeddings.shared(rank: rank, worldSize: worldSize))
            })
    }

    private func broadcast(_ step: MemoryBank.Step?, _ setting: ResumeSetting) throws -> MemoryBank.Step {
        let contents = try broadcast(step?.contentBytes ?? [])
        let anchors = try broadcast(step?.anchorBytes ?? [])
        let count = contents.count / ContentHash.byteCount
        var tokens = step?.embeddings.owners.tokenCounts ?? [Int](repeating: 0, count: count)
        try broadcast(&tokens)
        let (model, rows) = (setting.model, step?.embeddings.rows)
        let dense = setting.heads.hasDense ? rows?.dense ?? Tensor(count, model.text.hiddenSize) : nil
        let late = setting.heads.hasLate ? rows?.late ?? Tensor(tokens.reduce(0, +), model.projectorDimension) : nil
        for tensor in [dense, late].compactMap(\.self) {
            try tensor.withMutableFloats { try broadcast(&$0) }
        }
        return MemoryBank.Step(
            contentBytes: contents, anchorBytes: anchors, tokens: tokens, Embeddings(dense: dense, late: late))
    }
}
