// How good a ranking is: pure functions of a query's ranked list and its judged documents, as trec_eval defines them.

import Data
import Foundation

extension RetrievalMetric {
    /// The metric of one query's ranking. 0 when no document is relevant.
    ///
    /// - Parameter ranking: at least `cutoff` entries, fewer only when the corpus has fewer
    package func value(of ranking: RankedList, _ judgements: Judgements) -> Double {
        value(ofGains: ranking.entries.prefix(cutoff).map { judgements.gain(of: $0.document) }, judgements)
    }

    /// The mean of every metric over the queries. It does not depend on their order, to the last bit.
    ///
    /// - Parameters:
    ///   - rankings: [queries], at least one
    ///   - judgements: [queries], in the same order
    package static func means(of rankings: [RankedList], _ judgements: [Judgements]) -> [RetrievalMetric: Double] {
        precondition(rankings.count == judgements.count && !rankings.isEmpty, "means: \(rankings.count) of \(judgements.count) queries")
        let gains = zip(rankings, judgements).map { ranking, judgements in
            ranking.entries.prefix(depth).map { judgements.gain(of: $0.document) }
        }
        return Dictionary(
            uniqueKeysWithValues: all.map { metric in
                let values = zip(gains, judgements).map { metric.value(ofGains: $0, $1) }
                return (metric, values.sorted().reduce(0, +) / Double(values.count))
            })
    }

    /// - Parameter gains: of the ranking's documents, the best first
    private func value(ofGains gains: [Int], _ judgements: Judgements) -> Double {
        guard judgements.relevant > 0 else { return 0 }
        let top = gains.prefix(cutoff)
        switch measure {
        // How much of what an ideal ranking collects this one collects. The gain is the grade itself, as in trec_eval (others use
        // 2^grade − 1). Source: Järvelin & Kekäläinen 2002, doi:10.1145/582415.582418.
        case .ndcg: return discountedCumulativeGain(top) / discountedCumulativeGain(judgements.ideal.prefix(cutoff))
        case .map:
            var (found, sum) = (0, 0.0)
            for (index, gain) in top.enumerated() where gain > 0 {
                found += 1
                sum += Double(found) / Double(index + 1)
            }
            return sum / Double(judgements.relevant)
        case .recall: return Double(top.count { $0 > 0 }) / Double(judgements.relevant)
        case .precision: return Double(top.count { $0 > 0 }) / Double(cutoff)
        case .mrr: return top.firstIndex { $0 > 0 }.map { 1 / Double($0 + 1) } ?? 0
        }
    }
}

/// The sum of gains, each divided by log2 of its place plus 1, places counted from 1.
private func discountedCumulativeGain(_ gains: ArraySlice<Int>) -> Double {
    gains.enumerated().reduce(0.0) { $0 + Double($1.element) / log2(Double($1.offset + 2)) }
}
