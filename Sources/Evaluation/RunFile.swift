// Rankings in the form that trec_eval and its kin read, for whoever wants other measures or significance tests:
// one line per entry, `query-id Q0 document-id place score tag`.
// Those tools order by score and break ties by id, not by corpus order: equal scores can give them slightly other figures.

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
            for (index, entry) in ranking.entries.enumerated() {
                text += "\(query.id) Q0 \(dataset.documents[entry.document].id) \(index + 1) \(entry.score) \(tag)\n"
            }
        }
        try AtomicWrite.write(Array(text.utf8), to: path)
    }
}
