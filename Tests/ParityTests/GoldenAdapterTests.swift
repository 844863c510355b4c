// Adapters that PEFT computes with other ranks and scales than one: read as plain LoRA, they give the embeddings that PEFT computes
// (Tests/Golden/adapters/make.py).

import Files
import Foundation
import Model
import Support
import Tensor
import Testing

@Suite struct GoldenAdapterTests {
    private static let model = GoldenModel.all[0]

    @Test(arguments: ["rslora", "patterns", "alphas", "rslora-patterns", "ranks-of-some", "idle-tower"])
    func embeddingsEqualThoseOfPEFT(_ kind: String) throws {
        let checkpoint = try Self.model.checkpoint()
        let set = try AdapterFile.read(PackagePath.golden("adapters/\(kind)"), config: checkpoint.config)
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 64)
        let adapter = try #require(set.adapter(for: "retrieval"))
        let found = model.embed(PackedTokens(try Self.model.segments()), adapter.loaded(for: model.engine))
        let expected = try GoldenTensors("adapters/\(kind)/golden").floats("embeddings")
        #expect(largestDifference(found.values, expected) < 1e-5)
        #expect(largestDifference(found.values, try Self.model.tensor("bare.embeddings")) > 0.01)
        #expect(set.notices.count == 1)
    }

    @Test("what is read: one rank, one alpha, and where factors are narrower")
    func shapes() throws {
        func read(_ kind: String) throws -> AdapterSet {
            try AdapterFile.read(PackagePath.golden("adapters/\(kind)"), config: ModelConfig.read(folder: Self.model.modelFolder))
        }
        let stabilised = try read("rslora")
        #expect(stabilised.rank == 4 && stabilised.alpha == 12 && stabilised.narrowRanks.isEmpty)
        #expect(stabilised.notices[0].contains("use_rslora of its configuration are read as plain LoRA of rank 4 and alpha 12"))
        let patterns = try read("patterns")
        let layer = "model.language_model.layers."
        #expect(patterns.rank == 7 && patterns.narrowRanks["\(layer)0.self_attn.k_proj"] == 2)
        #expect(patterns.narrowRanks["\(layer)0.mlp.down_proj"] == 1 && patterns.narrowRanks["\(layer)1.mlp.down_proj"] == 4)
        #expect(patterns.narrowRanks["\(layer)1.mlp.up_proj"] == nil && patterns.narrowRanks.count == 13)
    }

    /// An adapter that goes on has A's of its own beyond the narrow rank, and computes the same.
    @Test func whatGoesOnCanLearnAtItsWholeRank() throws {
        let checkpoint = try Self.model.checkpoint()
        let set = try AdapterFile.read(PackagePath.golden("adapters/patterns"), config: checkpoint.config)
        var adapter = Adapter(task: "retrieval", layout: set.layout, seed: 3, .gaussian)
        adapter.copyFactors(of: set.tasks[0], narrowRanks: set.narrowRanks)
        let factor = try #require(adapter.layout.factors.first { $0.name.hasSuffix("layers.0.self_attn.k_proj.lora_A") })
        let (own, read) = (Array(adapter.values[factor.range]), Array(set.tasks[0].values[factor.range]))
        #expect(Array(own.prefix(2 * 64)) == Array(read.prefix(2 * 64)))
        #expect(own.dropFirst(2 * 64).allSatisfy { $0 != 0 } && read.dropFirst(2 * 64).allSatisfy { $0 == 0 })
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 64)
        let tokens = PackedTokens(try Self.model.segments())
        let expected = try GoldenTensors("adapters/patterns/golden").floats("embeddings")
        #expect(largestDifference(model.embed(tokens, adapter.loaded(for: model.engine)).values, expected) < 1e-5)
    }
}
