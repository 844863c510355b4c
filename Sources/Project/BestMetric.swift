// What the best checkpoint is best in: the value of training.metric_for_best_model.

import Config
import Files

/// `METRIC@K`, at the model's full width, or `METRIC@K@WIDTH`: ndcg@10, ndcg@10@256.
package struct BestMetric: Sendable, Equatable {
    /// Key of the metric in an evaluation: `ndcg@10`.
    package let name: String
    /// Width of the vectors; nil: the full one.
    package let dimension: Int?

    /// The metric where none is given.
    package static let usual = BestMetric(name: names[0], dimension: nil)
    /// Keys of the metrics that there are.
    package static let names = ["ndcg@10", "recall@1", "recall@5", "recall@10", "mrr@10"]

    private init(name: String, dimension: Int?) {
        self.name = name
        self.dimension = dimension
    }

    /// Reads the text of the setting; nil when it names no metric.
    package init?(_ text: String) {
        guard let name = Self.names.first(where: { text == $0 || text.hasPrefix("\($0)@") }) else { return nil }
        let rest = text.dropFirst(name.count + 1)
        self.name = name
        self.dimension = Int(rest)
        let isWhole = text == name || (dimension ?? 0) > 0 && rest.allSatisfy { $0.isASCII && $0.isNumber }
        if !isWhole { return nil }
    }

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
