// Shares of a list.

import Comm
import Support
import Testing

@Suite struct ShardTests {
    @Test func sharesDifferByOneAtMost() {
        #expect(Shard.counts(of: 10, worldSize: 4) == [3, 3, 2, 2])
        #expect(Shard.counts(of: 2, worldSize: 4) == [1, 1, 0, 0])
        #expect(Shard.counts(of: 0, worldSize: 3) == [0, 0, 0])
        #expect(Shard.range(of: 10, rank: 1, worldSize: 4) == 3..<6)
        #expect(Shard.range(of: 10, rank: 3, worldSize: 4) == 8..<10)
    }

    @Test(arguments: [0, 1, 7, 64, 1000]) func sharesFollowEachOther(items: Int) {
        for worldSize in 1...9 {
            var end = 0
            for rank in 0..<worldSize {
                let range = Shard.range(of: items, rank: rank, worldSize: worldSize)
                #expect(range.lowerBound == end)
                end = range.upperBound
            }
            #expect(end == items)
        }
    }
}
