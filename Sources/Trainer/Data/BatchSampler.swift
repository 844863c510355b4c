// The order of training: which rows make the global batch of a step. A pure function of seed, epoch and step, the same on
// every rank and at every world size; resuming needs the number of the step and nothing else.

import Tensor

/// Global batches of one task each, epoch after epoch.
///
/// Rows left over at an epoch's end, fewer than a batch in each task, are not used in that epoch.
package struct BatchSampler: Sendable {
    package let batchRows: Int
    package let batchesPerEpoch: Int
    /// Rows that an epoch leaves out.
    package let leftOver: Int
    private let rowsByTask: [[Int]]
    private let shuffles: Bool
    private let stream: RandomStream

    /// - Parameters:
    ///   - tasks: the task of each row, counted from 0, in file order
    ///   - batchRows: rows of a global batch
    ///   - shuffles: false takes rows in file order, the tasks one after the other, from the first row in every epoch
    package init(tasks: [Int], batchRows: Int, shuffles: Bool, seed: UInt64) {
        precondition(batchRows > 0, "sampler: batches of \(batchRows) rows")
        self.batchRows = batchRows
        self.shuffles = shuffles
        var rows = [[Int]](repeating: [], count: (tasks.max() ?? 0) + 1)
        for (row, task) in tasks.enumerated() { rows[task].append(row) }
        rowsByTask = rows.filter { !$0.isEmpty }.sorted { $0[0] < $1[0] }
        batchesPerEpoch = rowsByTask.reduce(0) { $0 + $1.count / batchRows }
        leftOver = rowsByTask.reduce(0) { $0 + $1.count % batchRows }
        stream = RandomStream(seed).stream("order")
    }

    /// The epoch that a step belongs to, counted from 0.
    ///
    /// - Parameter step: counted from 0
    package func epoch(ofStep step: Int) -> Int { step / batchesPerEpoch }

    /// The batches of an epoch, each a list of rows.               [batchesPerEpoch][batchRows]
    package func batches(epoch: Int) -> [[Int]] {
        let stream = stream.stream(UInt64(epoch))
        var batches: [[Int]] = []
        for (task, rows) in rowsByTask.enumerated() {
            let order = shuffles ? stream.stream(UInt64(task)).permutation(rows.count).map { rows[$0] } : rows
            for start in stride(from: 0, through: order.count - batchRows, by: batchRows) {
                batches.append(Array(order[start..<start + batchRows]))
            }
        }
        guard shuffles, rowsByTask.count > 1 else { return batches }
        return stream.stream("batches").permutation(batches.count).map { batches[$0] }
    }
}

/// The batches of the epoch that a step belongs to, kept until the next epoch.
struct BatchCursor {
    private let sampler: BatchSampler
    private var epoch = -1
    private var batches: [[Int]] = []

    init(_ sampler: BatchSampler) { self.sampler = sampler }

    /// - Parameter step: counted from 0
    mutating func batch(ofStep step: Int) -> [Int] {
        if sampler.epoch(ofStep: step) != epoch {
            epoch = sampler.epoch(ofStep: step)
            batches = sampler.batches(epoch: epoch)
        }
        return batches[step % sampler.batchesPerEpoch]
    }
}
