// Which candidates count as negatives of which rows, apart from their scores: duplicates do not, and with a limited pool only
// a seeded few do.

/// What each row sees of the columns. The own positive is always seen.
package struct Visibility: Sendable {
    /// Columns hidden from a row, ascending.                       [rows][...]
    let hidden: [[Int]]
    /// Rows that a column is hidden from, ascending.
    private let hiddenFrom: [Int: [Int]]
    /// With a limited pool: the columns that a row sees, ascending, and the rows that see a column.
    private let seen: [[Int]]?
    private let seenBy: [Int: [Int]]

    /// - Parameters:
    ///   - hidden: columns that are no negatives of a row, ascending
    ///   - seen: the only negatives that a row has, ascending; nil: all that are not hidden
    init(hidden: [[Int]], seen: [[Int]]? = nil) {
        self.hidden = hidden
        self.seen = seen?.enumerated().map { row, columns in (columns + [row]).sorted() }
        hiddenFrom = transposed(hidden)
        seenBy = self.seen.map(transposed) ?? [:]
    }

    /// Pairs of a row and a column left out as duplicates.
    var hiddenPairs: Int { hidden.reduce(0) { $0 + $1.count } }

    /// Takes what a row does not see out of its scores with a range of columns.
    func hide(row: Int, _ columns: Range<Int>, _ line: UnsafeMutablePointer<Float>) {
        Self.hide(hidden[row], seen?[row], columns, line)
    }

    /// Takes the rows that do not see a column out of its scores with a range of rows.
    func hide(column: Int, _ rows: Range<Int>, _ line: UnsafeMutablePointer<Float>) {
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
