// What this rank's collectives cost: calls, bytes and seconds of each kind.

/// The kinds of calls that are counted apart.
package enum Collective: String, CaseIterable, Sendable {
    case barrier
    case broadcast
    case allGather = "all-gather"
    case allReduce = "all-reduce"
    /// The header that ranks compare before a payload (see `Communicator.checksAgreement`).
    ///
    /// It is where a rank waits for the slower ones, so that the seconds of the other kinds are those of the transfer.
    case agreement
    /// The end of the run, which every rank must reach.
    case finish
}

/// Calls, bytes and seconds of one rank, since the start or the last reset.
///
///     let reduced = world.statistics[.allReduce]
///     print(reduced.calls, reduced.bytes, reduced.seconds)
package struct CommStatistics: Sendable, Equatable {
    /// The cost of one kind of call.
    package struct Entry: Sendable, Equatable {
        /// Number of calls.
        package internal(set) var calls = 0
        /// Bytes of the results: what was broadcast, gathered or reduced.
        package internal(set) var bytes = 0
        /// Wall-clock seconds inside the calls.
        package internal(set) var seconds = 0.0
    }

    private var entries: [Collective: Entry] = [:]

    /// What the calls of one kind of collective cost.
    package subscript(kind: Collective) -> Entry { entries[kind] ?? Entry() }

    /// What all calls cost together.
    package var total: Entry {
        entries.values.reduce(into: Entry()) { total, entry in
            total.calls += entry.calls
            total.bytes += entry.bytes
            total.seconds += entry.seconds
        }
    }

    mutating func record(_ kind: Collective, bytes: Int, seconds: Double) {
        entries[kind, default: Entry()].calls += 1
        entries[kind, default: Entry()].bytes += bytes
        entries[kind, default: Entry()].seconds += seconds
    }
}
