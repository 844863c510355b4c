// The parts of a training row, and the keys that they go by: Shoal's own, and those of other trainers' row forms. The table is the
// one place that knows them; docs/data.md shows it to users.

/// Something that a row may say.
package enum RowPart: String, CaseIterable, Sendable {
    /// What is searched with; what should be found; what should not.
    case anchor, positive, negatives
    /// The same as images.
    case anchorImage = "anchor_image"
    case positiveImage = "positive_image"
    case negativeImages = "negative_images"
    /// The same as ids of passages, which stand in a file of their own.
    case positiveIDs = "positive_ids"
    case negativeIDs = "negative_ids"
    /// The text before the anchor.
    case prompt
    /// The adapter that the row trains.
    case task
    /// How alike the two sides of a graded row are.
    case score
    /// The same as a class, such as `entailment`.
    case label
    /// A teacher's scores of the row's candidates: all, or the positives and the negatives apart.
    case teacherScores = "scores"
    case positiveScores = "pos_scores"
    case negativeScores = "neg_scores"

    /// Whether several keys of a row may make up the part together.
    package var takesSeveralKeys: Bool {
        switch self {
        case .positive, .negatives, .positiveImage, .negativeImages, .positiveIDs, .negativeIDs: true
        default: false
        }
    }

    /// The keys of this part, where the configuration names none. `#` stands for a number.
    ///
    /// Keys of one group make up the part together; a row has keys of one group only.
    package var usualKeys: [[String]] {
        switch self {
        case .anchor: [["anchor"], ["query"], ["text"], ["sentence1"], ["premise"], ["query_text"], ["messages"]]
        case .positive:
            [
                ["positive"], ["pos"], ["positives"], ["sentence2"], ["hypothesis"], ["positive_passages"], ["positive_messages"],
                ["pos_target"],
            ]
        case .negatives:
            [
                ["negatives"], ["negative", "negative_#"], ["neg"], ["hard_negatives"], ["hard_negative"], ["negative_passages"],
                ["negative_messages"], ["neg_target"],
            ]
        case .anchorImage: [["query_image"], ["anchor_image"]]
        case .positiveImage: [["positive_image"]]
        case .negativeImages: [["negative_images"], ["negative_image"]]
        case .positiveIDs: [["positive_document_ids"]]
        case .negativeIDs: [["negative_document_ids"]]
        case .prompt: [["prompt"], ["instruction"]]
        case .task: [["task"]]
        case .score: [["score"]]
        case .label: [["label"]]
        case .teacherScores: [["scores"]]
        case .positiveScores: [["pos_scores"]]
        case .negativeScores: [["neg_scores"]]
        }
    }

    /// Keys that other trainers give a meaning which Shoal does not know for sure: a row must not bring them unread.
    static let meantElsewhere = [
        "label", "labels", "similarity", "scores", "pos_scores", "neg_scores", "teacher_scores", "margin", "hard_negs", "instruction",
        "instruct", "prompt", "system", "candidates", "chosen", "rejected", "response", "rejected_response", "negative_#", "positive_#",
        "document_#", "image", "images", "positive_images", "messages", "positive_messages", "negative_messages",
    ]
}
