// Who embeds which chunk: as even as can be, by whole numbers alone, so that every rank finds the same.

/// Spreads chunks over ranks so that the ranks finish together.
enum ChunkAssignment {
    /// Longest first: each chunk goes to the rank with the least to do. What that leaves uneven, because the last chunks are
    /// not small enough to fill the gaps, exchanges between the busiest and the idlest rank take away.
    ///
    /// - Parameter costs: of each chunk
    /// - Returns: the rank of each chunk. Ties: the lower chunk, the lower rank.
    static func owners(of costs: [Int], worldSize: Int) -> [Int] {
        var looks = 0
        return owners(of: costs, worldSize: worldSize, looks: &looks)
    }

    /// Assigns chunks to ranks as the function without `looks` does.
    ///
    /// - Parameter looks: grows by the number of loads and pairs of chunks that are looked at
    static func owners(of costs: [Int], worldSize: Int, looks: inout Int) -> [Int] {
        var load = [Int](repeating: 0, count: worldSize)
        var chunks = [[Int]](repeating: [], count: worldSize)
        for chunk in costs.indices.sorted(by: { (costs[$1], $0) < (costs[$0], $1) }) {
            let rank = load.indices.min { (load[$0], $0) < (load[$1], $1) }!
            looks += worldSize
            chunks[rank].append(chunk)
            load[rank] += costs[chunk]
        }
        for _ in 0..<2 * worldSize where worldSize > 1 {
            let busiest = load.indices.max { (load[$0], $1) < (load[$1], $0) }!
            let idlest = load.indices.min { (load[$0], $0) < (load[$1], $1) }!
            let gap = load[busiest] - load[idlest]
            looks += 2 * worldSize + chunks[busiest].count * (chunks[idlest].count + 1)
            // Less than a thousandth is even: where ranks have thousands of chunks a search for more would take long.
            guard gap > load[busiest] / 1024, let exchange = exchange(chunks[busiest], chunks[idlest], gap: gap, costs) else { break }
            chunks[idlest].append(chunks[busiest].remove(at: exchange.given))
            if let taken = exchange.taken { chunks[busiest].append(chunks[idlest].remove(at: taken)) }
            load[busiest] -= exchange.relief
            load[idlest] += exchange.relief
        }
        var owners = [Int](repeating: 0, count: costs.count)
        for (rank, own) in chunks.enumerated() {
            for chunk in own { owners[chunk] = rank }
        }
        return owners
    }

    /// The chunk to give, and the one to take for it if any, that bring two ranks closest together.
    private static func exchange(
        _ busy: [Int], _ idle: [Int], gap: Int, _ costs: [Int]
    ) -> (given: Int, taken: Int?, relief: Int)? {
        var best: (given: Int, taken: Int?, relief: Int)?
        for (given, chunk) in busy.enumerated() {
            for taken in [nil] + idle.indices.map({ Optional($0) }) {
                let relief = costs[chunk] - (taken.map { costs[idle[$0]] } ?? 0)
                guard relief > 0, relief < gap else { continue }
                if best == nil || abs(2 * relief - gap) < abs(2 * best!.relief - gap) { best = (given, taken, relief) }
            }
        }
        return best
    }
}
