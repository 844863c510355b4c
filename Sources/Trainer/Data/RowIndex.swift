// What the plan knows of every row: its task, and the content and length of its texts. Rows are read and tokenized once,
// by shares; lengths and hashes are gathered, so that every rank can plan every step without reading a text.

import Comm
import Model
import Tensor

/// A text of a row as the plan sees it.
package struct InputSummary: Sendable, Equatable {
    package let content: ContentHash
    /// Prompt included, after truncation.
    package let tokens: Int32
}

/// A row as the plan sees it.
package struct RowSummary: Sendable, Equatable {
    /// Index of its file in `data.train`, and of the row in the file.
    package let file: Int
    package let row: Int
    /// Index among the model's tasks.
    package let task: Int
    package let anchor: InputSummary
    package let positive: InputSummary
    /// Hard negatives that are used; `negativePlaces` are their indices in the row.
    package let negatives: [InputSummary]
    package let negativePlaces: [Int]
}

/// The rows of all training files in order, and what was noticed while reading them.
package struct RowIndex: Sendable {
    package var rows: [RowSummary] = []
    /// Texts that were cut at the limit of tokens.
    package var truncated = 0
    /// Hard negatives left out because they equal their row's positive.
    package var droppedNegatives = 0

    /// Reads and tokenizes this rank's share of the rows and gathers the others'.
    ///
    /// Collective.
    static func build(_ source: TrainingSource, _ world: Communicator, dropsEqualNegatives: Bool) throws -> RowIndex {
        let share = Shard.range(of: source.rowCount, rank: world.rank, worldSize: world.worldSize)
        let local = try world.together { try source.summaries(share, dropsEqualNegatives: dropsEqualNegatives) }
        var index = RowIndex()
        for part in try world.allGatherVariable(local.encoded) { index.append(RowIndex(encoded: part)) }
        return index
    }

    private mutating func append(_ other: RowIndex) {
        rows += other.rows
        truncated += other.truncated
        droppedNegatives += other.droppedNegatives
    }
}

/// For the wire: 64-bit numbers.
extension RowIndex {
    private var encoded: [Int64] {
        var numbers = [Int64(truncated), Int64(droppedNegatives)]
        for row in rows {
            numbers += [Int64(row.file), Int64(row.row), Int64(row.task), Int64(row.negatives.count)]
            numbers += row.negativePlaces.map(Int64.init)
            for input in [row.anchor, row.positive] + row.negatives { numbers += input.encoded }
        }
        return numbers
    }

    private init(encoded numbers: [Int64]) {
        truncated = Int(numbers[0])
        droppedNegatives = Int(numbers[1])
        var next = 2
        func take() -> Int {
            next += 1
            return Int(numbers[next - 1])
        }
        while next < numbers.count {
            let (file, row, task, count) = (take(), take(), take(), take())
            let places = (0..<count).map { _ in take() }
            let inputs = (0..<count + 2).map { InputSummary(encoded: Array(numbers[next + 3 * $0..<next + 3 * $0 + 3])) }
            next += 3 * inputs.count
            rows.append(
                RowSummary(
                    file: file, row: row, task: task, anchor: inputs[0], positive: inputs[1], negatives: Array(inputs[2...]),
                    negativePlaces: places))
        }
    }
}

extension InputSummary {
    fileprivate var encoded: [Int64] { [Int64(tokens), content.high, content.low] }

    /// - Parameter numbers: [3], as `encoded` gives them
    fileprivate init(encoded numbers: [Int64]) {
        self.init(content: ContentHash(high: numbers[1], low: numbers[2]), tokens: Int32(numbers[0]))
    }
}
