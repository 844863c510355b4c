// Ranks that differ must not go on: neither in the calls they make nor in the values they hold. MPI notices neither.
// Every function here gives the same answer, or throws, on all ranks.

import COpenMPI

extension Communicator {
    /// Whether `value` is true on every rank.
    ///
    /// Collective. A vote by integers.
    package func allTrue(_ value: Bool, file: StaticString = #fileID, line: UInt = #line) throws(CommError) -> Bool {
        var votes: [Int32] = [value ? 1 : 0]
        try allReduceMin(&votes, file: file, line: line)
        return votes[0] == 1
    }

    /// Whether `value` is true on at least one rank.
    ///
    /// Collective. A vote by integers.
    package func anyTrue(_ value: Bool, file: StaticString = #fileID, line: UInt = #line) throws(CommError) -> Bool {
        try !allTrue(!value, file: file, line: line)
    }
}

/// One call of a collective, with all that must be the same on every rank.
struct CollectiveCall: CustomStringConvertible {
    let kind: Collective
    let element: MPIType?
    let count: Int
    /// The rest that must agree: root, operation, hash of the counts, exit code.
    let detail: Int
    let site: CallSite

    init(_ kind: Collective, _ element: MPIType? = nil, _ count: Int = 0, detail: Int = 0, site: CallSite) {
        self.kind = kind
        self.element = element
        self.count = count
        self.detail = detail
        self.site = site
    }

    var description: String {
        guard let element else { return kind == .finish ? "end of run with code \(detail)" : kind.rawValue }
        let how =
            switch kind {
            case .broadcast: " from rank \(detail)"
            case .allReduce: Reduction(rawValue: detail).map { " by \($0)" } ?? ""
            case .allGather where detail != 0: " with counts of hash \(String(UInt(bitPattern: detail), radix: 16))"
            case .allGather, .barrier, .agreement, .finish: ""
            }
        return "\(kind.rawValue) of \(count) \(element)\(how)"
    }

    /// FNV-1a over the counts of an uneven gather, which are too many for a header.
    static func hash(_ counts: [Int]) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for count in counts { hash = (hash ^ UInt64(bitPattern: Int64(count))) &* 0x0000_0100_0000_01b3 }
        return Int(truncatingIfNeeded: hash)
    }

    /// The call as numbers that ranks compare.
    func header(_ sequence: Int) -> [Int] {
        let index = Collective.allCases.firstIndex(of: kind)!
        return [sequence, index, Int(element?.rawValue ?? 0), count, detail]
    }
}

extension Communicator {
    /// Throws on every rank when the ranks are not all at the same call with the same shape.
    ///
    /// One all-reduce of 80 bytes: the maximum of the header and of its complement, which is the minimum. Measured: 1 µs between two
    /// ranks of a host, 10 µs among four on two cores, a few percent of a call of 64 KiB. It is made for calls of any size: were it
    /// left out above some size, ranks that differ in the count would differ in whether they make it.
    func requireSameCall(_ call: CollectiveCall, _ comm: MPI_Comm) throws(CommError) {
        state.sequence += 1
        guard state.shared.checksAgreement else { return }
        let start = ContinuousClock.now
        let header = call.header(state.sequence)
        var extremes = header + header.map(~)
        let status = MPI_Allreduce(
            shoal_in_place(), &extremes, Int32(extremes.count), Int.mpiType.handle, Reduction.max.handle, comm)
        try check(status, "MPI_Allreduce", call.site)
        let same = header.indices.allSatisfy { extremes[$0] == ~extremes[$0 + header.count] }
        state.shared.statistics.record(.agreement, bytes: extremes.count * MemoryLayout<Int>.stride, seconds: start.secondsToNow)
        guard same else { throw try mismatch(call) }
    }

    /// Tells what rank 0 and the first rank that differs from it were about to do. Called by all ranks.
    private func mismatch(_ call: CollectiveCall) throws(CommError) -> CommError {
        state.shared.checksAgreement = false  // The ranks meet here, each from another call.
        let sequence = state.sequence
        let calls = try allGatherVariable(Array("\(call), call \(sequence) (\(call.site))".utf8))
        let headers = try allGatherVariable(call.header(sequence))
        state.shared.checksAgreement = true
        state.sequence = sequence
        let other = headers.firstIndex { $0 != headers[0] } ?? 0
        let words = [0, other].map { "\(hosts.describe([$0])) at \(String(decoding: calls[$0], as: UTF8.self))" }
        return CommError(
            reason: .mismatched, message: "ranks are at different calls: \(words.joined(separator: ", "))", exitCode: 70, site: call.site)
    }
}
