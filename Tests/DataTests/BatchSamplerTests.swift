// The order of training: every row at most once an epoch, one task a batch, another order in every epoch.

import Testing

@testable import Data

@Suite struct BatchSamplerTests {
    /// 0 for 23 rows, 1 for 9, in turns at first.
    private let tasks = (0..<32).map { $0 < 18 ? $0 % 2 : 0 }

    private func sampler(_ rows: Int = 4, shuffles: Bool = true, seed: UInt64 = 42) -> BatchSampler {
        BatchSampler(tasks: tasks, batchRows: rows, shuffles: shuffles, seed: seed)
    }

    /// Rows of one kind in data sets, so many passes over each.
    private func sampler(sets: [(rows: Int, passes: Double)], batchRows: Int = 4, shuffles: Bool = true) -> BatchSampler {
        let kinds = Array(repeating: RowKind(task: 0), count: sets.reduce(0) { $0 + $1.rows })
        return BatchSampler(kinds: kinds, sets: sets, batchRows: batchRows, shuffles: shuffles, seed: 42)
    }

    /// How often each row is in an epoch whose batches are single rows.
    private func counts(_ sampler: BatchSampler, epoch: Int, rows: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: rows)
        for row in sampler.batches(epoch: epoch).joined() { counts[row] += 1 }
        return counts
    }

    @Test func anEpochTakesEachRowOnceAndLeavesTheRest() {
        let sampler = sampler()
        #expect(sampler.batchesPerEpoch == 7 && sampler.leftOver == 4)
        for epoch in 0..<5 {
            let batches = sampler.batches(epoch: epoch)
            #expect(batches.count == 7 && batches.allSatisfy { $0.count == 4 })
            let rows = batches.flatMap { $0 }
            #expect(Set(rows).count == rows.count && rows.allSatisfy(tasks.indices.contains))
            #expect(batches.allSatisfy { Set($0.map { tasks[$0] }).count == 1 }, "one task a batch")
        }
    }

    @Test func isAFunctionOfSeedAndEpoch() {
        let first = (0..<4).map { sampler().batches(epoch: $0) }
        #expect(first == (0..<4).map { sampler().batches(epoch: $0) })
        #expect(Set(first).count == 4, "epochs differ")
        #expect(first[0] != sampler(seed: 43).batches(epoch: 0))
        // Which rows are left over changes too.
        #expect(Set(first.map { Set($0.joined()) }).count > 1)
    }

    @Test func tasksAreMixed() {
        let order = (0..<20).map { sampler().batches(epoch: $0).map { tasks[$0[0]] } }
        #expect(Set(order).count > 3)
        #expect(order.allSatisfy { $0.sorted() == [0, 0, 0, 0, 0, 1, 1] })
    }

    @Test func withoutShufflingRowsComeInFileOrder() {
        let sampler = BatchSampler(tasks: [1, 1, 1, 1, 1, 0, 0, 0], batchRows: 2, shuffles: false, seed: 42)
        #expect(sampler.batches(epoch: 0) == [[0, 1], [2, 3], [5, 6]])
        #expect(sampler.batches(epoch: 3) == sampler.batches(epoch: 0))
        #expect(sampler.leftOver == 2)
    }

    @Test func stepsFallIntoEpochs() {
        #expect([0, 6, 7, 13, 14].map(sampler().epoch(ofStep:)) == [0, 0, 1, 1, 2])
    }

    @Test func aTaskWithFewerRowsThanABatchIsLeftOut() {
        let sampler = sampler(10)
        #expect(sampler.batchesPerEpoch == 2 && sampler.leftOver == 12)
        #expect(sampler.batches(epoch: 0).joined().allSatisfy { tasks[$0] == 0 })
    }

    @Test func passesTakeEveryRowSoOften() {
        let sampler = sampler(sets: [(10, 2), (10, 0.5), (10, 2.5), (3, 1)], batchRows: 1)
        #expect(sampler.rowsBySet == [20, 5, 25, 3] && sampler.batchesPerEpoch == 53 && sampler.leftOver == 0)
        var halves: Set<[Int]> = []
        for epoch in 0..<6 {
            let counts = counts(sampler, epoch: epoch, rows: 33)
            #expect(counts[..<10].allSatisfy { $0 == 2 } && counts[30...].allSatisfy { $0 == 1 })
            #expect(counts[10..<20].sorted() == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
            #expect(counts[20..<30].sorted() == [2, 2, 2, 2, 2, 3, 3, 3, 3, 3])
            halves.insert(Array(counts[10..<20]))
        }
        #expect(halves.count > 3, "another half in every epoch")
        #expect(counts(self.sampler(sets: [(3, 2.5)], batchRows: 1), epoch: 0, rows: 3).reduce(0, +) == 8, "to the nearest row")
    }

    /// 40 rows in proportion 3 : 1: every eight of them have six and two.
    @Test func setsAreMixedInTheirSharesAllAlong() {
        let sampler = sampler(sets: [(30, 1), (5, 2)], batchRows: 8)
        for epoch in 0..<4 {
            let batches = sampler.batches(epoch: epoch)
            #expect(batches.map { $0.count { $0 >= 30 } } == [2, 2, 2, 2, 2])
            let second = batches.joined().filter { $0 >= 30 }
            #expect(Set(second.prefix(5)) == Set(30..<35) && Set(second.suffix(5)) == Set(30..<35), "none again before the others")
        }
        #expect(Set((0..<4).map { sampler.batches(epoch: $0) }).count == 4)
    }

    @Test func rowsWithAndWithoutScoresDoNotShareABatch() {
        let kinds = (0..<40).map { RowKind(task: $0 % 2, isGraded: $0 >= 20) }
        let sampler = BatchSampler(kinds: kinds, sets: [(15, 1), (25, 1)], batchRows: 3, shuffles: true, seed: 1)
        #expect(sampler.batchesPerEpoch == 12 && sampler.leftOver == 4)
        let batches = sampler.batches(epoch: 0)
        #expect(batches.allSatisfy { Set($0.map { kinds[$0] }).count == 1 })
        #expect(Set(batches.map { kinds[$0[0]] }).count == 4)
        // Ungraded rows of both sets are mixed.
        let mixed = batches.filter { !kinds[$0[0]].isGraded }
        #expect(mixed.contains { Set($0.map { $0 < 15 }).count == 2 })
    }

    @Test func leftOverRowsCountPasses() {
        let sampler = sampler(sets: [(10, 0.7), (10, 1.5)], batchRows: 5)
        #expect(sampler.rowsBySet == [7, 15] && sampler.batchesPerEpoch == 4 && sampler.leftOver == 2 && sampler.largestKind == 22)
    }

    @Test func withoutShufflingASetIsRepeatedInItsOrder() {
        let sampler = sampler(sets: [(2, 2), (3, 1)], batchRows: 7, shuffles: false)
        #expect(sampler.batches(epoch: 3) == [[0, 1, 0, 1, 2, 3, 4]])
    }

    /// Each row leads the epoch's first batch about equally often.
    @Test func theOrderIsFair() {
        let sampler = BatchSampler(tasks: Array(repeating: 0, count: 10), batchRows: 5, shuffles: true, seed: 1)
        var counts = [Int](repeating: 0, count: 10)
        for epoch in 0..<2000 { counts[sampler.batches(epoch: epoch)[0][0]] += 1 }
        // Expected 200 with a deviation of 13.4 each.
        #expect(counts.allSatisfy { (130...270).contains($0) }, "\(counts)")
    }
}

extension BatchSampler {
    /// Of one data set without scores, each row once an epoch.
    init(tasks: [Int], batchRows: Int, shuffles: Bool, seed: UInt64) {
        self.init(
            kinds: tasks.map { RowKind(task: $0) }, sets: [(tasks.count, 1)], batchRows: batchRows, shuffles: shuffles, seed: seed)
    }
}
