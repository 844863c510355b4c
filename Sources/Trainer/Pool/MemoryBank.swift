// The memory bank of a task: the candidates of its last steps, with the vectors that they had then. Rows of later steps see them
// as further negatives; they are constants, into which no gradient flows (Wang et al. 2020, arXiv:1912.06798).

import Comm
import Data
import Model

/// Candidates of one task.
///
///     let plan = StepPlan(rows, ..., earlier: bank.contents)
///     let pool = try EmbeddingPool(own, plan, ..., earlier: bank.embeddings)
///     bank.remember(plan, pool, limit: 8)
package struct MemoryBank: Sendable {
    /// What one step leaves.
    struct Step: Sendable {
        /// In the order of the step's columns: positives, then hard negatives.
        let contents: [CandidateContent]
        /// Of each of them.
        let embeddings: SpreadEmbeddings
    }

    /// Oldest first.
    var steps: [Step] = []

    /// What the plan of a step needs, column by column.
    var contents: [CandidateContent] { steps.flatMap(\.contents) }
    /// What its pool needs.
    var embeddings: [SpreadEmbeddings] { steps.map(\.embeddings) }

    /// Adds a step's candidates and forgets the oldest step's when there are more than `limit` steps.
    mutating func remember(_ plan: StepPlan, _ pool: EmbeddingPool, limit: Int) {
        guard limit > 0 else { return }
        steps.removeFirst(max(0, steps.count + 1 - limit))
        steps.append(Step(contents: plan.contents, embeddings: pool.copies(of: plan.candidates)))
    }

    /// Makes every rank hold all vectors.
    ///
    /// Collective.
    mutating func gather(_ world: Communicator) throws {
        for index in steps.indices { steps[index] = try steps[index].gathered(world) }
    }

    /// The same with all vectors on rank 0; the other ranks hold what they did.
    ///
    /// Collective. They hold one step's more while it is gathered.
    func collected(_ world: Communicator) throws -> MemoryBank {
        MemoryBank(
            steps: try steps.map { step in
                let whole = try step.gathered(world)
                return world.rank == 0 ? whole : step
            })
    }
}

extension MemoryBank.Step {
    /// With all vectors, in the order of the columns, whoever held them.
    fileprivate func gathered(_ world: Communicator) throws -> Self {
        guard !embeddings.owners.isWhole else { return self }
        let all = try embeddings.gathered(world)
        return Self(contents: contents, embeddings: all.picked(Array(contents.indices), rank: world.rank))
    }
}

// MARK: - As bytes

extension MemoryBank.Step {
    /// The hash of each candidate.                                 [candidates × 16]
    var contentBytes: [UInt8] { contents.flatMap(\.content.bytes) }

    /// The hash of each row's anchor.                              [rows × 16]
    var anchorBytes: [UInt8] { contents.compactMap(\.anchor).flatMap(\.bytes) }

    /// A step whose vectors lie on every rank.
    ///
    /// - Parameters:
    ///   - contentBytes, anchorBytes: as above; the first candidates are the rows' positives
    ///   - tokens: of each candidate
    init(contentBytes: [UInt8], anchorBytes: [UInt8], tokens: [Int], _ embeddings: Embeddings) {
        let anchors = ContentHash.all(in: anchorBytes)
        contents = ContentHash.all(in: contentBytes).enumerated().map { column, content in
            CandidateContent(content: content, anchor: column < anchors.count ? anchors[column] : nil)
        }
        let owners = EmbeddingOwners(lists: [Array(contents.indices)], tokenCounts: tokens)
        self.embeddings = SpreadEmbeddings(embeddings, owners, rank: 0)
    }
}
