// Checks of the calls that move numbers. r is the rank, n the world size.

import Comm

let collectiveChecks: [(name: String, body: Check)] = [
    ("barrier", { world in try world.barrier() }),
    ("broadcast-bytes", broadcastBytes),
    ("broadcast-buffer", broadcastBuffer),
    ("all-gather-one", allGatherOne),
    ("all-gather-uneven", { world in try allGatherUneven(world, scale: 1) }),
    ("all-gather-nothing", allGatherNothing),
    ("all-gather-variable", { world in try allGatherVariable(world, scale: 1) }),
    ("all-reduce", { world in try allReduce(world, count: 5) }),
    ("all-reduce-minimum", allReduceMinimum),
    ("pieces", pieces),
]

/// Each rank is root once; only root knows how many bytes there are.
private func broadcastBytes(_ world: Communicator) throws {
    for root in 0..<world.worldSize {
        for count in [0, 1, 1000 * (root + 1)] {
            let expected = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + root) }
            let found = try world.broadcast(world.rank == root ? expected : [9, 9, 9], from: root)
            try expect(found, expected)
        }
    }
}

private func broadcastBuffer(_ world: Communicator) throws {
    let root = world.worldSize - 1
    var values = (0..<37).map { Double($0) * 0.5 + Double(world.rank) }
    try values.withUnsafeMutableBufferPointer { try world.broadcast($0, from: root) }
    try expect(values, (0..<37).map { Double($0) * 0.5 + Double(root) })
}

private func allGatherOne(_ world: Communicator) throws {
    let ranks = 0..<world.worldSize
    try expect(try world.allGather(world.rank), Array(ranks))
    try expect(try world.allGather(UInt8(world.rank) + 250), ranks.map { UInt8($0) + 250 })
    try expect(try world.allGather(UInt16(world.rank) + 65_530), ranks.map { UInt16($0) + 65_530 })
    try expect(try world.allGather(UInt64.max - UInt64(world.rank)), ranks.map { UInt64.max - UInt64($0) })
    try expect(try world.allGather(Int32.min + Int32(world.rank)), ranks.map { Int32.min + Int32($0) })
    try expect(try world.allGather(Int64.min + Int64(world.rank)), ranks.map { Int64.min + Int64($0) })
    try expect(try world.allGather(Float(world.rank) + 0.25), ranks.map { Float($0) + 0.25 })
    try expect(try world.allGather(Double(world.rank) + 1e-12), ranks.map { Double($0) + 1e-12 })
}

/// Rank r has 3r mod 4 elements times `scale`: 0, 3, 2, 1. Element i of rank r is 1000r + i.
private func counts(_ world: Communicator, scale: Int) -> [Int] { (0..<world.worldSize).map { $0 * 3 % 4 * scale } }

private func elements(_ rank: Int, _ count: Int) -> [Float] { (0..<count).map { Float(1000 * rank + $0) } }

private func allGatherUneven(_ world: Communicator, scale: Int) throws {
    let counts = counts(world, scale: scale)
    let local = elements(world.rank, counts[world.rank])
    var result = [Float](repeating: -1, count: counts.reduce(0, +))
    try local.withUnsafeBufferPointer { own in
        try result.withUnsafeMutableBufferPointer { try world.allGather(own, counts: counts, into: $0) }
    }
    try expect(result, counts.enumerated().flatMap { elements($0.offset, $0.element) })
}

private func allGatherNothing(_ world: Communicator) throws {
    try expect(try world.allGatherVariable([Int32]()), Array(repeating: [], count: world.worldSize))
}

private func allGatherVariable(_ world: Communicator, scale: Int) throws {
    let counts = counts(world, scale: scale)
    let found = try world.allGatherVariable(elements(world.rank, counts[world.rank]))
    try expect(found, counts.enumerated().map { elements($0.offset, $0.element) })
}

/// Element i of rank r is (r + 1)(i + 1); its sum over ranks (i + 1) n(n + 1)/2. Exact in every type here.
private func allReduce(_ world: Communicator, count: Int) throws {
    try reduceSum(world, count, Float.self)
    try reduceSum(world, count, Double.self)
    try reduceSum(world, count, Int32.self)
    try reduceSum(world, count, Int64.self)
    var large = [Int64(1) << 60, -(Int64(1) << 60) - 1]  // Beyond what a Double holds exactly.
    try world.allReduceSum(&large)
    try expect(large, [Int64(world.worldSize) << 60, -(Int64(world.worldSize) << 60) - Int64(world.worldSize)])
    var poisoned = [world.rank == world.worldSize - 1 ? Float.nan : 1]
    try world.allReduceSum(&poisoned)
    try expect(poisoned[0].isNaN, true)
}

private func reduceSum<T: MPIElement & Numeric & Equatable>(_ world: Communicator, _ count: Int, _ type: T.Type) throws {
    let n = world.worldSize
    var values = (0..<count).map { T(exactly: (world.rank + 1) * ($0 + 1))! }
    try world.allReduceSum(&values)
    try expect(values, (0..<count).map { T(exactly: ($0 + 1) * n * (n + 1) / 2)! })
    var again = (0..<count).map { T(exactly: world.rank + $0)! }
    try again.withUnsafeMutableBufferPointer { try world.allReduceSum($0) }
    try expect(again, (0..<count).map { T(exactly: n * (n - 1) / 2 + n * $0)! })
}

private func allReduceMinimum(_ world: Communicator) throws {
    var lowest: [Int32] = [Int32(-world.rank), Int32(world.rank), Int32.max]
    try world.allReduceMin(&lowest)
    try expect(lowest, [Int32(1 - world.worldSize), 0, Int32.max])
}

/// Messages of 40 bytes, then of less than an element: counts that divide evenly, that leave a rest, and that fit at once.
private func pieces(_ world: Communicator) throws {
    for bytes in [40, 3] {
        try withPieces(of: bytes, world) {
            try broadcastBytes(world)
            try broadcastBuffer(world)
            try allGatherUneven(world, scale: 7)
            try allGatherVariable(world, scale: 10)
            for count in [0, 5, 10, 11] { try allReduce(world, count: count) }
        }
    }
}
