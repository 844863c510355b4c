// Rankings in the form that trec_eval and its kin read, for whoever wants other measures or significance tests:
// one line per entry, `query-id Q0 document-id place score tag`.
//
// Those tools sort by score once more, each with a rule of its own for equal scores. So no two scores of a query are written alike:
// in float32, which trec_eval computes in, a tied score is the next number below. Every tool then has the order of the lines.

import Data
import Files

/// Writes the rankings of one dataset.
package struct RunFile {
    private let dataset: BeirDataset

    /// Checks that the ids of a dataset fit the format. To be made before the work of embedding starts.
    ///
    /// - Throws: `UserError` `.content` when an id has white space, which ends a field in this format
    package init(for dataset: BeirDataset) throws(UserError) {
        let ids = dataset.queries.lazy.map(\.id) + dataset.documents.lazy.map(\.id)
        if let id = ids.first(where: { $0.unicodeScalars.contains(where: \.isBlank) }) {
            throw UserError(
                .content, dataset.name, "the id \"\(id)\" has white space, which a run file cannot hold; evaluate without --save-run")
        }
        self.dataset = dataset
    }

    /// Writes the ranking of every query, in the place of an older file.
    /// - Parameters:
    ///   - rankings: [queries], in the dataset's order
    ///   - tag: names the system, without white space
    /// - Throws: `UserError` `.output`; an older file is then untouched
    package func write(_ rankings: [RankedList], tag: String, to path: String) throws(UserError) {
        precondition(rankings.count == dataset.queries.count, "RunFile: \(rankings.count) rankings of \(dataset.queries.count) queries")
        var text = ""
        for (query, ranking) in zip(dataset.queries, rankings) {
            for (index, (entry, score)) in zip(ranking.entries, Self.falling(ranking.entries.map(\.score))).enumerated() {
                text += "\(query.id) Q0 \(dataset.documents[entry.document].id) \(index + 1) \(score) \(tag)\n"
            }
        }
        try AtomicWrite.write(Array(text.utf8), to: path)
    }

    /// The scores, each of them below the one before: its own where it is, else the next number of float32.
    ///
    /// - Parameter scores: in falling order, equal ones among them
    package static func falling(_ scores: [Float]) -> [Float] {
        // What is not finite ranks last, and room is left below it.
        var last = Float.infinity
        return scores.map { score in
            last = min(score.isFinite ? score : -1e30, last.nextDown)
            return last
        }
    }
}
