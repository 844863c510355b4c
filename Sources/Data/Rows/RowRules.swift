// How the rows of one file are read: what the configuration says of the file, and what the run needs of its rows.

import Files

/// The rules by which rows become training examples.
package struct RowRules: Sendable {
    /// The task of rows that name none.
    package var task: String
    /// The tasks that a row may have, in the model's order.
    package var knownTasks: [String]
    /// What scores may be; nil: any finite number.
    package var scoreRange: ClosedRange<Double>?
    /// Which columns are which parts, where the user says so.
    package var columns = RowColumns()
    /// The score of each label, where the user says so; nil: a number is its own score, and the labels of natural language inference
    /// have those of `usualLabelScores`.
    package var labelScores: [String: Double]?
    /// Keys that have no part in training by the user's will.
    package var ignoredKeys: [KeyPattern] = []
    /// Whether a teacher's scores are read; else they are keys without a part.
    package var readsTeacherScores = false

    /// Creates the rules of a file without columns of its own.
    package init(task: String, knownTasks: [String], scoreRange: ClosedRange<Double>? = nil) {
        self.task = task
        self.knownTasks = knownTasks
        self.scoreRange = scoreRange
    }

    /// Scores of the labels of natural language inference, by name and by number (Bowman et al. 2015, arXiv:1508.05326; the numbers
    /// are those of the published data sets): what follows is alike, what contradicts is not, and neutral lies between.
    package static let usualLabelScores: [String: Double] = [
        "entailment": 1, "neutral": 0.5, "contradiction": 0, "0": 1, "1": 0.5, "2": 0,
    ]

    /// What rows depend on beside the file's bytes, the tasks and the score range.
    package var key: JSONValue {
        var labels = JSONObject()
        for (label, score) in (labelScores ?? [:]).sorted(by: { ExactString($0.key) < ExactString($1.key) }) {
            labels[label] = .number(score)
        }
        return [
            "columns": columns.json, "labels": labelScores == nil ? .null : .object(labels),
            "ignored": .array(ignoredKeys.map { .string($0.text) }), "teacher": .bool(readsTeacherScores),
        ]
    }
}
