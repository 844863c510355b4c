// An example as its file states it: a training row with its place. The one file that knows how files of rows are read.

import Data
import Files

/// One example of the input.
struct RawRow {
    /// What it says.
    var row: TrainingRow
    /// Its task as the file writes it; nil where the file names none, so that it is written without one, too.
    let task: String?
    /// The rule by which its images are found.
    let images: ImageFolder
    /// Where it stands in the input.
    let number: RowNumber
    /// An error at its place that says nothing yet.
    let place: UserError

    /// An error about this row.
    func fault(_ message: String) -> UserError { UserError(.content, place.path, line: place.line, place.message + message) }

    /// `rows.jsonl:7`, for lists.
    var placeInWords: String {
        place.line.map { "\(place.path ?? ""):\($0)" } ?? "\(place.path ?? ""): \(place.message.prefix { $0 != ":" })"
    }
}

/// Where a row stands in the input, on any number of ranks: its block, and its place in it.
struct RowNumber: Comparable {
    let block: Int
    let place: Int

    /// One number with the same order; a block has far fewer rows than 2²⁴.
    var combined: Int { block << 24 | place }

    static func < (a: RowNumber, b: RowNumber) -> Bool { a.combined < b.combined }
}

/// How rows are read.
struct RowRule: Sendable {
    /// The task that rows have which name none; it is written into them. nil: they keep their silence.
    var task: String?
    /// The tasks that a row may have; nil: any.
    var knownTasks: [String]?
    /// Whether rows may be those of the Python project: an `image` is the anchor, the `text` beside it the positive.
    var takesSeedKeys = false

    /// Reads the examples of a row.
    ///
    /// - Throws: `UserError` `.content` for a row that cannot be trained on
    func examples(of object: RowObject, images: ImageFolder, number: RowNumber) throws(UserError) -> [RawRow] {
        var object = object
        if takesSeedKeys, object["image"] != nil {
            object.rename("image", to: "query_image")
            if object["pos"] == nil { object.rename("text", to: "positive") }
        }
        let usual = task ?? DataConfig.usualTask
        let ownTask = try object.text(RowPart.task.rawValue)
        var rules = RowRules(task: usual, knownTasks: knownTasks ?? [ownTask ?? usual])
        rules.readsTeacherScores = true
        let examples = try TrainingRow.examples(of: object, RowLayout(object, rules), rules, images: images)
        return examples.map { RawRow(row: $0, task: ownTask ?? task, images: images, number: number, place: object.fault("")) }
    }
}
