// Checks that ranks notice when they differ, that they know where they are, and that costs are counted.

import Comm
import Files

let agreementChecks: [(name: String, body: Check)] = [
    ("require-same", requireSame),
    ("votes", votes),
    ("other-call", otherCall),
    ("other-shape", otherShape),
    ("hosts", hosts),
    ("split", split),
    ("split-shares", splitShares),
    ("statistics", statistics),
]

/// The last rank holds other bytes, then fewer; every rank must hear of it.
private func requireSame(_ world: Communicator) throws {
    func require(_ bytes: [UInt8]) throws {
        try world.requireSame(bytes) { UserError(.diverged, "the list differs: \($0) from \($1)") }
    }
    try require([1, 2, 3])
    try require([])
    let last = world.worldSize - 1
    guard last > 0 else { return }
    for odd: [UInt8] in [[1, 2, 4], [1, 2], []] {
        do {
            try require(world.rank == last ? odd : [1, 2, 3])
            throw CheckFailed(description: "\(odd) was taken for [1, 2, 3]")
        } catch let error as UserError {
            let host = world.hostName
            try expect(error.message, "the list differs: rank \(last) (\(host)) from rank 0 (\(host))")
        }
    }
}

/// Even and odd ranks apart, each group with collectives of its own; then all together.
private func split(_ world: Communicator) throws {
    let odd = world.rank % 2
    let group = try world.split(by: [UInt8(odd)])
    let members = (0..<world.worldSize).filter { $0 % 2 == odd }
    try expect(group.worldSize, members.count)
    try expect(try group.allGather(world.rank), members)
    try expect(group.hosts.names, members.map { world.hosts.names[$0] })
    // As many calls as only this group makes.
    for round in 0...odd { try expect(try group.broadcast([UInt8(world.rank), UInt8(round)]), [UInt8(odd), UInt8(round)]) }
    try expect(try world.allGather(group.rank), (0..<world.worldSize).map { $0 / 2 })
    let all = try world.split(by: [7])
    try expect(try all.allGather(world.rank), Array(0..<world.worldSize))
}

/// What is set of a world holds in those split from it, whose calls count in its statistics.
private func splitShares(_ world: Communicator) throws {
    try withPieces(of: 40, world) {
        world.checksAgreement = false
        defer { world.checksAgreement = true }
        let group = try world.split(by: [UInt8(world.rank)])
        try expect(group.pieceBytes, 40)
        try expect(group.checksAgreement, false)
        world.resetStatistics()
        _ = try group.allGather(1.0)
        try expect(world.statistics[.allGather].calls, 1)
        try expect(world.statistics[.allGather].bytes, 8 * group.worldSize)
    }
}

private func votes(_ world: Communicator) throws {
    let last = world.rank == world.worldSize - 1
    try expect(try world.allTrue(true), true)
    try expect(try world.allTrue(!last), false)
    try expect(try world.anyTrue(last), true)
    try expect(try world.anyTrue(false), false)
}

/// One rank skips a collective, and all hear where they stand. The world is usable afterwards, since no payload was sent.
private func otherCall(_ world: Communicator) throws {
    guard world.worldSize > 1 else { return }
    let error = try failure {
        if world.rank == 1 {
            try world.barrier()
        } else {
            _ = try world.allGather(Float(1))
        }
    }
    try expect(error.reason, .mismatched)
    try expect(error.exitCode, 70)
    try expect(error.message.contains("all-gather of 1 float"), true)
    try expect(error.message.contains("rank 1 (\(world.hostName)) at barrier"), true)
    try world.barrier()
}

/// The same call with another count, root, operation, element type, or division among the ranks.
private func otherShape(_ world: Communicator) throws {
    guard world.worldSize > 1 else { return }
    let odd = world.rank == 1
    var values = [Int32](repeating: 1, count: odd ? 4 : 8)
    try expect(try failure { try world.allReduceSum(&values) }.reason, .mismatched)
    try expect(try failure { _ = try world.broadcast([1], from: odd ? 1 : 0) }.reason, .mismatched)
    var pair: [Int32] = [1, 2]
    try expect(try failure { if odd { try world.allReduceMin(&pair) } else { try world.allReduceSum(&pair) } }.reason, .mismatched)
    try expect(try failure { if odd { _ = try world.allGather(1) } else { _ = try world.allGather(1.0) } }.reason, .mismatched)
    try expect(pair, [1, 2])
    try expect(try failure { try unlikeCounts(world) }.reason, .mismatched)
    try world.barrier()
}

/// Two elements on each rank, and each believes that the next one has three: the totals agree, the counts do not.
private func unlikeCounts(_ world: Communicator) throws {
    var counts = [Int](repeating: 2, count: world.worldSize)
    counts[(world.rank + 1) % world.worldSize] = 3
    var result = [UInt8](repeating: 0, count: counts.reduce(0, +))
    try [UInt8](repeating: 1, count: 2).withUnsafeBufferPointer { own in
        try result.withUnsafeMutableBufferPointer { try world.allGather(own, counts: counts, into: $0) }
    }
}

/// All ranks of a test job are on one host, unbound.
private func hosts(_ world: Communicator) throws {
    let hosts = world.hosts
    try expect(hosts.count, 1)
    try expect(hosts.ranks(on: 0), Array(0..<world.worldSize))
    try expect(hosts.localRank, world.rank)
    try expect(hosts.localSize, world.worldSize)
    try expect(hosts.names, Array(repeating: world.hostName, count: world.worldSize))
    try expect(hosts.coresPerRank, max(1, hosts.cores / world.worldSize))
}

/// Bytes of results: 8n gathered, 40 summed, 24 broadcast after a count of 8.
private func statistics(_ world: Communicator) throws {
    world.resetStatistics()
    try expect(world.statistics.total.calls, 0)
    _ = try world.allGather(1.0)
    var values = [Float](repeating: 1, count: 10)
    try world.allReduceSum(&values)
    _ = try world.broadcast([UInt8](repeating: 1, count: 24))
    try world.barrier()
    let (found, total) = (world.statistics, world.statistics.total)
    try expect(Collective.allCases.map { found[$0].calls }.reduce(0, +), total.calls)
    try expect(Collective.allCases.map { found[$0].bytes }.reduce(0, +), total.bytes)
    try expect([found[.allGather].calls, found[.allReduce].calls, found[.broadcast].calls, found[.barrier].calls], [1, 1, 2, 1])
    try expect([found[.allGather].bytes, found[.allReduce].bytes, found[.broadcast].bytes], [8 * world.worldSize, 40, 32])
    try expect([0, 5].contains(found[.agreement].calls), true)
    try expect(total.seconds >= found[.allReduce].seconds, true)
    world.resetStatistics()
    world.checksAgreement = false
    defer { world.checksAgreement = true }
    try world.barrier()
    try expect(world.statistics.total.calls, 1)
}

private func failure(_ body: () throws -> Void) throws -> CommError {
    do {
        try body()
    } catch let error as CommError {
        return error
    }
    throw CheckFailed(description: "no error, one was expected")
}
