// Gathering that goes on while the caller computes: begun by every rank, waited for by every rank, in the same order.

import COpenMPI

/// A gather that has begun. `wait()` must be called before its result is read, and before the communicator ends.
package final class PendingGather<T: MPIElement> {
    private let world: Communicator
    private let site: CallSite
    private let bytes: Int
    /// MPI reads both until the end.
    private let counts: UnsafeMutablePointer<Int32>
    private let starts: UnsafeMutablePointer<Int32>
    /// Keeps the memory that MPI writes to.
    private let owner: AnyObject
    fileprivate var request: MPI_Request?

    fileprivate init(_ world: Communicator, counts: [Int], starts: [Int], bytes: Int, owner: AnyObject, _ site: CallSite) {
        self.owner = owner
        self.world = world
        self.site = site
        self.bytes = bytes
        self.counts = .allocate(capacity: counts.count)
        self.counts.initialize(from: counts.map(Int32.init), count: counts.count)
        self.starts = .allocate(capacity: starts.count)
        self.starts.initialize(from: starts.map(Int32.init), count: starts.count)
    }

    /// A rank that leaves on an error, before it has waited, leaves MPI what MPI may still read and write.
    deinit {
        guard request == nil else {
            _ = Unmanaged.passRetained(owner)
            return
        }
        counts.deallocate()
        starts.deallocate()
    }

    fileprivate func begin(_ result: UnsafeMutableBufferPointer<T>, over comm: MPI_Comm) throws(CommError) {
        let type = T.mpiType.handle
        let status = MPI_Iallgatherv(shoal_in_place(), 0, type, result.baseAddress, counts, starts, type, comm, &request)
        try world.check(status, "MPI_Iallgatherv", site)
    }

    /// Returns when every rank's part has come.
    package func wait() throws(CommError) {
        guard request != nil else { return }
        let start = ContinuousClock.now
        let status = shoal_wait(&request)
        request = nil
        try world.check(status, "MPI_Wait", site)
        world.state.shared.statistics.record(.allGather, bytes: bytes, seconds: start.secondsToNow)
    }
}

extension Communicator {
    /// Begins what `allGather(_:counts:into:)` does. `result` is memory of `owner`, which is held until `wait()` returns.
    ///
    /// Collective, with the same `counts`. Standard: section 5.12.5. What one message would not hold is gathered at once.
    package func beginAllGather<T: MPIElement>(
        _ local: Span<T>, counts: [Int], into result: UnsafeMutableBufferPointer<T>, of owner: AnyObject,
        file: StaticString = #fileID, line: UInt = #line
    ) throws(CommError) -> PendingGather<T> {
        let starts = checkedStarts(of: local.count, counts, result.count)
        let site = CallSite(file: file, line: line)
        let pending = PendingGather<T>(
            self, counts: counts, starts: starts, bytes: result.count * MemoryLayout<T>.stride, owner: owner, site)
        guard pieces(of: result.count, T.self).count == 1 else {
            try local.withUnsafeBufferPointer { local throws(CommError) in
                try allGather(local, counts: counts, into: result, file: file, line: line)
            }
            return pending
        }
        let own = UnsafeMutableBufferPointer(rebasing: result[starts[rank]..<(starts[rank] + local.count)])
        local.withUnsafeBufferPointer { _ = own.update(from: $0) }
        let call = CollectiveCall(.allGather, T.mpiType, result.count, detail: CollectiveCall.hash(counts), site: site)
        try perform(call, bytes: 0) { comm throws(CommError) in try pending.begin(result, over: comm) }
        return pending
    }
}
