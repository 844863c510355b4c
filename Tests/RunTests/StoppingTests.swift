// Runs that are asked to stop, and runs that are killed: what is saved carries on to the same end.

import Foundation
import Glibc
import Support
import Testing

extension RunTests {
    @Suite struct StoppingTests {
        private static let steps = 30
        private static let settings = ["--set", "training.max_steps=\(steps)"]

        @Test(arguments: [SIGINT, SIGTERM, SIGUSR1]) func aSignalStopsARankAlone(signal: Int32) throws {
            try expectStop(ranks: nil) { kill($0.processID, signal) }
        }

        @Test func theUserSignalToMpirunStopsAllRanks() throws {
            try expectStop(ranks: 2) { kill($0.processID, SIGUSR1) }
        }

        @Test func theUserSignalToOneRankStopsAllRanks() throws {
            try expectStop(ranks: 2) { kill(try #require(try $0.children().last), SIGUSR1) }
        }

        @Test(arguments: smallWorlds) func theStopFileStopsTheRun(ranks: Int?) throws {
            let project = try RunProject(.embedded)
            try expectStop(project, ranks: ranks) { _ in try project.folder.write("run/STOP", "") }
        }

        @Test func aStopFileOfBeforeIsPassedOver() throws {
            let project = try RunProject()
            try FileManager.default.createDirectory(atPath: project.path("run"), withIntermediateDirectories: false)
            try project.folder.write("run/STOP", "")
            let result = try project.train(["--set", "training.max_steps=3"])
            result.expect(0)
            #expect(result.standardError.contains("run/STOP: removed"))
        }

        enum Victim: CaseIterable { case rankAlone, firstRank, lastRank, mpirun }

        @Test(arguments: Victim.allCases) func aKilledRunGoesOn(victim: Victim) throws {
            let project = try RunProject(.embedded)
            let settings = Self.settings + ["--set", "training.save_steps=2"]
            var ranks: [Int32] = []
            let killed = try project.train(settings, ranks: victim == .rankAlone ? nil : 2) { job in
                try project.files().wait(forStep: 5)
                ranks = try job.children()
                let process =
                    switch victim {
                    case .rankAlone, .mpirun: job.processID
                    case .firstRank: try #require(ranks.first)
                    case .lastRank: try #require(ranks.last)
                    }
                kill(process, SIGKILL)
            }
            killed.expect(128 + SIGKILL)
            #expect(!killed.timedOut)
            try expectEnd(of: ranks)

            let steps = try project.files().steps().count
            #expect((5..<Self.steps).contains(steps))
            let newest = project.files().checkpoints.compactMap { Int($0.dropFirst("step-".count)) }.max()
            #expect(try #require(newest) >= 4)
            let resumed = try project.train(settings + ["--resume"], ranks: 2)
            resumed.expect(0)
            #expect(resumed.standardError.contains("resumed after step \(newest!)"))
            try expectUnbroken(project.files())
        }

        // MARK: Shared

        private func expectStop(_ given: RunProject? = nil, ranks: Int?, _ ask: (RunningJob) throws -> Void) throws {
            let project = try given ?? RunProject(.embedded)
            let stopped = try project.train(Self.settings, ranks: ranks) { job in
                try project.files().wait(forStep: 2)
                try ask(job)
            }
            stopped.expect(75)
            #expect(stopped.standardError.contains("checkpoint saved; continue with --resume"))
            #expect(!stopped.standardError.contains("FATAL"))
            let files = project.files()
            let last = try files.steps().count
            #expect(files.checkpoints == ["step-\(last)"])
            #expect((2..<Self.steps).contains(last))
            #expect(!files.exists("STOP"))
            #expect(!files.exists(".lock"))
            #expect(try files.record()["status"]?.stringValue == "stopped")
            try project.train(Self.settings + ["--resume"], ranks: 2).expect(0)
            try expectUnbroken(files)
            #expect(try files.record()["status"]?.stringValue == "finished")
        }

        private static let unbroken = Result {
            let project = try RunProject(.embedded)
            try project.train(settings).expect(0)
            return (try project.files().bytes("adapters/adapter_model.safetensors"), try project.files().steps())
        }

        private func expectUnbroken(_ files: RunFiles) throws {
            let (adapter, steps) = try Self.unbroken.get()
            try expectSameBytes(files.bytes("adapters/adapter_model.safetensors"), adapter, "adapter")
            #expect(try files.steps() == steps)
        }

        /// mpirun's ranks outlive it for a moment when it is killed.
        private func expectEnd(of processes: [Int32]) throws {
            let deadline = Date().addingTimeInterval(15)
            while processes.contains(where: { kill($0, 0) == 0 }) {
                guard Date() < deadline else { throw JobError(description: "ranks outlive their job") }
                usleep(50_000)
            }
        }
    }
}
