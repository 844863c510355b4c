// Where the ranks are: which share a machine, and how many cores each may use. Found once, when the world starts.
// Two ranks are on one host when MPI says that they can share memory; names alone may repeat between containers.

import COpenMPI
import Glibc

/// The machines of a run and the ranks on them, as one rank sees them.
package struct Hosts: Sendable, Equatable {
    /// Host name of each rank, [worldSize].
    package let names: [String]
    /// Host of each rank, numbered in the order of their lowest ranks, [worldSize].
    package let hostOfRank: [Int]
    /// Place of this rank among the ranks of its host, counted from 0.
    package let localRank: Int
    /// Number of ranks on this rank's host.
    package let localSize: Int
    /// Number of cores that this rank may run on: all of the host, or those that the launcher bound it to.
    package let cores: Int
    /// This rank's part of `cores`, at least 1: a core that k ranks may run on counts 1/k for each.
    package let coresPerRank: Int

    /// Number of hosts.
    package var count: Int { (hostOfRank.max() ?? 0) + 1 }

    /// The ranks on one host, ascending.
    package func ranks(on host: Int) -> [Int] { hostOfRank.indices.filter { hostOfRank[$0] == host } }

    /// Ranks with their hosts, for messages: `ranks 2, 3 (host-b), 4 (host-c)`. Names at most eight ranks, then how many more.
    package func describe(_ ranks: [Int]) -> String {
        var groups: [(host: Int, ranks: [Int])] = []
        for rank in ranks.prefix(8) {
            if groups.last?.host == hostOfRank[rank] {
                groups[groups.count - 1].ranks.append(rank)
            } else {
                groups.append((hostOfRank[rank], [rank]))
            }
        }
        let words = groups.map { group in "\(group.ranks.map(String.init).joined(separator: ", ")) (\(names[group.ranks[0]]))" }
        let more = ranks.count > 8 ? " and \(ranks.count - 8) more" : ""
        return (ranks.count == 1 ? "rank " : "ranks ") + words.joined(separator: ", ") + more
    }

    /// Works out from what all ranks tell which of them share a host, and how many cores each has.
    ///
    /// - Parameters:
    ///   - leaders: the lowest rank on each rank's host, [worldSize]
    ///   - affinities: bit sets of the cores that each rank may run on, [worldSize][any length]
    package init(rank: Int, names: [String], leaders: [Int], affinities: [[UInt64]]) {
        let order = Set(leaders).sorted()
        let local = leaders.indices.filter { leaders[$0] == leaders[rank] }
        self.names = names
        hostOfRank = leaders.map { order.firstIndex(of: $0)! }
        localRank = local.firstIndex(of: rank)!
        localSize = local.count
        cores = affinities[rank].reduce(0) { $0 + $1.nonzeroBitCount }
        coresPerRank = Hosts.share(of: affinities[rank], among: local.map { affinities[$0] })
    }

    /// The same machines as a world of some of the ranks sees them.
    ///
    /// - Parameters:
    ///   - all: as `rank` of `ranks` sees them
    ///   - ranks: numbered as in `all`, ascending
    init(_ all: Hosts, among ranks: [Int], rank: Int) {
        let hosts = ranks.map { all.hostOfRank[$0] }
        var order: [Int] = []
        for host in hosts where !order.contains(host) { order.append(host) }
        let local = hosts.indices.filter { hosts[$0] == hosts[rank] }
        names = ranks.map { all.names[$0] }
        hostOfRank = hosts.map { order.firstIndex(of: $0)! }
        localRank = local.firstIndex(of: rank)!
        localSize = local.count
        (cores, coresPerRank) = (all.cores, all.coresPerRank)
    }

    /// All ranks on this host, which is so for a world of one and is assumed until the ranks have met.
    static func assumed(rank: Int = 0, worldSize: Int = 1) -> Hosts {
        Hosts(
            rank: rank, names: Array(repeating: localHostName(), count: worldSize), leaders: Array(repeating: 0, count: worldSize),
            affinities: Array(repeating: localAffinity(), count: worldSize))
    }

    /// Finds where all ranks are.
    ///
    /// Collective.
    static func discover(_ world: Communicator) throws(CommError) -> Hosts {
        let site = CallSite(file: #fileID, line: #line)
        var local: MPI_Comm?
        try world.check(shoal_split_by_host(Int32(world.rank), &local), "MPI_Comm_split_type", site)
        var leader = world.rank
        try world.check(MPI_Bcast(&leader, 1, Int.mpiType.handle, 0, local), "MPI_Bcast", site)
        try world.check(MPI_Comm_free(&local), "MPI_Comm_free", site)
        let names = try world.allGatherVariable(Array(localHostName().utf8))
        return Hosts(
            rank: world.rank, names: names.map { String(decoding: $0, as: UTF8.self) },
            leaders: try world.allGather(leader), affinities: try world.allGatherVariable(localAffinity()))
    }

    /// The whole cores that a rank has, when each core is shared equally by the ranks that may run on it; at least 1.
    private static func share(of own: [UInt64], among local: [[UInt64]]) -> Int {
        var share = 0.0
        for core in 0..<(own.count * 64) where own.holds(core) {
            share += 1 / Double(local.count { $0.holds(core) })
        }
        return max(1, Int(share + 1e-6))  // Thirds do not add up to a whole in Double.
    }
}

extension [UInt64] {
    fileprivate func holds(_ core: Int) -> Bool { core / 64 < count && self[core / 64] >> UInt64(core % 64) & 1 == 1 }
}

private func localHostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Bit set of the cores that this process may run on; one core when the system does not tell.
private func localAffinity() -> [UInt64] {
    var words = [UInt64](repeating: 0, count: 128)  // 8,192 cores: the call fails when the machine has more than fit.
    guard shoal_cores(&words, words.count * MemoryLayout<UInt64>.stride) == 0 else { return [1] }
    return Array(words.prefix((words.lastIndex { $0 != 0 } ?? 0) + 1))
}
