// What a plan asks the index for: an input by its row, and which inputs have the same prompt.

/// The place of a text or image in its row.
package enum RowText: Sendable, Hashable {
    /// The anchor.
    case anchor
    /// The positive, or the other side of a graded row.
    case positive
    /// A hard negative, by its index in the row.
    case negative(Int)
}

/// One text or image that is embedded in a step, wherever it occurs.
package struct PlannedInput: Sendable {
    /// Number in the RowIndex of the row that has the input first.
    package let row: Int
    /// Which text of its row it is.
    package let text: RowText
    /// Number of tokens.
    package let tokens: Int
    /// Whether it is an image.
    package var isImage = false
}

/// A number for each prompt text, by file, task and side.
package struct PromptNumbers: Sendable {
    /// The number of the prompt of anchors.
    package let anchor: @Sendable (_ file: Int, _ task: Int) -> Int
    /// The number of the prompt of candidates.
    package let candidate: @Sendable (_ file: Int, _ task: Int) -> Int

    /// Creates the numbers of prompts by file and task.
    package init(anchor: @escaping @Sendable (Int, Int) -> Int, candidate: @escaping @Sendable (Int, Int) -> Int) {
        self.anchor = anchor
        self.candidate = candidate
    }
}
