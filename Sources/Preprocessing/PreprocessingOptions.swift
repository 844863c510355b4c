// What a run of `shoal preprocess` is to do.

/// What becomes of duplicates.
package enum DuplicateRule: String, CaseIterable, Sendable {
    /// All but the first of rows that are the same bytes are left out.
    case exact
    /// All but the first of rows that are the same in normal form are left out.
    case normalized
    /// They are counted, by their normal form, and stay.
    case keep
}

/// What becomes of rows that an evaluation set has, too.
package enum LeakRule: String, CaseIterable, Sendable {
    /// They are left out.
    case remove
    /// They are counted and stay.
    case keep
}

/// What becomes of a row that cannot be trained on.
package enum BadRowRule: String, CaseIterable, Sendable {
    /// It ends the run.
    case fail
    /// It is left out and counted.
    case skip
}

/// Input, output and rules.
package struct PreprocessingOptions: Sendable {
    /// The files of rows, in the order in which they are read.
    package var inputs: [String]
    /// Where the rows go, `.jsonl` or `.jsonl.gz`.
    package var output: String
    /// Where held-out rows go, `.jsonl` or `.jsonl.gz`; nil: no row is held out.
    package var heldOutOutput: String?
    /// The share of anchors that are held out, from 0 to 1.
    package var heldOutShare = 0.0
    /// Where the report goes, JSON; nil: nowhere.
    package var report: String?
    /// The model whose tokenizer measures texts; nil: they are measured in words.
    package var modelFolder: String?
    /// The task that rows are given which name none; nil: none.
    package var task: String?
    /// What becomes of duplicates.
    package var duplicates = DuplicateRule.normalized
    /// What makes a row a duplicate.
    package var unit = DuplicateUnit.row
    /// Evaluation sets that rows are held against.
    package var evaluationSets: [String] = []
    /// Which of their texts.
    package var evaluationSide = EvaluationSide.all
    /// What becomes of rows that they have, too.
    package var leaks = LeakRule.remove
    /// The share of a text's runs of words from which a row counts as leaked; 0: any.
    package var leakShare = 0.5
    /// What becomes of a row that cannot be trained on.
    package var badRows = BadRowRule.fail
    /// Whether texts are mended: line ends, control characters, white space at both ends.
    package var cleans = false
    /// Whether rows may be those of the Python project, whose anchors stand under `image`.
    package var takesSeedKeys = false

    /// Options with all defaults.
    package init(inputs: [String], output: String) { (self.inputs, self.output) = (inputs, output) }
}
