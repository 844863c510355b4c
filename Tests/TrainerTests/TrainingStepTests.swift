// One global batch on any number of ranks and threads: the same losses and the same adapters, bit for bit.

import Support
import Tensor
import Testing

@testable import Trainer

/// Dropout, hard negatives, uneven lengths, duplicates, more ranks than some batches have chunks.
@Suite(.serialized) struct TrainingStepTests {
    private static let usual = try! TrainingFolder()

    private func train(ranks: Int?, _ settings: String..., steps: Int = 5) throws -> String {
        try train(Self.usual, ranks: ranks, settings, steps: steps)
    }

    private func train(_ folder: TrainingFolder, ranks: Int?, _ settings: [String], steps: Int) throws -> String {
        let result = try MPILauncher.run(
            "RankProgram", ["train", folder.config, "\(steps)"] + settings, ranks: ranks, environment: ["OMP_WAIT_POLICY": "passive"])
        #expect(result.exitCode == 0, "\(result.standardError)")
        return result.standardOutput
    }

    @Test func anyWorldTrainsTheSameAdapters() throws { try expectTheSameAdapters(engine: "float32") }

    @Test func anyWorldTrainsTheSameAdaptersInBFloat16() throws { try expectTheSameAdapters(engine: "bfloat16") }

    private func expectTheSameAdapters(engine: String) throws {
        let setting = "system.compute_dtype=\(engine)"
        let alone = try train(ranks: nil, setting, "system.threads=2")
        try expectEveryKindOfRow(alone)
        for ranks in [2, 4] { try #expect(train(ranks: ranks, setting) == alone, "\(ranks) ranks") }
        try #expect(train(ranks: nil, setting, "system.microbatch_tokens=4096") == alone, "other microbatches")
    }

    @Test func howActivationsAreHeldDoesNotMatter() throws {
        let usual = try train(ranks: nil, "system.activation_memory=keep", steps: 3)
        for memory in ["recompute", "cache"] {
            let setting = "system.activation_memory=\(memory)"
            try #expect(train(ranks: nil, setting, "system.microbatch_tokens=64", steps: 3) == usual, "\(memory)")
            try #expect(train(ranks: 2, setting, steps: 3) == usual, "\(memory) on two ranks")
        }
    }

    /// Every part of the objective at once, and the other forms.
    @Test(arguments: [
        "loss.name=joint loss.matryoshka_dims=[8,20,32] loss.matryoshka_weights=[1,0.5,2] loss.symmetric=true loss.negative_margin=0.05",
        "loss.name=joint loss.kl_direction=late_to_dense loss.kl_detach=late loss.kl_negatives=false loss.pool_limit=6",
        "loss.name=joint loss.dense_weight=0 loss.kl_weight=0", "loss.distance=euclidean loss.reduction=sum loss.pool_limit=5",
        "loss.memory_bank_steps=2 loss.pool_limit=20",
        "loss.name=joint loss.matryoshka_dims=[8,32] loss.symmetric=true loss.negative_margin=0.05 loss.memory_bank_steps=1",
        "loss.name=triplet loss.temperature=0.02 loss.matryoshka_dims=[8,32] training.global_batch_size=16",
    ])
    func anyObjectiveIsTheSameOnAnyWorld(_ objective: String) throws {
        try expectTheSameOnAnyWorld(Self.usual, objective, steps: 3)
    }

    @Test func rowsWithScoresAreTheSameOnAnyWorld() throws {
        let settings = "loss.name=joint loss.kl_weight=0.5 loss.matryoshka_dims=[8,32] loss.matryoshka_weights=[2,1]"
        try expectTheSameOnAnyWorld(TrainingFolder(haveScores: true), settings, steps: 3)
    }

    /// A teacher of every row, and of two rows in three.
    @Test(arguments: [
        ("loss.name=distill loss.matryoshka_dims=[8,20,32] loss.distill_heads=both", 1),
        ("loss.name=distill loss.temperature=0.02 loss.distill_objective=margin_mse loss.teacher_temperature=5 loss.distance=euclidean", 1),
        ("loss.name=distill loss.distill_heads=late loss.reduction=sum", 1),
        ("loss.distill_weight=0.7 loss.memory_bank_steps=1 loss.negative_margin=0.05 loss.matryoshka_dims=[8,16]", 3),
        ("loss.name=joint loss.distill_weight=0.5 loss.distill_objective=margin_mse loss.teacher_temperature=3 loss.symmetric=true", 3),
    ])
    func rowsWithATeacherAreTheSameOnAnyWorld(_ objective: String, every: Int) throws {
        let folder = try TrainingFolder(teaches: { every == 1 || $0 % every != 0 })
        try expectTheSameOnAnyWorld(folder, objective, steps: 3)
    }

    /// Margins of thousands have gradients far beyond those of a contrastive loss.
    @Test func aTeacherOfLargeScoresStaysInRange() throws {
        let folder = try TrainingFolder(rows: 320, teaches: { _ in true })
        let norms = try [1.0, 1e-5].map { temperature in
            let settings = [
                "loss.name=distill", "loss.temperature=0.02", "loss.distill_objective=margin_mse", "training.global_batch_size=300",
                "loss.teacher_temperature=\(temperature)",
            ]
            let output = try train(folder, ranks: nil, settings, steps: 1)
            return try PrintedRun(output).steps[0].gradientNorm
        }
        #expect(norms[0] > 0 && norms[1] / norms[0] > 1e4)
    }

    /// 300 rows and more columns than fit into two blocks.
    @Test func poolsOfSeveralBlocksAreTheSameOnAnyWorld() throws {
        let settings = "training.global_batch_size=300 loss.name=joint loss.matryoshka_dims=[8,32] loss.symmetric=true"
        let output = try expectTheSameOnAnyWorld(TrainingFolder(rows: 320), settings, steps: 1)
        #expect(try PrintedRun(output).steps[0].candidates > 2 * 256)
    }

    @discardableResult
    private func expectTheSameOnAnyWorld(_ folder: TrainingFolder, _ objective: String, steps: Int) throws -> String {
        func trained(_ ranks: Int?, _ more: String...) throws -> String {
            try train(folder, ranks: ranks, objective.split(separator: " ").map(String.init) + more, steps: steps)
        }
        let alone = try trained(nil)
        #expect(try PrintedRun(alone).steps.count == steps)
        for ranks in [2, 4] { try #expect(trained(ranks) == alone, "\(ranks) ranks") }
        try #expect(trained(2, "loss.pool=gather", "system.activation_memory=cache") == alone, "gathered and cached")
        try #expect(trained(2, "loss.pool=stream", "system.activation_memory=cache") == alone, "streamed and cached")
        try #expect(trained(4, "loss.pool=stream", "system.activation_memory=recompute") == alone, "streamed and recomputed")
        return alone
    }

    /// Added up, 300 rows of a low temperature have gradients beyond what the exact sum holds of a chunk.
    @Test func addedRowsHaveTheGradientOfTheirMean() throws {
        let folder = try TrainingFolder(rows: 320)
        let settings = ["training.global_batch_size=300", "loss.temperature=0.01"]
        let norms = try ["mean", "sum"].map { reduction in
            let output = try train(folder, ranks: nil, settings + ["loss.reduction=\(reduction)"], steps: 1)
            return try PrintedRun(output).steps[0].gradientNorm
        }
        #expect(norms[0] > 0 && abs(norms[1] / norms[0] / 300 - 1) < 1e-5)
    }

    /// At a low temperature CoSENT takes its gradient from a few of 4,096 pairs: one chunk of thousands may have all of it.
    @Test func aLargeGradedBatchStaysInRange() throws {
        let folder = try TrainingFolder(rows: 4096, haveScores: true)
        let settings = ["training.global_batch_size=4096", "loss.cosent_temperature=0.001", "loss.reduction=mean"]
        let run = try PrintedRun(train(folder, ranks: nil, settings, steps: 1))
        #expect(run.steps.count == 1 && run.steps[0].gradientNorm > 1)
    }

    @Test func ranksWithoutAChunkTakePart() throws {
        let settings = ["system.chunk_tokens=1024", "loss.memory_bank_steps=1"]
        let alone = try train(ranks: nil, settings[0], settings[1], steps: 2)
        for pool in ["gather", "stream"] {
            try #expect(train(ranks: 4, settings[0], settings[1], "loss.pool=\(pool)", steps: 2) == alone, "\(pool)")
        }
    }

    /// The first step has none to remember; from then on rows see more, until the bank is full.
    @Test func theMemoryBankAddsCandidates() throws {
        let (without, with) = try (
            PrintedRun(train(ranks: nil)).steps, PrintedRun(train(ranks: nil, "loss.memory_bank_steps=2")).steps
        )
        let own = without.map(\.candidates)
        #expect(own.count == 5)
        #expect(with.map(\.candidates) == own.indices.map { own[max(0, $0 - 2)...$0].reduce(0, +) })
        #expect(with[0] == without[0] && with[1] != without[1])
    }

    @Test func whatShouldMatterDoes() throws {
        let usual = try train(ranks: nil, steps: 2)
        for setting in [
            "training.seed=10", "lora.dropout=0", "loss.mask_duplicates=false", "loss.temperature=0.06", "loss.memory_bank_steps=1",
        ] {
            try #expect(train(ranks: nil, setting, steps: 2) != usual, "\(setting)")
        }
    }

    /// The sums of the ranks in Float differ in their last bits at most.
    @Test func floatReductionIsClose() throws {
        let (exact, float) = try (train(ranks: nil, steps: 1), train(ranks: 2, "training.reduction=float32", steps: 1))
        let norms = try [exact, float].map { try PrintedRun($0).steps[0].gradientNorm }
        #expect(norms[0] > 0 && abs(norms[1] / norms[0] - 1) < 1e-6)
    }

    private func expectEveryKindOfRow(_ output: String) throws {
        let run = try PrintedRun(output)
        #expect(run.droppedNegatives > 0 && run.truncatedTexts > 0 && run.steps.contains { $0.maskedPairs > 0 })
        let losses = run.steps.map(\.loss)
        #expect(losses.count == 5 && losses.allSatisfy { $0 > 0.1 } && Set(losses).count == 5)
    }
}
