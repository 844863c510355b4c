// The proof itself is put to the test: it holds for the right gradient, and no wrong one passes.

import Support
import Testing

@testable import Trainer

@Suite(.serialized) struct GradientVerificationTests {
    private let folder = try! TrainingFolder()

    /// - Parameter scale: what the gradient is multiplied with; `b` before it: on the side of one rank too
    private func verify(ranks: Int?, scale: String, _ settings: String...) throws -> JobResult {
        try verify(folder, ranks: ranks, scale: scale, settings)
    }

    private func verify(_ folder: TrainingFolder, ranks: Int?, scale: String, _ settings: [String]) throws -> JobResult {
        let result = try MPILauncher.run(
            "RankProgram", ["verify", folder.config, scale, "training.global_batch_size=6"] + settings, ranks: ranks,
            environment: ["OMP_WAIT_POLICY": "passive"])
        #expect([0, 70].contains(result.exitCode), "\(result.standardError)")
        return result
    }

    @Test(arguments: [nil, 2]) func theRightGradientPasses(ranks: Int?) throws {
        let result = try verify(ranks: ranks, scale: "1")
        #expect(result.exitCode == 0, "\(result.standardOutput)")
        #expect(result.standardOutput.contains("within tolerance: 28 tensors"))
        // Two layers of seven pairs; with B filled no gradient is zero.
        #expect(try norm(result) > 1e-6)
    }

    private func norm(_ result: JobResult) throws -> Double {
        try #require(result.standardOutput.split(separator: " ").last.flatMap { Double($0.dropLast()) })
    }

    /// A quarter of the loss has a quarter of the gradient, and differences of the loss say the same.
    @Test func theWeightOfATaskHasAPart() throws {
        let weighted = try verify(ranks: 2, scale: "1", "loss.task_weights={retrieval: 0.25}")
        #expect(weighted.exitCode == 0, "\(weighted.standardOutput)")
        #expect(abs(try norm(weighted) / norm(verify(ranks: 2, scale: "1")) - 0.25) < 1e-3)
    }

    /// Six rows a batch, so that six more batches can be remembered; a streamed bank lies on both ranks.
    @Test(arguments: [nil, 2]) func theMemoryBankHasAPart(ranks: Int?) throws {
        let with = try verify(ranks: ranks, scale: "1", "loss.memory_bank_steps=3", "loss.pool=stream")
        #expect(with.exitCode == 0, "\(with.standardOutput)")
        #expect(try verify(ranks: ranks, scale: "1").standardOutput != with.standardOutput)
    }

    /// Alone, at two widths, and beside the contrastive loss. Late scores have kinks, which differences step over: ParityTests hold them.
    @Test(arguments: [
        "loss.name=distill loss.matryoshka_dims=[8,32]",
        "loss.name=distill loss.temperature=0.02 loss.distill_objective=margin_mse loss.teacher_temperature=5", "loss.distill_weight=2",
    ])
    func theTeacherHasAPart(_ settings: String) throws {
        let folder = try TrainingFolder(teaches: { _ in true })
        for ranks in [nil, 2] {
            let result = try verify(folder, ranks: ranks, scale: "1", settings.split(separator: " ").map(String.init))
            #expect(result.exitCode == 0, "\(result.standardOutput)")
            #expect(result.standardOutput.contains("the same bits"))
        }
        #expect(try verify(folder, ranks: nil, scale: "b1.05", settings.split(separator: " ").map(String.init)).exitCode == 70)
    }

    @Test(arguments: [nil, 2]) func aGradientOfOtherRanksAloneIsFound(ranks: Int?) throws {
        let result = try verify(ranks: ranks, scale: "1.0001")
        #expect(result.exitCode == 70)
        #expect(result.standardOutput.contains("OUT OF TOLERANCE") && result.standardOutput.contains("DIFFERENT"))
    }

    @Test func sumsInFloatPassButForRounding() throws {
        let result = try verify(ranks: 2, scale: "1", "training.reduction=float32")
        #expect(result.exitCode == 0, "\(result.standardOutput)")
        try #expect(verify(ranks: 2, scale: "1.001", "training.reduction=float32").exitCode == 70)
    }

    /// All ranks agree, so only the differences of the loss can tell.
    @Test(arguments: ["b1.05", "b0.5", "b0"]) func aGradientThatIsWrongEverywhereIsFound(scale: String) throws {
        let result = try verify(ranks: nil, scale: scale)
        #expect(result.exitCode == 70, "\(result.standardOutput)")
        #expect(result.standardOutput.contains("the same bits"))
    }
}
