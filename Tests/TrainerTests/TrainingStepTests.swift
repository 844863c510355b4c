// One global batch on any number of ranks and threads: the same losses and the same adapters, bit for bit.

import Support
import Tensor
import Testing

/// Dropout, hard negatives, uneven lengths, duplicates, more ranks than some batches have chunks.
@Suite(.serialized) struct TrainingStepTests {
    private let folder = try! TrainingFolder()

    private func train(ranks: Int?, _ settings: String..., steps: Int = 5) throws -> String {
        let result = try MPILauncher.run(
            "RankProgram", ["train", folder.config, "\(steps)"] + settings, ranks: ranks, environment: ["OMP_WAIT_POLICY": "passive"])
        #expect(result.exitCode == 0, "\(result.standardError)")
        return result.standardOutput
    }

    @Test(arguments: ["float32", "bfloat16"]) func anyWorldTrainsTheSameAdapters(engine: String) throws {
        guard engine == "float32" || Processor.hasBFloat16 else { return }
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

    @Test func ranksWithoutAChunkTakePart() throws {
        let setting = "system.chunk_tokens=1024"
        try #expect(train(ranks: 4, setting, steps: 2) == train(ranks: nil, setting, steps: 2))
    }

    @Test func whatShouldMatterDoes() throws {
        let usual = try train(ranks: nil, steps: 2)
        for setting in ["training.seed=10", "lora.dropout=0", "loss.mask_duplicates=false", "loss.temperature=0.06"] {
            try #expect(train(ranks: nil, setting, steps: 2) != usual, "\(setting)")
        }
    }

    /// The sums of the ranks in Float differ in their last bits at most.
    @Test func floatReductionIsClose() throws {
        let (exact, float) = try (train(ranks: nil, steps: 1), train(ranks: 2, "training.reduction=float32", steps: 1))
        let norms = [exact, float].map { Double($0.split(separator: "\n")[1].split(separator: " ")[5].dropLast())! }
        #expect(norms[0] > 0 && abs(norms[1] / norms[0] - 1) < 1e-6)
    }

    private func expectEveryKindOfRow(_ output: String) throws {
        let lines = output.split(separator: "\n")
        #expect(lines.count == 7)
        #expect(!output.contains("dropped 0,") && !output.contains("truncated 0\n"))
        #expect(lines[1...5].contains { !$0.hasSuffix(" 0 masked") })
        let losses = lines[1...5].compactMap { Double($0.split(separator: " ")[3].dropLast()) }
        #expect(losses.count == 5 && losses.allSatisfy { $0 > 0.1 } && Set(losses).count == 5)
    }
}
