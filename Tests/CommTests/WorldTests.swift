// Every check of RankProgram on every kind of world, and jobs that must end in a certain way.

import Foundation
import Support
import Testing

@Suite(.serialized) struct WorldTests {
    /// Nil is a world without mpirun.
    @Test(arguments: [nil, 1, 2, 4]) func everyCheckHolds(ranks: Int?) throws {
        let result = try MPILauncher.run("RankProgram", ["all"], ranks: ranks)
        #expect(result.exitCode == 0, "\(result.standardError)")
        #expect(result.standardOutput == "18 checks on \(ranks ?? 1) ranks\n")
    }

    @Test(arguments: [nil, 2]) func anAgreedCodeIsTheExitCode(ranks: Int?) throws {
        let result = try MPILauncher.run("RankProgram", ["return-75"], ranks: ranks)
        #expect(result.exitCode == 75)
        #expect(!result.standardError.contains("FATAL"))
    }

    @Test(arguments: [nil, 1, 2, 4]) func oneRankThatThrowsEndsTheJob(ranks: Int?) throws {
        let result = try MPILauncher.run("RankProgram", ["throw"], ranks: ranks)
        #expect(result.exitCode == 65)
        #expect(!result.timedOut)
        let words = result.standardError.split(separator: "\n").filter { $0.contains("FATAL ") }
        #expect(words.count == 1, "\(result.standardError)")
        let line = try #require(words.first)
        #expect(line.contains("FATAL rank=\((ranks ?? 1) - 1) host=\(ProcessInfo.processInfo.hostName) pid="))
        #expect(line.contains(" phase=reading "))
        #expect(line.contains(" code=65 "))
        #expect(line.hasSuffix("msg=\"rows.jsonl:3: 'positive' is empty second line\""))
        #expect(line.utf8.count <= 200)
    }

    @Test(arguments: ["throw-unnamed", "throw-zero", "throw-300"]) func aCodeThatIsNoneBecomes70(fault: String) throws {
        #expect(try MPILauncher.run("RankProgram", [fault], ranks: 2).exitCode == 70)
    }

    @Test func differentCodesAreAFault() throws {
        let result = try MPILauncher.run("RankProgram", ["codes-differ"], ranks: 2)
        #expect(result.exitCode == 70)
        #expect(result.standardError.contains("end of run with code 75"))
    }

    @Test func aRankThatLeavesEarlyIsNamed() throws {
        let result = try MPILauncher.run("RankProgram", ["leave-early"], ranks: 2)
        #expect(result.exitCode == 70)
        #expect(result.standardError.contains("at end of run with code 0"))
    }

    @Test func aKilledRankEndsTheJob() throws {
        let result = try MPILauncher.run("RankProgram", ["killed"], ranks: 2)
        #expect(result.exitCode == 137)
        #expect(!result.timedOut)
    }

    @Test func aJobThatHangsIsKilled() throws {
        let result = try MPILauncher.run("RankProgram", ["stop-request"], ranks: 2, limit: 1)
        #expect(result.timedOut && result.exitCode != 0)
    }

    @Test func taskOfSrunWithoutProcessManagerIsRefused() throws {
        let result = try MPILauncher.run("RankProgram", ["all"], ranks: nil, environment: ["SLURM_PROCID": "1"])
        #expect(result.exitCode == 78)
        #expect(result.standardError.contains("srun --mpi=pmix"))
    }

    @Test func ranksThatDoNotFindEachOtherAreRefused() throws {
        let result = try MPILauncher.run("RankProgram", ["all"], ranks: nil, environment: ["PMI_SIZE": "4"])
        #expect(result.exitCode == 78)
        #expect(result.standardError.contains("started 4 ranks, but MPI sees 1"))
    }
}
