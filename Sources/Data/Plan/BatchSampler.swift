// The order of training: which rows make the global batch of a step. A pure function of seed, epoch and step, the same on
// every rank and at every world size; resuming needs the number of the step and nothing else.
//
//     data sets × passes → rows of one kind, in order → batches → the batches of all kinds, mixed

import Tensor

/// Global batches of one kind of rows each, epoch after epoch.
///
/// An epoch takes every row of a data set as often as the set has passes, of a part of a pass a seeded choice that is another in
/// every epoch. Sets whose rows may share a batch are mixed evenly: every stretch of an epoch has them in their shares, and a row
/// comes again only after the others of its set. Rows left over at an epoch's end, fewer than a batch in each kind, are not used.
package struct BatchSampler: Sendable {
    /// The rows of one data set that may share a batch.
    private struct Share {
        /// Index of the data set.
        let set: Int
        let rows: [Int]
        /// Number of rows that an epoch takes, each row once before any is taken again.
        let count: Int
    }

    /// All rows that may share a batch.
    private struct Group {
        let kind: RowKind
        let shares: [Share]
        let count: Int
    }

    /// Rows of a global batch.
    package let batchRows: Int
    /// Global batches of an epoch.
    package let batchesPerEpoch: Int
    /// Number of rows that an epoch leaves out at its end.
    package let leftOver: Int
    /// Number of rows that an epoch takes of each data set, those left over included.    [sets]
    package let rowsBySet: [Int]
    /// The groups, in the order of their first rows.
    private let groups: [Group]
    private let shuffles: Bool
    private let stream: RandomStream

    /// Lays out the epochs.
    ///
    /// - Parameters:
    ///   - kinds: the kind of every row, set by set
    ///   - sets: rows of each data set, and passes over them in an epoch: 2.5 takes each row twice and half of them once more. To
    ///     the nearest row
    ///   - batchRows: rows of a global batch
    ///   - shuffles: false takes rows in file order, the kinds one after the other, from the first row in every epoch
    package init(kinds: [RowKind], sets: [(rows: Int, passes: Double)], batchRows: Int, shuffles: Bool, seed: UInt64) {
        precondition(batchRows > 0, "sampler: batches of \(batchRows) rows")
        precondition(kinds.count == sets.reduce(0) { $0 + $1.rows }, "sampler: \(kinds.count) rows in sets of \(sets.map(\.rows))")
        self.batchRows = batchRows
        self.shuffles = shuffles
        groups = Self.groups(kinds, sets)
        batchesPerEpoch = groups.reduce(0) { $0 + $1.count / batchRows }
        leftOver = groups.reduce(0) { $0 + $1.count % batchRows }
        let shares = groups.flatMap(\.shares)
        rowsBySet = sets.indices.map { set in shares.reduce(0) { $0 + ($1.set == set ? $1.count : 0) } }
        stream = RandomStream(seed).stream("order")
    }

    /// The largest number of rows of one kind that an epoch takes.
    package var largestKind: Int { groups.map(\.count).max() ?? 0 }

    /// Kinds that have rows, with the number that an epoch takes of them, and whether they fill a batch.
    package var kinds: [(kind: RowKind, rows: Int, fillsBatch: Bool)] { groups.map { ($0.kind, $0.count, $0.count >= batchRows) } }

    /// The epoch that a step belongs to, counted from 0.
    ///
    /// - Parameter step: counted from 0
    package func epoch(ofStep step: Int) -> Int { step / batchesPerEpoch }

    /// The batches of an epoch, each a list of rows.               [batchesPerEpoch][batchRows]
    package func batches(epoch: Int) -> [[Int]] {
        let stream = stream.stream(UInt64(epoch))
        var batches: [[Int]] = []
        for (number, group) in groups.enumerated() {
            let order = order(of: group, stream.stream(UInt64(number)))
            for start in stride(from: 0, through: order.count - batchRows, by: batchRows) {
                batches.append(Array(order[start..<start + batchRows]))
            }
        }
        guard shuffles, groups.count > 1 else { return batches }
        return stream.stream("batches").permutation(batches.count).map { batches[$0] }
    }

    private static func groups(_ kinds: [RowKind], _ sets: [(rows: Int, passes: Double)]) -> [Group] {
        var (order, rows): ([RowKind], [RowKind: [Int: [Int]]]) = ([], [:])
        var row = 0
        for (set, content) in sets.enumerated() {
            for kind in kinds[row..<row + content.rows] {
                if rows[kind] == nil { order.append(kind) }
                rows[kind, default: [:]][set, default: []].append(row)
                row += 1
            }
        }
        return order.map { kind in
            let shares = rows[kind]!.sorted { $0.key < $1.key }.map { set, rows in
                Share(set: set, rows: rows, count: Int((sets[set].passes * Double(rows.count)).rounded()))
            }
            return Group(kind: kind, shares: shares, count: shares.reduce(0) { $0 + $1.count })
        }
    }

    private func order(of group: Group, _ stream: RandomStream) -> [Int] {
        let passes = group.shares.map { share in
            let stream = stream.stream(UInt64(share.set))
            var order: [Int] = []
            for pass in 0... {
                guard order.count < share.count else { break }
                let rows = shuffles ? stream.stream(UInt64(pass)).permutation(share.rows.count).map { share.rows[$0] } : share.rows
                order += rows.prefix(share.count - order.count)
            }
            return order
        }
        return shuffles ? interleaved(passes) : Array(passes.joined())
    }
}

/// Lists merged in proportion: entry j of n has its place at (j + ½) / n of the whole. Of equal places the first list's is first.
private func interleaved(_ lists: [[Int]]) -> [Int] {
    guard lists.count > 1 else { return lists.first ?? [] }
    var next = [Int](repeating: 0, count: lists.count)
    var places = lists.map { $0.isEmpty ? .infinity : 0.5 / Double($0.count) }
    return (0..<lists.reduce(0) { $0 + $1.count }).map { _ in
        let list = places.indices.min { places[$0] < places[$1] }!
        let entry = lists[list][next[list]]
        next[list] += 1
        places[list] = next[list] == lists[list].count ? .infinity : (Double(next[list]) + 0.5) / Double(lists[list].count)
        return entry
    }
}

/// The batches of the epoch that a step belongs to, kept until the next epoch.
package struct BatchCursor {
    private let sampler: BatchSampler
    private var epoch = -1
    private var batches: [[Int]] = []

    /// Creates a cursor that has read no epoch.
    package init(_ sampler: BatchSampler) { self.sampler = sampler }

    /// The rows of a step's global batch.                           [batchRows]
    ///
    /// - Parameter step: counted from 0
    package mutating func batch(ofStep step: Int) -> [Int] {
        if sampler.epoch(ofStep: step) != epoch {
            epoch = sampler.epoch(ofStep: step)
            batches = sampler.batches(epoch: epoch)
        }
        return batches[step % sampler.batchesPerEpoch]
    }
}
