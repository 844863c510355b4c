// From a parsed command to a world of ranks and an exit code: every command ends here.

import ArgumentParser
import Comm
import Files
import Foundation
import Trainer

/// Runs the body of a command on every rank and exits.
///
/// A `UserError` is the same on all ranks: rank 0 says it, once, and all leave with its code.
func runOnAllRanks(_ body: (Communicator, Console) throws -> Int32) -> Never {
    StopRequest.listen()
    let code = World.run { world in
        let console = Console(rank: world.rank)
        do {
            try world.requireSameCommandLine()
            return try body(world, console)
        } catch let error as UserError {
            console.write(line: error.lineForUser)
            return error.code.rawValue
        }
    }
    Foundation.exit(code)
}

/// A command line that parses but cannot be meant.
func usageError(_ message: String) -> UserError { UserError(.usage, message) }

extension Communicator {
    /// Throws on every rank when the ranks were started with different command lines.
    ///
    /// Collective.
    fileprivate func requireSameCommandLine() throws {
        let arguments = CommandLine.arguments.dropFirst().joined(separator: "\u{0}")
        try requireSame(Array(arguments.utf8)) { differing, reference in
            UserError(
                .configuration,
                "the ranks were started with different command lines: \(differing) differently from \(reference); "
                    + "start all with one mpirun command")
        }
    }
}
