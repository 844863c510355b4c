// What an evaluation found, as it is written: `evaluate --output` and the evaluation events of a run.

import Tensor

/// The metrics of one dataset at one width.
package struct EvaluationResult: Equatable, Sendable {
    package let dataset: String
    package let task: String
    /// The Matryoshka prefix that was compared.
    package let dimension: Int
    /// How many were evaluated.
    package let queries: Int
    package let metrics: [RetrievalMetric: Double]

    package init(dataset: String, task: String, dimension: Int, queries: Int, metrics: [RetrievalMetric: Double]) {
        self.dataset = dataset
        self.task = task
        self.dimension = dimension
        self.queries = queries
        self.metrics = metrics
    }

    /// Metrics in the order of their declaration.
    package var json: JSONValue {
        var values = JSONObject()
        for metric in RetrievalMetric.allCases {
            values[metric.rawValue] = metrics[metric].map(JSONValue.number)
        }
        return [
            "dataset": .string(dataset), "task": .string(task), "mode": "dense", "dimension": .integer(Int64(dimension)),
            "queries": .integer(Int64(queries)), "metrics": .object(values),
        ]
    }

    /// Writes `{"results": [...]}`, one key a line.
    package static func write(_ results: [EvaluationResult], to path: String) throws(UserError) {
        let document: JSONValue = ["results": .array(results.map(\.json))]
        try AtomicWrite.write(document.serialized(pretty: true) + [UInt8(ascii: "\n")], to: path)
    }
}
