// One training example as a data file states it. A row of the file is one or, with several positives, one for each.

import Files

/// An anchor, its positive and its hard negatives; or, of a graded row, two inputs and how alike they are.
package struct TrainingRow: Equatable, Sendable {
    /// What is searched with.
    package let anchor: RowInput
    /// What should be found.
    package let positive: RowInput
    /// Hard negatives, any number; the same input may occur twice.
    package let negatives: [RowInput]
    /// The row's own task, else its file's.
    package let task: String
    /// The grade of a graded row; nil: the row is not graded.
    package let score: Float?
    /// The row's own text before its anchor, in UTF-8; nil: the file's prompt.
    package let prompt: [UInt8]?
    /// A teacher's scores of the positive, then of `negatives`; empty: none.
    package let teacherScores: [Float]

    /// Reads a row of a data file.
    ///
    ///     {"query": "...", "positive": "...", "negatives": ["...", "..."], "task": "code"}
    ///     {"sentence1": "...", "sentence2": "...", "score": 3.8}
    ///     {"query": "...", "pos": ["...", "..."], "neg": ["..."], "prompt": "Find the answer: "}
    ///     {"query": "...", "positive_image": "pages/7.png", "negative_images": ["pages/8.png"]}
    ///
    /// The keys are those of `RowPart`, or the ones that `rules` name; null is as good as absent. An image takes the place of the
    /// texts of its side.
    /// - Parameters:
    ///   - layout: which keys are which parts
    ///   - rules: how the rows of the file are read
    ///   - images: where the row's images may lie
    ///   - passages: texts by id, where rows name ids
    /// - Returns: one example for each positive, at least one
    /// - Throws: `UserError` `.content` for a side that is missing, empty, of another type or given twice, an image outside of its
    ///   folder, a task that the model does not have, a score that is none or out of its range, and negatives beside a score
    package static func examples(
        of row: RowObject, _ layout: RowLayout, _ rules: RowRules, images: ImageFolder, passages: PassageFile? = nil
    ) throws(UserError) -> [TrainingRow] {
        let reader = RowReader(row: row, layout: layout, rules: rules, images: images, passages: passages)
        if row["image"] != nil, layout.unread.contains("image"), !rules.ignoredKeys.contains(where: { $0.matches("image") }) {
            throw row.fault(at: "image", "\"image\" does not say which side it is; write \"query_image\" or \"positive_image\"")
        }
        let (anchor, prompt) = try reader.anchor()
        let positives = try reader.positives()
        let negatives = try reader.negatives()
        let task = try reader.task()
        let score = try reader.score()
        if score != nil, !negatives.isEmpty {
            throw row.fault(
                at: layout.keys(.score).first ?? layout.keys(.label).first,
                "a row with a \"score\" has no negatives: its two sides are compared with those of the other rows; remove one")
        }
        if score != nil, positives.count > 1 {
            throw row.fault(
                at: layout.keys(.positive).first,
                "a row with a \"score\" has one second text, and this one has \(positives.count); write a row for each")
        }
        let teacher = try reader.teacherScores(positives: positives.count, negatives: negatives.count, isGraded: score != nil)
        return positives.enumerated().map { index, positive in
            TrainingRow(
                anchor: anchor, positive: positive, negatives: negatives, task: task, score: score, prompt: prompt,
                teacherScores: teacher.ofExample(positive: index))
        }
    }
}

extension TrainingRow {
    /// The same row with other texts or images in their places.
    package func replacingInputs(_ replace: (RowInput) -> RowInput) -> TrainingRow {
        TrainingRow(
            anchor: replace(anchor), positive: replace(positive), negatives: negatives.map(replace), task: task, score: score,
            prompt: prompt, teacherScores: teacherScores)
    }
}
