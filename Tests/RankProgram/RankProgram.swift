// What the ranks of a test job run: `RankProgram all` for every check of Comm, the name of one check or fault, or a training job.
// A check compares with a closed formula in rank and worldSize. It throws or returns; the exit status is the verdict.

import Comm
import Glibc

typealias Check = @Sendable (Communicator) throws -> Void

@main
struct RankProgram {
    static func main() {
        let name = CommandLine.arguments.dropFirst().first ?? ""
        if name == "stop-request" { StopRequest.listen() }
        exit(
            World.run { world in
                if let job = faults[name] ?? trainingJobs[name] { return try job(world) }
                let wanted = checks.filter { name == "all" || name == $0.name }
                guard !wanted.isEmpty else { return 64 }
                for check in wanted {
                    world.phase = check.name
                    try check.body(world)
                }
                if world.rank == 0 { print("\(wanted.count) checks on \(world.worldSize) ranks") }
                return 0
            })
    }

    static let checks: [(name: String, body: Check)] = collectiveChecks + agreementChecks
}

/// What a check found instead of what it expected.
struct CheckFailed: Error, CustomStringConvertible {
    let description: String
}

func expect<T: Equatable>(_ found: T, _ expected: T, line: UInt = #line) throws {
    if found != expected { throw CheckFailed(description: "line \(line): \(found), expected \(expected)") }
}

/// Runs `body` with messages of at most `bytes`.
func withPieces(of bytes: Int, _ world: Communicator, _ body: () throws -> Void) rethrows {
    let before = world.pieceBytes
    world.pieceBytes = bytes
    defer { world.pieceBytes = before }
    try body()
}
