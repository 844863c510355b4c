// What an evaluation found, as it is written: `evaluate --output` and the evaluation events of a run.

import Data
import Files

/// The metrics of one dataset in one mode and at one width.
package struct EvaluationResult: Equatable, Sendable {
    /// The vectors that an evaluation compares.
    package enum Mode: String, Sendable {
        /// Single vectors, by dot product.
        case dense
        /// Token vectors, by MaxSim.
        case late
    }

    /// Name of the data set.
    package let dataset: String
    /// Task whose prompts and adapter were used.
    package let task: String
    /// What was compared: single vectors, or token vectors.
    package let mode: Mode
    /// Width of the Matryoshka prefix, or of the token vectors.
    package let dimension: Int
    /// Number of queries that were evaluated.
    package let queries: Int
    /// Means over the queries.
    package let metrics: [RetrievalMetric: Double]

    /// Creates a result.
    package init(
        dataset: String, task: String, mode: Mode = .dense, dimension: Int, queries: Int, metrics: [RetrievalMetric: Double]
    ) {
        self.dataset = dataset
        self.task = task
        self.mode = mode
        self.dimension = dimension
        self.queries = queries
        self.metrics = metrics
    }

    /// The result as a JSON object, with metrics in the order of `RetrievalMetric.all`.
    package var json: JSONValue {
        var values = JSONObject()
        for metric in RetrievalMetric.all { values[metric.name] = metrics[metric].map(JSONValue.number) }
        return [
            "dataset": .string(dataset), "task": .string(task), "mode": .string(mode.rawValue), "dimension": .integer(Int64(dimension)),
            "queries": .integer(Int64(queries)), "metrics": .object(values),
        ]
    }

    /// Reads what `json` gives; nil when it is anything else.
    package init?(_ json: JSONValue) {
        guard let dataset = json["dataset"]?.stringValue, let task = json["task"]?.stringValue,
            let mode = json["mode"]?.stringValue.flatMap(Mode.init), let dimension = json["dimension"]?.integerValue,
            let queries = json["queries"]?.integerValue,
            let values = json["metrics"]?.objectValue
        else { return nil }
        var metrics: [RetrievalMetric: Double] = [:]
        for metric in RetrievalMetric.all {
            if let value = values[metric.name]?.numberValue { metrics[metric] = value }
        }
        self.init(dataset: dataset, task: task, mode: mode, dimension: Int(dimension), queries: Int(queries), metrics: metrics)
    }

    /// Reads the results that `write` wrote.
    ///
    /// - Throws: `UserError` `.missing`, or `.content` when the file is no result of an evaluation
    package static func read(_ path: String) throws(UserError) -> [EvaluationResult] {
        let json = try JSONValue.parse(file: path)
        guard let entries = json["results"]?.arrayValue else {
            throw UserError(.content, path, "has no list \"results\"; name a file that shoal evaluate --output wrote")
        }
        var results: [EvaluationResult] = []
        for (index, entry) in entries.enumerated() {
            guard let result = EvaluationResult(entry) else {
                throw UserError(
                    .content, path, "entry \(index + 1) of \"results\" is no result; name a file that shoal evaluate --output wrote")
            }
            results.append(result)
        }
        return results
    }

    /// Writes results as `{"results": [...]}`, one key a line, in the place of an older file.
    ///
    /// - Throws: `UserError` `.output`; an older file is then untouched
    package static func write(_ results: [EvaluationResult], to path: String) throws(UserError) {
        let document: JSONValue = ["results": .array(results.map(\.json))]
        try AtomicWrite.write(document.serialized(pretty: true) + [UInt8(ascii: "\n")], to: path)
    }
}
