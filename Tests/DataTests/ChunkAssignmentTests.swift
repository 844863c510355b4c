// How chunks are shared out; PlanEfficiencyTests do it with real lengths.

import Support
import Tensor
import Testing

@testable import Data

@Suite struct ChunkAssignmentTests {
    private func owners(_ costs: [Int], _ worldSize: Int) -> [Int] { ChunkAssignment.owners(of: costs, worldSize: worldSize) }

    @Test func theMostExpensiveChunkGoesToTheFreestRank() {
        // 70 → rank 0, 60 → 1, 40 → 2, 20 → 2, 10 → 1, 10 → 2.
        #expect(owners([40, 10, 20, 70, 60, 10], 3) == [2, 1, 2, 0, 1, 2])
        #expect(owners([5, 5, 5, 5], 2) == [0, 1, 0, 1], "ties go to the lower rank")
        #expect(owners([1, 2, 3], 1) == [0, 0, 0])
        #expect(owners([], 3) == [])
        #expect(owners([7], 4) == [0])
    }

    @Test func ranksExchangeWhatEvensThemOut() {
        // Longest first gives 5 + 3 and 4 + 3 + 3; with 4 and 3 exchanged both have 9.
        let owners = owners([5, 4, 3, 3, 3], 2)
        #expect(owners[0] == owners[1] && Set(owners[2...]) == [1 - owners[0]])
    }

    /// The longest-first rule written down plainly: exchanges never make the slowest rank slower.
    @Test(arguments: [1, 2, 3, 32, 33, 200]) func isNoWorseThanLongestFirst(worldSize: Int) {
        let stream = RandomStream(5).stream(UInt64(worldSize))
        for count in [0, 1, worldSize, 10 * worldSize + 7] {
            let costs = (0..<count).map { 1000 + stream.integer(below: 4000, at: $0) }
            var plain = [Int](repeating: 0, count: worldSize)
            for cost in costs.sorted(by: >) { plain[plain.firstIndex(of: plain.min()!)!] += cost }
            var load = [Int](repeating: 0, count: worldSize)
            for (cost, owner) in zip(costs, owners(costs, worldSize)) { load[owner] += cost }
            #expect(load.max()! <= plain.max()!)
            #expect(load.reduce(0, +) == costs.reduce(0, +))
            if count > 3 * worldSize { #expect(Double(load.max()!) < 1.01 * Double(costs.reduce(0, +)) / Double(worldSize) + 1) }
        }
    }
}
