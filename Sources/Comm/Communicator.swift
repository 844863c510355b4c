// One rank's view of the world: who it is, and the one gate through which every MPI call goes.
// Without a launcher the world has one rank, MPI is never touched, and collectives are copies.

import COpenMPI
import Glibc

/// All ranks of the run, as one of them sees them. A handle: copies talk to the same world.
///
///     World.run { world in
///         let lengths = try world.allGather(texts.count)        // [worldSize], the same on every rank
///         try world.allReduceSum(&gradients)
///         return 0
///     }
///
/// Collectives are called by every rank, in the same order, from the thread that called `World.run`.
package struct Communicator: Sendable {
    /// This rank, in 0..<worldSize.
    package let rank: Int
    /// Number of ranks.
    package let worldSize: Int
    /// The hosts of all ranks, and this rank's cores.
    package internal(set) var hosts: Hosts
    let state: State

    /// Name of this rank's host.
    package var hostName: String { hosts.names[rank] }

    /// A word for what this rank does now: it stands in the line that a failing rank leaves.
    package var phase: String {
        get { state.phase }
        nonmutating set { state.phase = newValue }
    }

    /// Cost of the collectives since the start, or since `resetStatistics`.
    package var statistics: CommStatistics { state.shared.statistics }

    /// Begins to count anew.
    package func resetStatistics() { state.shared.statistics = CommStatistics() }

    /// Whether ranks compare a header (call, element type, count, sequence number) before each payload: MPI itself
    /// reports success on one side when counts differ. Set alike on every rank; on unless switched off.
    package var checksAgreement: Bool {
        get { state.shared.checksAgreement }
        nonmutating set { state.shared.checksAgreement = newValue }
    }

    /// The largest message in bytes. MPI's counts are 32-bit; longer buffers go in pieces. Set alike on every rank.
    package var pieceBytes: Int {
        get { state.shared.pieceBytes }
        nonmutating set {
            precondition(newValue > 0, "pieceBytes: \(newValue)")
            state.shared.pieceBytes = newValue
        }
    }
}

extension Communicator {
    /// The settings and statistics that a world has in common with those that are split from it.
    final class Shared {
        var checksAgreement = true
        var pieceBytes = 256 << 20
        var statistics = CommStatistics()
    }

    /// Confined to the thread that made it: every collective checks that, which is why copies of the handle may travel.
    final class State: @unchecked Sendable {
        /// MPI's handle of the world; nil in a world of one without a launcher: MPI is then not initialised.
        let handle: MPI_Comm?
        let thread = pthread_self()
        var phase = "start"
        var sequence = 0
        let shared: Shared

        init(_ handle: MPI_Comm?, _ shared: Shared = Shared()) {
            self.handle = handle
            self.shared = shared
        }
    }

    /// A world of one, without MPI.
    package static func alone() -> Communicator {
        Communicator(rank: 0, worldSize: 1, hosts: .assumed(), state: State(nil))
    }

    /// The gate: turns a status of MPI into an error with MPI's own words.
    func check(_ status: Int32, _ call: String, _ site: CallSite) throws(CommError) {
        guard status != 0 else { return }
        var words = [CChar](repeating: 0, count: Int(SHOAL_ERROR_STRING_BYTES))
        var length: Int32 = 0
        MPI_Error_string(status, &words, &length)
        let message = String(decoding: words.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw CommError(reason: .failed(call: call), message: message, exitCode: 74, site: site)
    }

    /// Runs one collective: compares its header between ranks, then sends, and counts both.
    ///
    /// `send` is not called in a world without MPI; what it would do is then done already, or is the caller's copy.
    func perform(
        _ call: CollectiveCall, bytes: Int, _ send: (MPI_Comm) throws(CommError) -> Void
    ) throws(CommError) {
        precondition(pthread_equal(pthread_self(), state.thread) != 0, "\(call): not on the thread that called World.run")
        guard let handle = state.handle else {
            state.shared.statistics.record(call.kind, bytes: bytes, seconds: 0)
            return
        }
        try requireSameCall(call, handle)
        let start = ContinuousClock.now
        try send(handle)
        state.shared.statistics.record(call.kind, bytes: bytes, seconds: start.secondsToNow)
    }

    /// Ranges of `count` elements of type T, each as long as one MPI call can carry.
    func pieces<T: MPIElement>(of count: Int, _ type: T.Type) -> [Range<Int>] {
        let length = max(1, min(state.shared.pieceBytes / MemoryLayout<T>.stride, Int(Int32.max)))
        return stride(from: 0, to: count, by: length).map { $0..<min(count, $0 + length) }
    }
}

extension ContinuousClock.Instant {
    var secondsToNow: Double {
        let (seconds, attoseconds) = duration(to: .now).components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
