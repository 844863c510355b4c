// Which part of a list is whose. Pure arithmetic, the same on every rank.

/// Contiguous shares of a list, in rank order; sizes differ by one at most, the larger ones first.
///
///     Shard.range(of: 10, rank: 0, worldSize: 4)    // 0..<3
///     Shard.counts(of: 10, worldSize: 4)            // [3, 3, 2, 2]
package enum Shard {
    /// The items of a rank when `items` are shared out in order, as evenly as can be.
    package static func range(of items: Int, rank: Int, worldSize: Int) -> Range<Int> {
        precondition(items >= 0 && worldSize > 0 && (0..<worldSize).contains(rank), "shard \(rank) of \(worldSize) of \(items) items")
        let (share, rest) = items.quotientAndRemainder(dividingBy: worldSize)
        let start = rank * share + min(rank, rest)
        return start..<(start + share + (rank < rest ? 1 : 0))
    }

    /// The number of items of each rank, [worldSize].
    package static func counts(of items: Int, worldSize: Int) -> [Int] {
        (0..<worldSize).map { range(of: items, rank: $0, worldSize: worldSize).count }
    }
}
