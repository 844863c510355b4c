// Signals from outside, sent to a running job.

import Foundation
import Glibc
import Support
import Testing

@Suite(.serialized) struct StopRequestTests {
    @Test(arguments: [SIGUSR1, SIGINT, SIGTERM]) func signalsStopARankAlone(signal: Int32) throws {
        #expect(try run([], ranks: nil) { kill($0, signal) }.exitCode == 75)
    }

    @Test func aSecondInterruptEndsTheProcess() throws {
        let result = try run(["stay"], ranks: nil) { id in
            kill(id, SIGINT)
            usleep(200_000)
            kill(id, SIGINT)
        }
        #expect(result.exitCode == 128 + SIGINT)
    }

    @Test func theUserSignalIsForwardedByMpirun() throws {
        #expect(try run([], ranks: 2) { kill($0, SIGUSR1) }.exitCode == 75)
    }

    @Test func terminationUnderMpirunIsLeftToMpirun() throws {
        let result = try run([], ranks: 2) { kill($0, SIGTERM) }
        #expect(result.exitCode == 1)
        #expect(result.seconds < 10)
    }

    /// Sends the signal once the job listens, which its ranks do before they meet.
    private func run(_ arguments: [String], ranks: Int?, _ send: (Int32) -> Void) throws -> JobResult {
        try MPILauncher.run("RankProgram", ["stop-request"] + arguments, ranks: ranks) { job in
            try job.wait(for: "listening")
            send(job.processID)
        }
    }
}
