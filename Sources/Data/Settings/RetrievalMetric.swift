// The measures of a ranking by their names, which stand here alone: what `training.metric_for_best_model` may name and what
// evaluations report. How they are computed is said in `Evaluation`.

/// A measure of one query's ranking, between 0 and 1; a data set's figure is the mean over its queries.
///
///     RetrievalMetric("recall@5")!.title          // "Recall@5"
package struct RetrievalMetric: Hashable, Sendable {
    /// What is measured.
    package enum Measure: String, CaseIterable, Sendable {
        /// Normalised discounted cumulative gain, the grade itself being the gain.
        case ndcg
        /// Mean average precision.
        case map
        /// The share of the relevant documents that are found.
        case recall
        /// The share of the places that hold a relevant document.
        case precision
        /// The inverse of the place of the first relevant document.
        case mrr

        /// As papers write it.
        fileprivate var title: String {
            switch self {
            case .ndcg: "nDCG"
            case .map: "MAP"
            case .recall: "Recall"
            case .precision: "Precision"
            case .mrr: "MRR"
            }
        }

        /// Numbers of documents that it is reported at.
        fileprivate var cutoffs: [Int] { self == .map ? [100] : [1, 3, 5, 10, 100] }
    }

    /// What is measured.
    package let measure: Measure
    /// How many documents of a ranking are looked at, from the best on.
    package let cutoff: Int

    private init(_ measure: Measure, _ cutoff: Int) { (self.measure, self.cutoff) = (measure, cutoff) }

    /// Finds the metric of a name such as `ndcg@10`; nil: there is none.
    package init?(_ name: String) {
        guard let metric = Self.all.first(where: { $0.name == name }) else { return nil }
        self = metric
    }

    /// Its name in configurations and files: `ndcg@10`.
    package var name: String { "\(measure.rawValue)@\(cutoff)" }
    /// Its name in tables: `nDCG@10`.
    package var title: String { "\(measure.title)@\(cutoff)" }

    /// Every metric, in the order of result files.
    package static let all = Measure.allCases.flatMap { measure in measure.cutoffs.map { RetrievalMetric(measure, $0) } }
    /// What tables show where nothing else is asked for.
    package static let usual = [RetrievalMetric(.ndcg, 10)] + [1, 5, 10].map { RetrievalMetric(.recall, $0) } + [RetrievalMetric(.mrr, 10)]
    /// Length of the longest ranking that any metric looks at.
    package static let depth = all.map(\.cutoff).max()!
}
