// The loss by its formula, in Double and without tiles: for verification, where the value's last digits count, not its speed.

import Foundation
import Tensor

extension InfoNCE {
    /// The mean loss of all rows from the gathered embeddings.
    func valueInDouble(_ plan: StepPlan, _ pool: EmbeddingPool) -> Double {
        let losses = plan.anchors.indices.map { row -> Double in
            let anchor = pool.embedding(plan.anchors[row])
            let logits = plan.candidates.map { candidate -> Double in
                let other = pool.embedding(candidate)
                return (0..<pool.dimension).reduce(0.0) { $0 + Double(anchor[$1]) * Double(other[$1]) } / temperature
            }
            let masked = Set(plan.masked[row])
            let seen = logits.indices.filter { !masked.contains($0) }.map { logits[$0] }
            let maximum = seen.max()!
            return maximum - logits[row] + log(seen.reduce(0.0) { $0 + exp($1 - maximum) })
        }
        return losses.reduce(0, +) / Double(losses.count)
    }
}
