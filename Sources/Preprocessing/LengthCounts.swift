// How long the texts of a side are: every length with the number of texts that have it. There are fewer lengths than texts, and
// every figure can be made of them.

/// Counts of lengths.
package struct LengthCounts: Equatable, Sendable {
    /// Length → number of texts that have it.
    private var counts: [Int: Int] = [:]

    mutating func add(_ length: Int, times: Int = 1) { counts[length, default: 0] += times }

    mutating func add(_ other: LengthCounts) { for (length, times) in other.counts { add(length, times: times) } }

    /// Number of texts.
    package var count: Int { counts.values.reduce(0, +) }

    /// The sum of all lengths.
    package var sum: Int { counts.reduce(0) { $0 + $1.key * $1.value } }

    /// The mean length; 0 without a text.
    package var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }

    /// The length that this share of the texts do not exceed: 0 the shortest, 0.5 the median, 1 the longest; 0 without a text.
    package func quantile(_ share: Double) -> Int {
        let place = Int(Double(count - 1) * share)
        var passed = 0
        for length in counts.keys.sorted() {
            passed += counts[length]!
            if passed > place { return length }
        }
        return 0
    }

    /// The texts by length: up to 1, 2, 4, 8, ..., each without those that an earlier limit holds.
    package var byPowersOfTwo: [(limit: Int, count: Int)] {
        guard let longest = counts.keys.max() else { return [] }
        var bins: [(limit: Int, count: Int)] = []
        var (low, high) = (0, 1)
        while low < max(longest, 1) {
            bins.append((high, counts.reduce(0) { $0 + ($1.key <= high && ($1.key > low || low == 0) ? $1.value : 0) }))
            (low, high) = (high, high * 2)
        }
        return Array(bins.drop { $0.count == 0 })
    }

    /// Lengths and their counts in turn, for other ranks.
    var flattened: [Int] { counts.keys.sorted().flatMap { [$0, counts[$0]!] } }

    init() {}

    init(flattened numbers: some Collection<Int>) {
        let numbers = Array(numbers)
        for place in stride(from: 0, to: numbers.count, by: 2) { counts[numbers[place], default: 0] += numbers[place + 1] }
    }
}
