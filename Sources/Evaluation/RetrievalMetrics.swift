// How good a ranking is: pure functions of a query's ranked list and its judged documents. The raw values are the keys of
// the configuration's `metric_for_best_model`, of metrics.jsonl and of result files.

import Foundation

/// A measure of one query's ranking, between 0 and 1; a dataset's figure is the mean over its queries.
package enum RetrievalMetric: String, CaseIterable, Sendable {
    case ndcgAt10 = "ndcg@10"
    case recallAt1 = "recall@1"
    case recallAt5 = "recall@5"
    case recallAt10 = "recall@10"
    case mrrAt10 = "mrr@10"

    /// Length of the longest ranking that any metric looks at.
    package static let depth = 10

    /// The metric of one query's ranking.
    ///
    /// - Parameters:
    ///   - ranking: at least `depth` entries, fewer only when the corpus has fewer
    ///   - grades: document → grade; a document without an entry, or with a grade of 0 or less, is not relevant
    package func value(of ranking: RankedList, grades: [Int: Int]) -> Double {
        switch self {
        case .ndcgAt10: ranking.ndcg(grades: grades, at: 10)
        case .recallAt1: ranking.recall(grades: grades, at: 1)
        case .recallAt5: ranking.recall(grades: grades, at: 5)
        case .recallAt10: ranking.recall(grades: grades, at: 10)
        case .mrrAt10: ranking.reciprocalRank(grades: grades, at: 10)
        }
    }

    /// The mean of every metric over the queries, summed in their order.
    ///
    /// - Parameters:
    ///   - rankings: [queries], at least one
    ///   - grades: [queries], in the same order
    package static func means(of rankings: [RankedList], grades: [[Int: Int]]) -> [RetrievalMetric: Double] {
        precondition(rankings.count == grades.count && !rankings.isEmpty, "means: \(rankings.count) rankings, \(grades.count) queries")
        return Dictionary(
            uniqueKeysWithValues: allCases.map { metric in
                let sum = zip(rankings, grades).reduce(0.0) { $0 + metric.value(of: $1.0, grades: $1.1) }
                return (metric, sum / Double(rankings.count))
            })
    }
}

extension RankedList {
    /// Normalised discounted cumulative gain: how much of what an ideal ranking collects in `k` places this one collects.
    ///
    ///     DCG = Σ gain(p) / log2(p + 1)   over places p = 1...k;   nDCG = DCG / DCG of the grades in falling order
    ///
    /// The gain is the grade itself, as in trec_eval (others use 2^grade − 1). 0 when no document is relevant.
    /// Source: Järvelin & Kekäläinen 2002, doi:10.1145/582415.582418.
    package func ndcg(grades: [Int: Int], at k: Int) -> Double {
        let ideal = discountedCumulativeGain(grades.values.sorted(by: >).prefix(k))
        guard ideal > 0 else { return 0 }
        return discountedCumulativeGain(entries.prefix(k).map { grades[$0.document, default: 0] }) / ideal
    }

    /// The share of the relevant documents that stand in the first `k` places. 0 when no document is relevant.
    package func recall(grades: [Int: Int], at k: Int) -> Double {
        let relevant = grades.values.count { $0 > 0 }
        guard relevant > 0 else { return 0 }
        return Double(entries.prefix(k).count { grades[$0.document, default: 0] > 0 }) / Double(relevant)
    }

    /// 1 / place of the first relevant document among the first `k`, else 0.
    package func reciprocalRank(grades: [Int: Int], at k: Int) -> Double {
        guard let first = entries.prefix(k).firstIndex(where: { grades[$0.document, default: 0] > 0 }) else { return 0 }
        return 1 / Double(first + 1)
    }
}

/// The sum of gains, each divided by log2 of its place plus 1.
/// - Parameter gains: in the order of their places; below 0 counts as 0
private func discountedCumulativeGain(_ gains: some Collection<Int>) -> Double {
    gains.enumerated().reduce(0.0) { $0 + Double(max($1.element, 0)) / log2(Double($1.offset + 2)) }
}
