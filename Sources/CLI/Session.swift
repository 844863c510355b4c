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
            try world.requireSameCommandLine(Array(CommandLine.arguments.dropFirst()))
            return try body(world, console)
        } catch let error as UserError {
            console.write(line: error.lineForUser)
            return error.code.rawValue
        } catch let error as CommError {
            guard case .different = error.reason else { throw error }
            console.write(line: "shoal: \(error)")
            return error.exitCode
        }
    }
    Foundation.exit(code)
}

/// A command line that parses but cannot be meant.
func usageError(_ message: String) -> UserError { UserError(.usage, message) }
