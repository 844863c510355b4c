// The order of training: every row at most once an epoch, one task a batch, another order in every epoch.

import Testing

@testable import Trainer

@Suite struct BatchSamplerTests {
    /// 0 for 23 rows, 1 for 9, in turns at first.
    private let tasks = (0..<32).map { $0 < 18 ? $0 % 2 : 0 }

    private func sampler(_ rows: Int = 4, shuffles: Bool = true, seed: UInt64 = 42) -> BatchSampler {
        BatchSampler(tasks: tasks, batchRows: rows, shuffles: shuffles, seed: seed)
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

    /// Each row leads the epoch's first batch about equally often.
    @Test func theOrderIsFair() {
        let sampler = BatchSampler(tasks: Array(repeating: 0, count: 10), batchRows: 5, shuffles: true, seed: 1)
        var counts = [Int](repeating: 0, count: 10)
        for epoch in 0..<2000 { counts[sampler.batches(epoch: epoch)[0][0]] += 1 }
        // Expected 200 with a deviation of 13.4 each.
        #expect(counts.allSatisfy { (130...270).contains($0) }, "\(counts)")
    }
}
