// Which rank embeds which chunk, so that all finish together: the most expensive chunk first, each to the rank with the least to
// do, then exchanges between a rank with much and one with little. Whole numbers only: the same on every rank and processor.

/// The owners of chunks, a pure function of their costs.
struct ChunkAssignment {
    /// The rank of each chunk.
    private(set) var owners: [Int]
    private let costs: [Int]
    /// Of each rank: the sum of its chunks, and which they are.
    private var load: [Int]
    private var chunks: [[Int]]

    init(costs: [Int], worldSize: Int) {
        self.costs = costs
        owners = Array(repeating: 0, count: costs.count)
        load = Array(repeating: 0, count: worldSize)
        chunks = Array(repeating: [], count: worldSize)
        shareOutLongestFirst()
        evenOut()
    }

    /// Ties: lower chunk, lower rank.
    private mutating func shareOutLongestFirst() {
        // A heap: each rank stands before the two at twice its place, and comes before them.
        var ranks = Array(load.indices)
        for chunk in costs.indices.sorted(by: { (costs[$1], $0) < (costs[$0], $1) }) {
            give(chunk, to: ranks[0])
            var place = 0
            while true {
                let next = (2 * place + 1...2 * place + 2).filter { $0 < ranks.count }.min { isFreer(ranks[$0], ranks[$1]) }
                guard let next, isFreer(ranks[next], ranks[place]) else { break }
                ranks.swapAt(place, next)
                place = next
            }
        }
    }

    /// Four times at most: the rank with the most exchanges with the one with the least, the second most with the second least...
    private mutating func evenOut() {
        for _ in 0..<4 {
            let order = load.indices.sorted { isFreer($1, $0) }
            var changes = false
            for (heavy, light) in zip(order.prefix(order.count / 2), order.reversed()) where exchange(heavy, light) { changes = true }
            guard changes else { return }
        }
    }

    /// Swaps the two chunks, or gives away the one, that leave the smallest difference between two ranks.
    ///
    /// - Returns: whether anything became better; a difference below a thousandth is left
    private mutating func exchange(_ heavy: Int, _ light: Int) -> Bool {
        let difference = load[heavy] - load[light]
        guard difference > load[heavy] / 1024 else { return false }
        var best: (given: Int, taken: Int?, difference: Int) = (0, nil, difference)
        for given in chunks[heavy] {
            for taken in chunks[light].map(Optional.some) + [nil] {
                let left = abs(difference - 2 * (costs[given] - (taken.map { costs[$0] } ?? 0)))
                if left < best.difference { best = (given, taken, left) }
            }
        }
        guard best.difference < difference else { return false }
        take(best.given, from: heavy)
        give(best.given, to: light)
        if let taken = best.taken {
            take(taken, from: light)
            give(taken, to: heavy)
        }
        return true
    }

    private func isFreer(_ one: Int, _ other: Int) -> Bool { (load[one], one) < (load[other], other) }

    private mutating func give(_ chunk: Int, to rank: Int) {
        owners[chunk] = rank
        load[rank] += costs[chunk]
        chunks[rank].append(chunk)
    }

    private mutating func take(_ chunk: Int, from rank: Int) {
        load[rank] -= costs[chunk]
        chunks[rank].removeAll { $0 == chunk }
    }
}
