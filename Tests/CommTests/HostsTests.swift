// Who shares a machine and its cores, for worlds that one test machine does not have.

import Support
import Testing

@testable import Comm

@Suite struct HostsTests {
    /// Ranks 0 and 2 on one host, 1, 3 and 4 on another, which has the same name.
    private func hosts(rank: Int, affinities: [[UInt64]] = Array(repeating: [0b1111_1111], count: 5)) -> Hosts {
        Hosts(rank: rank, names: ["a", "b", "a", "b", "b"], leaders: [0, 1, 0, 1, 1], affinities: affinities)
    }

    @Test func ranksKnowTheirHost() {
        #expect(hosts(rank: 3).count == 2)
        #expect(hosts(rank: 3).hostOfRank == [0, 1, 0, 1, 1])
        #expect(hosts(rank: 3).ranks(on: 1) == [1, 3, 4])
        #expect((0..<5).map { hosts(rank: $0).localRank } == [0, 0, 1, 1, 2])
        #expect((0..<5).map { hosts(rank: $0).localSize } == [2, 3, 2, 3, 3])
    }

    @Test func hostsOfTheSameNameStayApart() {
        let hosts = Hosts(rank: 2, names: ["node", "node", "node"], leaders: [0, 0, 2], affinities: [[1], [1], [1]])
        #expect(hosts.count == 2)
        #expect(hosts.localRank == 0)
    }

    /// Unbound ranks share all cores of their host; ranks on other hosts take none.
    @Test func unboundRanksShareTheCores() {
        #expect((0..<5).map { hosts(rank: $0).coresPerRank } == [4, 2, 4, 2, 2])
        #expect(hosts(rank: 1).cores == 8)
    }

    @Test func boundRanksKeepTheirCores() {
        let bound: [[UInt64]] = [[0b0011], [0b0001], [0b1100], [0, 0b0110], [0b1110]]
        #expect((0..<5).map { hosts(rank: $0, affinities: bound).coresPerRank } == [2, 1, 2, 2, 3])
        #expect(hosts(rank: 3, affinities: bound).cores == 2)
    }

    @Test func someOfTheRanksAreAWorldOfTheirOwn() {
        let group = Hosts(hosts(rank: 3), among: [1, 2, 3], rank: 2)
        #expect(group.names == ["b", "a", "b"] && group.hostOfRank == [0, 1, 0])
        #expect(group.localRank == 1 && group.localSize == 2)
        #expect(group.cores == 8 && group.coresPerRank == 2)
    }

    @Test func moreRanksThanCoresHaveOneEach() {
        #expect(hosts(rank: 1, affinities: Array(repeating: [0b11], count: 5)).coresPerRank == 1)
    }

    @Test func ranksAreDescribedByHost() {
        #expect(hosts(rank: 0).describe([4]) == "rank 4 (b)")
        #expect(hosts(rank: 0).describe([0, 1, 3]) == "ranks 0 (a), 1, 3 (b)")
        let many = Hosts(
            rank: 0, names: Array(repeating: "c", count: 12), leaders: Array(repeating: 0, count: 12),
            affinities: Array(repeating: [1], count: 12))
        #expect(many.describe(Array(0..<12)) == "ranks 0, 1, 2, 3, 4, 5, 6, 7 (c) and 4 more")
    }
}
