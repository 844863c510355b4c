// Signals from outside, sent to a running job.

import Foundation
import Glibc
import Support
import Testing

@Suite(.serialized) struct StopRequestTests {
    @Test(arguments: [SIGUSR1, SIGINT, SIGTERM]) func signalsStopARankAlone(signal: Int32) throws {
        #expect(try run([], ranks: nil) { kill($0.processID, signal) }.exitCode == 75)
    }

    @Test func aSecondInterruptEndsTheProcess() throws {
        let result = try run(["stay"], ranks: nil) { job in
            kill(job.processID, SIGINT)
            try job.wait(for: "asked")
            kill(job.processID, SIGINT)
        }
        #expect(result.exitCode == 128 + SIGINT)
    }

    @Test func theUserSignalIsForwardedByMpirun() throws {
        #expect(try run([], ranks: 2) { kill($0.processID, SIGUSR1) }.exitCode == 75)
    }

    @Test func terminationUnderMpirunIsLeftToMpirun() throws {
        let result = try run([], ranks: 2) { kill($0.processID, SIGTERM) }
        #expect(result.exitCode == 1 && !result.timedOut)
        #expect(!result.standardOutput.contains("asked"))
    }

    /// Sends the signal once the job listens, which its ranks do before they meet.
    private func run(_ arguments: [String], ranks: Int?, _ send: (RunningJob) throws -> Void) throws -> JobResult {
        try MPILauncher.run("RankProgram", ["stop-request"] + arguments, ranks: ranks) { job in
            try job.wait(for: "listening")
            try send(job)
        }
    }
}
