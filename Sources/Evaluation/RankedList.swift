// A query's best documents, chosen from a row of scores. Stands between the evaluator, which makes the scores, and the
// metrics and run files, which read lists. Documents are named by their place in the corpus; of equal scores the earlier one
// ranks first, which is the one with the higher id: see `BeirDataset.documents`.

/// The documents of a corpus that score highest for one query, best first.
package struct RankedList: Equatable, Sendable {
    /// A document and its score.
    package struct Entry: Equatable, Sendable {
        /// Index of the document in the corpus.
        package let document: Int
        /// Score with the query; more is better.
        package let score: Float

        /// Creates an entry.
        package init(document: Int, score: Float) {
            self.document = document
            self.score = score
        }
    }

    /// The best documents, best first.
    package let entries: [Entry]

    /// Creates a list from entries in their order.
    package init(_ entries: [Entry]) {
        self.entries = entries
    }

    /// The `k` best of this list and of others with other documents; equal scores in corpus order.
    package func merged(with others: some Sequence<Entry>, k: Int) -> RankedList {
        var best = entries + others
        best.keepBest(k)
        return RankedList(best)
    }
}

/// The `k` best documents of a row of scores, best first; equal scores in corpus order. Fewer when the corpus is smaller.
///
/// - Parameters:
///   - scores: [documents], in corpus order. NaN ranks below everything, so that the order stays total
///   - excluded: a document that must not appear: the query's own, or nil
///
/// One pass over the scores: of 100,000 random ones about k·ln(100,000/k) are ever kept.
package func topK(scores: Span<Float>, k: Int, excluding excluded: Int? = nil) -> RankedList {
    precondition(k > 0, "topK: k is \(k)")
    // At most 2k are held; when full, the best k stay and the last of them is the score to beat. A later document with just
    // that score would lose to it, so it is not kept.
    var best: [RankedList.Entry] = []
    best.reserveCapacity(2 * k)
    var scoreToBeat: Float?
    for document in scores.indices where document != excluded {
        let score = scores[document].isNaN ? -Float.infinity : scores[document]
        if let scoreToBeat, score <= scoreToBeat { continue }
        best.append(RankedList.Entry(document: document, score: score))
        if best.count == 2 * k {
            best.keepBest(k)
            scoreToBeat = best[k - 1].score
        }
    }
    best.keepBest(k)
    return RankedList(best)
}

extension [RankedList.Entry] {
    fileprivate mutating func keepBest(_ k: Int) {
        sort { $0.score != $1.score ? $0.score > $1.score : $0.document < $1.document }
        if count > k { removeLast(count - k) }
    }
}
