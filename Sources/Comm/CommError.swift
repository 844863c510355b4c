// What can go wrong between ranks, and the exit status that follows from it. Rank and host are put in front
// once, by World.run.

/// An error that names the exit status of the process that it ends, in 1...125.
package protocol ExitCoded: Error {
    /// Exit status of the process, in 1...125.
    var exitCode: Int32 { get }
}

/// A failure of communication, or ranks that disagree.
package struct CommError: ExitCoded, CustomStringConvertible {
    /// What kind of failure it is.
    package enum Reason: Sendable, Equatable {
        /// MPI reported a failure of this call. Nothing can be sent any more.
        case failed(call: String)
        /// The ranks called different collectives, or the same with different shapes. Thrown on every rank.
        case mismatched
        /// The processes were started in a way that does not make them one world.
        case launch
    }

    /// What kind of failure it is.
    package let reason: Reason
    /// What happened, as a sentence.
    package let message: String
    /// Exit status after BSD's sysexits(3): 70 mismatched calls, 74 MPI failed, 78 launch.
    package let exitCode: Int32
    /// Where the collective was called.
    package let site: CallSite

    /// The message, with the place of the call where that helps.
    package var description: String {
        switch reason {
        case .failed(let call): "\(site): \(call): \(message)"
        case .mismatched: "\(site): \(message)"
        case .launch: message
        }
    }
}

/// Where a collective was called.
package struct CallSite: Sendable, CustomStringConvertible {
    let file: StaticString
    let line: UInt

    /// The message, with the place of the call where that helps.
    package var description: String { "\(file):\(line)" }
}
