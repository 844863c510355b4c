// What a run will take of memory, from shapes alone: printed before a run, and the ground on which activations are kept or not.

import Model
import Tensor

/// Bytes of a run at its largest step.
package struct MemoryEstimate: Sendable {
    /// What a rank holds for itself, in the order of the table.
    package struct Rank: Sendable {
        /// Adapters of all tasks, and the trained one as the engine reads it.
        package var adapters: Int
        /// Moments, integer sums and gradient of the trained task.
        package var optimizer: Int
        /// Embeddings of the whole global batch, and of the rank's own texts with their gradients.
        package var embeddings: Int
        package var activations: Int
        /// Program, libraries, tokenizer, rotary table.
        package var program: Int

        package var total: Int { adapters + optimizer + embeddings + activations + program }
        /// All but the activations.
        package var fixed: Int { total - activations }
    }

    /// The backbone's matrices that training reads, mapped from their files or converted: one copy a host.
    package var weights: Int
    package var rank: Rank
    package var ranksOnHost: Int
    /// How the largest step keeps its activations.
    package var choice: ActivationPolicy.Choice
    /// Tokens of the rank with most of them, in the largest step.
    package var tokens: Int

    package var host: Int { weights + ranksOnHost * rank.total }
}

extension MemoryEstimate {
    /// Bytes of the program before the model is read: code, the libraries' own memory, the runtime.
    private static let programBytes = 64 << 20

    /// Of what a rank holds beside activations, for a run with `inputs` texts in a step, `own` of them this rank's.
    static func fixed(
        _ config: ModelConfig, _ layout: AdapterLayout, _ engine: MatrixEngine, tasks: Int, trainedTasks: Int, inputs: Int, own: Int,
        maximumTokens: Int
    ) -> Rank {
        let rotary = maximumTokens * config.text.headDimension * 4
        let trained = layout.decoderCount
        return Rank(
            adapters: tasks * layout.count * 4 + layout.count * engine.element.byteWidth,
            optimizer: trainedTasks * trained * 8 + layout.count * 8 + trained * 4,
            embeddings: (inputs + 2 * own) * config.text.hiddenSize * 4, activations: 0, program: programBytes + rotary)
    }
}
