// Which rows have been seen: 24 bytes a row, shared among the ranks. A key belongs to the rank that its hash names, which sees the
// rows of all ranks in the order of the input, so that the first of equal rows stays, whoever read it.

import Comm
import Data

/// What an earlier row was to a row.
enum Earlier: Int32 {
    /// There was none like it.
    case none
    /// The same bytes.
    case same
    /// The same in normal form.
    case alike
}

/// The keys of all rows so far that belong to this rank.
struct DuplicateIndex {
    private var seen: [ContentHash: Int64] = [:]
    private let world: Communicator

    init(_ world: Communicator) { self.world = world }

    /// Takes the rows of a round, those of rank 0 before those of rank 1.
    ///
    /// Collective.
    /// - Parameter own: the keys of this rank's rows in the order of the input
    /// - Returns: what was earlier than each of them                       [own]
    mutating func take(_ own: [RowKeys]) throws -> [Earlier] {
        let all = try world.allGatherVariable(own.flatMap { [$0.key.high, $0.key.low, $0.exact] })
        let first = all[..<world.rank].reduce(0) { $0 + $1.count / 3 }
        var answers: [Int32] = []
        for part in all {
            for place in stride(from: 0, to: part.count, by: 3) {
                let key = ContentHash(high: part[place], low: part[place + 1])
                guard Int(UInt64(bitPattern: key.low) % UInt64(world.worldSize)) == world.rank else {
                    answers.append(0)
                    continue
                }
                if let earlier = seen[key] {
                    answers.append((earlier == part[place + 2] ? Earlier.same : .alike).rawValue)
                } else {
                    seen[key] = part[place + 2]
                    answers.append(Earlier.none.rawValue)
                }
            }
        }
        // Each answer is one rank's; the others say 0.
        try world.allReduceSum(&answers)
        return answers[first..<first + own.count].map { Earlier(rawValue: $0)! }
    }
}
