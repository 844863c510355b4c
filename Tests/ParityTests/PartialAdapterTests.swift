// Adapters on some linears only. The backward pass ends at the lowest adapted one; above it nothing may change.

import Model
import Support
import Tensor
import Testing

@Suite struct PartialAdapterTests {
    private static let choices: [String] = [
        "layers.1.", "layers.0.mlp.down_proj", "layers.1.mlp.up_proj", "layers.1.self_attn.o_proj", "layers.1.self_attn.v_proj",
        "layers.0.self_attn.k_proj", "mlp.gate_proj", "self_attn.q_proj",
    ]

    /// Adapters of all linears whose B's are zero but for the chosen ones give the chosen ones the same gradient.
    @Test(arguments: GoldenModel.all, choices)
    func theGradientIsThatAmongAllAdapters(_ golden: GoldenModel, choice: String) throws {
        let checkpoint = try golden.checkpoint()
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 64)
        let layout = try golden.layout(checkpoint.config)
        var all = try golden.adapter(layout)
        for factor in layout.factors where factor.part == .b && !factor.name.contains(choice) {
            all.values.replaceSubrange(factor.range, with: repeatElement(0, count: factor.range.count))
        }
        let partial = AdapterLayout(checkpoint.config, rank: layout.rank, alpha: layout.alpha) { $0.contains(choice) }
        var some = Adapter(task: "retrieval", layout: partial, seed: 1, .gaussian)
        some.copyFactors(of: all)

        let (whole, part) = try (gradient(model, golden, all, .everything), gradient(model, golden, some, .everything))
        let ranges = Dictionary(uniqueKeysWithValues: layout.factors.map { ($0.name, $0.range) })
        #expect(!partial.factors.isEmpty)
        for factor in partial.factors {
            let (found, expected) = (Array(part[factor.range]), Array(whole[ranges[factor.name]!]))
            #expect(expected.contains { $0 != 0 })
            #expect(relativeDifference(found, expected) < 1e-5, "\(factor.name)")
        }
        try expectSameBits(gradient(model, golden, some, .layerInputs), part, "computed again")
    }

    private func gradient(
        _ model: JinaEmbeddingsV4, _ golden: GoldenModel, _ adapter: Adapter, _ keeping: ActivationKeeping
    ) throws -> [Float] {
        let segments = try golden.segments()
        let gradient = AdapterGradient(layout: adapter.layout)
        gradient.sum.reset(parts: 1)
        let loaded = adapter.loaded(for: model.engine)
        let (embeddings, kept) = model.forward(PackedTokens(segments), loaded, dropout: 0, keeping: keeping)
        let dEmbeddings = Tensor(
            try golden.tensor("batch.embedding_gradient"), rows: segments.count, columns: embeddings.columns)
        model.backward(kept, dEmbeddings, into: gradient)
        return gradient.sum.rounded(adapter.layout.count)
    }
}
