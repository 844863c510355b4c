// What a run will take of memory, from shapes alone: printed before a run, and the ground on which activations are kept or not.

import Embedding
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
        /// Embeddings of the whole global batch where they are gathered, and of the rank's own texts with their gradients.
        package var embeddings: Int
        /// Candidates of earlier steps of all trained tasks, of which streaming leaves a rank its share.
        package var memoryBank = 0
        package var activations: Int
        /// Patches and features of images, and what the vision tower holds while it works.
        package var images = 0
        /// Program, libraries, tokenizer, rotary table.
        package var program: Int

        package var total: Int { adapters + optimizer + embeddings + memoryBank + activations + images + program }
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
    /// What rank 0 adds to its share of the memory bank to write a checkpoint, in the place of activations.
    package var collectedBank = 0

    package var host: Int { weights + ranksOnHost * rank.total + max(0, collectedBank - rank.activations) }
}

extension MemoryEstimate {
    /// Texts and their tokens, of which embeddings are held.
    struct Embedded {
        let inputs: Int
        let tokens: Int

        func bytes(_ config: ModelConfig, _ heads: EmbeddingHeads) -> Int {
            ((heads.hasDense ? inputs * config.text.hiddenSize : 0) + (heads.hasLate ? tokens * config.projectorDimension : 0)) * 4
        }
    }

    /// Of all embeddings of a step: the rank's own, their gradients, and those by use.
    static func embeddings(all: Int, own: Int, isGathered: Bool) -> Int { 3 * own + (isGathered ? all : 0) }

    /// Of images: the features of two steps, patches that wait, and one pass of the tower, which takes about twelve values of its width
    /// for each patch.
    ///
    /// - Parameter tokens: of the images of a step; 0: no run with images
    static func images(_ config: ModelConfig, _ engine: MatrixEngine, tokens: Int) -> Int {
        guard tokens > 0, let tower = config.vision else { return 0 }
        let patches = tokens * tower.spatialMergeSize * tower.spatialMergeSize
        let pixels = 3 * tower.temporalPatchSize * tower.patchSize * tower.patchSize
        return 2 * tokens * config.text.hiddenSize * engine.element.byteWidth + min(patches * pixels * 4, ImageEncoder.bytesAhead)
            + min(patches, ImageEncoder.passPatches) * 12 * tower.hiddenSize * engine.element.byteWidth
    }

    /// Bytes of the program before the model is read: code, the libraries' own memory, the runtime.
    private static let programBytes = 64 << 20

    /// Of what a rank holds beside activations.
    static func fixed(
        _ config: ModelConfig, _ layout: AdapterLayout, _ engine: MatrixEngine, tasks: Int, trainedTasks: Int,
        heads: EmbeddingHeads, embeddings: Int, memoryBank: Int, images: Int, maximumTokens: Int
    ) -> Rank {
        let rotary = maximumTokens * config.text.headDimension * 4
        let trained = layout.count(reachedBy: heads)
        return Rank(
            adapters: tasks * layout.count * 4 + layout.count * engine.element.byteWidth,
            optimizer: trainedTasks * trained * 8 + layout.count * 8 + trained * 4,
            embeddings: embeddings, memoryBank: memoryBank, activations: 0, images: images, program: programBytes + rotary)
    }
}
