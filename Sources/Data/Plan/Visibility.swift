// Which candidates count as negatives of which rows, apart from their scores: duplicates do not, and with a limited pool only
// a seeded few do.

import Tensor

/// The columns that each row sees. The own positive is always seen.
package struct Visibility: Sendable {
    /// Columns hidden from a row, ascending.                       [rows][...]
    let hidden: [[Int]]
    /// The rows that each column is hidden from, ascending.
    private let hiddenFrom: [Int: [Int]]
    /// The columns that each row sees, ascending, with a limited pool; nil: all that are not hidden.
    private let seen: [[Int]]?
    /// The rows that see each column, ascending, with a limited pool.
    private let seenBy: [Int: [Int]]

    /// Lays out both directions: the columns of a row, and the rows of a column.
    ///
    /// - Parameters:
    ///   - hidden: columns that are no negatives of a row, ascending
    ///   - seen: the only negatives that a row has, ascending; nil: all that are not hidden
    init(hidden: [[Int]], seen: [[Int]]? = nil) {
        self.hidden = hidden
        self.seen = seen?.enumerated().map { row, columns in (columns + [row]).sorted() }
        hiddenFrom = transposed(hidden)
        seenBy = self.seen.map(transposed) ?? [:]
    }

    /// Number of pairs of a row and a column left out as duplicates.
    var hiddenPairs: Int { hidden.reduce(0) { $0 + $1.count } }

    /// Whether a column is a negative, or the positive, of a row.
    package func sees(row: Int, column: Int) -> Bool {
        !hidden[row].contains(column) && (seen?[row].contains(column) ?? true)
    }

    /// Takes what a row does not see out of its scores with a range of columns.
    package func hide(row: Int, _ columns: Range<Int>, _ line: UnsafeMutablePointer<Float>) {
        Self.hide(hidden[row], seen?[row], columns, line)
    }

    /// Takes the rows that do not see a column out of its scores with a range of rows.
    package func hide(column: Int, _ rows: Range<Int>, _ line: UnsafeMutablePointer<Float>) {
        Self.hide(hiddenFrom[column] ?? [], seen == nil ? nil : seenBy[column] ?? [], rows, line)
    }

    private static func hide(_ hidden: [Int], _ seen: [Int]?, _ range: Range<Int>, _ line: UnsafeMutablePointer<Float>) {
        for place in hidden where range.contains(place) { line[place - range.lowerBound] = -.infinity }
        guard let seen else { return }
        var next = range.lowerBound
        for place in seen where range.contains(place) {
            for other in next..<place { line[other - range.lowerBound] = -.infinity }
            next = place + 1
        }
        for other in next..<range.upperBound { line[other - range.lowerBound] = -.infinity }
    }
}

/// The lists the other way round: for every entry, the lists that hold it, ascending.
private func transposed(_ lists: [[Int]]) -> [Int: [Int]] {
    var result: [Int: [Int]] = [:]
    for (index, list) in lists.enumerated() {
        for entry in list { result[entry, default: []].append(index) }
    }
    return result
}

/// How many negatives a row sees, so that a study may change the pool and nothing else.
package struct PoolLimit: Sendable {
    /// Number of negatives that a row sees.
    let count: Int
    /// The stream of the step; each row draws from its own.
    let stream: RandomStream

    /// Creates a limit of so many negatives a row, drawn by a stream.
    package init(count: Int, stream: RandomStream) {
        self.count = count
        self.stream = stream
    }

    /// For each row, columns other than the own positive and the hidden ones: `count` of them, or all when there are no more.
    ///
    /// - Parameters:
    ///   - columns: of the pool
    ///   - hidden: of each row, ascending
    /// - Returns: nil when no pool of this size is limited
    func drawn(columns: Int, hidden: [[Int]]) -> [[Int]]? {
        guard count < columns - 1 else { return nil }
        return hidden.indices.map { row in
            let out = Set(hidden[row] + [row])
            let stream = stream.stream(UInt64(row))
            guard columns - out.count > count else { return (0..<columns).filter { !out.contains($0) } }
            var seen: Set<Int> = []
            var place = 0
            while seen.count < count {
                let column = stream.integer(below: columns, at: place)
                if !out.contains(column) { seen.insert(column) }
                place += 1
            }
            return seen.sorted()
        }
    }
}
