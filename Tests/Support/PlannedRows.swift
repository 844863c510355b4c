// Rows as the plan sees them, written down in short, and plans made from them.

@testable import Data

/// Rows whose texts are single words: equal words are equal texts.
///
///     var rows = PlannedRows()
///     rows.add("q1", "p1", ["n1"])
///     let plan = rows.plan()
package struct PlannedRows: Sendable {
    package private(set) var rows: [RowSummary] = []
    /// Tokens of a text.
    package var length: @Sendable (String) -> Int = { _ in 10 }

    /// No rows yet.
    package init() {}

    package mutating func add(
        _ anchor: String, _ positive: String, _ negatives: [String] = [], score: Float? = nil, teacher: [Float] = [], file: Int = 0,
        task: Int = 0
    ) {
        func summary(_ text: String) -> InputSummary {
            InputSummary(content: ContentHash(of: Array(text.utf8)), tokens: Int32(length(text)))
        }
        rows.append(
            RowSummary(
                file: file, row: rows.count, task: task, anchor: summary(anchor), positive: summary(positive),
                negatives: negatives.map(summary), negativePlaces: Array(negatives.indices), score: score,
                teacherScores: teacher))
    }

    package mutating func add(_ anchor: InputSummary, _ positive: InputSummary) {
        rows.append(
            RowSummary(
                file: 0, row: rows.count, task: 0, anchor: anchor, positive: positive, negatives: [], negativePlaces: []))
    }

    /// A plan of all rows, or of `batch`.
    package func plan(
        batch: [Int]? = nil, prompts: PromptNumbers = .differing, masksDuplicates: Bool = true, negatives: PoolLimit? = nil,
        earlier: [CandidateContent] = [], chunkTokens: Int = 128, worldSize: Int = 1,
        cost: InputCost = InputCost(perToken: 1, perTokenSquared: 0)
    ) -> StepPlan {
        let batch = batch ?? Array(rows.indices)
        return StepPlan(
            batch.map { rows[$0] }, batch: batch, prompts: prompts, masksDuplicates: masksDuplicates, negatives: negatives,
            earlier: earlier, chunkTokens: chunkTokens, worldSize: worldSize, cost: cost)
    }
}

extension PromptNumbers {
    /// Query and passage, as in retrieval.
    package static let differing = PromptNumbers(anchor: { _, _ in 0 }, candidate: { _, _ in 1 })
    /// One prompt on both sides, as in text matching.
    package static let alike = PromptNumbers(anchor: { _, _ in 0 }, candidate: { _, _ in 0 })
}
