// Lists of lengths: where each lies when they stand one after the other, and how many fit together.

extension Sequence<Int> {
    /// The range of each length when they lie one after the other, from 0 on: 2, 3 are 0..<2, 2..<5.
    package var consecutiveRanges: [Range<Int>] {
        var start = 0
        return map { length in
            defer { start += length }
            return start..<start + length
        }
    }
}

extension Collection<Int> {
    /// Ranges of positions, counted from 0, each filled until the next length would take it above `limit`. A length above it has a
    /// range of its own.
    package func ranges(filledUpTo limit: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var (start, size) = (0, 0)
        for (position, length) in enumerated() {
            if position > start && size + length > limit {
                ranges.append(start..<position)
                (start, size) = (position, 0)
            }
            size += length
        }
        if start < count { ranges.append(start..<count) }
        return ranges
    }
}
