// Some rows, tokenized, on their way into a token index: what a thread or a rank has made.

import Tensor

/// Rows in order, with their inputs and tokens. Places count from the part's own begin until `shift`.
struct TokenPart: Sendable {
    private(set) var rows: [TokenIndex.Row] = []
    private(set) var inputs: [TokenIndex.Input] = []
    private(set) var tokens: [Int32] = []
    /// Texts that were cut at the limit of tokens.
    var truncated = 0
    /// Hard negatives left out because they equal their row's positive.
    var droppedNegatives = 0

    /// Begins a row; its inputs follow.
    ///
    /// - Parameters:
    ///   - number: in the training file
    ///   - task: index among the model's tasks
    ///   - score: of a graded row
    mutating func beginRow(_ number: Int, task: Int, score: Float?) {
        rows.append(
            TokenIndex.Row(
                firstToken: UInt64(tokens.count), firstInput: UInt64(inputs.count), check: 0, number: UInt32(number), task: UInt32(task),
                isGraded: score == nil ? 0 : 1, score: score ?? 0))
    }

    /// - Parameter place: of a negative, its index in the row
    mutating func append(_ content: ContentHash, _ ids: [Int32], place: Int = 0) {
        inputs.append(TokenIndex.Input(content: content, tokens: Int32(ids.count), place: Int32(place)))
        tokens += ids
    }

    mutating func endRow() {
        let last = rows.count - 1
        let start = Int(rows[last].firstToken)
        rows[last].check = tokens.withUnsafeBufferPointer { TokenIndex.check(UnsafeBufferPointer(rebasing: $0[start...])) }
    }

    mutating func append(_ other: TokenPart) {
        let start = rows.count
        rows += other.rows
        for row in start..<rows.count { rows[row].move(tokens: tokens.count, inputs: inputs.count) }
        inputs += other.inputs
        tokens += other.tokens
        truncated += other.truncated
        droppedNegatives += other.droppedNegatives
    }

    /// The tables alone, as they stand in the index behind so many tokens and inputs.
    func tables(behindTokens tokens: Int, inputs: Int) -> (rows: [TokenIndex.Row], inputs: [TokenIndex.Input]) {
        var rows = rows
        for row in rows.indices { rows[row].move(tokens: tokens, inputs: inputs) }
        return (rows, self.inputs)
    }
}

extension TokenIndex.Row {
    fileprivate mutating func move(tokens: Int, inputs: Int) {
        firstToken += UInt64(tokens)
        firstInput += UInt64(inputs)
    }
}
