// What the best checkpoint is best in: the value of training.metric_for_best_model.

import Config
import Data
import Files

/// `METRIC@K`, at the model's full width, or `METRIC@K@WIDTH`: ndcg@10, ndcg@10@256.
package struct BestMetric: Sendable, Equatable {
    /// What is measured.
    package let metric: RetrievalMetric
    /// Width of the vectors; nil: the full one.
    package let dimension: Int?

    /// The metric where none is given.
    package static let usual = BestMetric(metric: .usual[0], dimension: nil)

    private init(metric: RetrievalMetric, dimension: Int?) {
        self.metric = metric
        self.dimension = dimension
    }

    /// Reads the text of the setting; nil when it names no metric.
    package init?(_ text: String) {
        guard let metric = RetrievalMetric.all.first(where: { text == $0.name || text.hasPrefix("\($0.name)@") }) else { return nil }
        let rest = text.dropFirst(metric.name.count + 1)
        self.metric = metric
        dimension = Int(rest)
        let isWhole = text == metric.name || (dimension ?? 0) > 0 && rest.allSatisfy { $0.isASCII && $0.isNumber }
        if !isWhole { return nil }
    }

    /// Key of the metric in an evaluation: `ndcg@10`.
    package var name: String { metric.name }

    fileprivate var text: String { name + (dimension.map { "@\($0)" } ?? "") }
}

extension SettingForm where Value == BestMetric {
    /// A metric's key, with `@` and a width or without.
    package static var metric: Self {
        Self(
            "a metric such as `ndcg@10`, or `ndcg@10@256` for the width 256", encode: { .string($0.text) },
            read: { node, _ in
                if case .scalar(.text(let text)) = node.content { BestMetric(text) } else { nil }
            })
    }
}
