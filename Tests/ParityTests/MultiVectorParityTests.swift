// The multi-vector head against PyTorch, transformers and PEFT: late vectors and the gradient of every adapter tensor, with an
// adapter on the projector and with the projector left as it is.

import Model
import Support
import Tensor
import Testing

@Suite struct MultiVectorParityTests {
    /// Whether the projector is adapted, and what the golden names begin with.
    private static let cases = [(isAdapted: true, prefix: ""), (isAdapted: false, prefix: "frozen.")]

    private func late(_ golden: GoldenModel) throws -> GoldenTensors { try GoldenTensors("text/\(golden.name)/late") }

    /// The retrieval adapter, on the projector or not.
    private func adapter(_ golden: GoldenModel, _ config: ModelConfig, isAdapted: Bool) throws -> Adapter {
        let whole = try golden.adapter(golden.layout(config))
        let layout = AdapterLayout(config, rank: whole.layout.rank, alpha: whole.layout.alpha) {
            isAdapted || $0 != DecoderModule.projectorPath
        }
        var adapter = Adapter(task: "retrieval", layout: layout, seed: 0, .gaussian)
        adapter.copyFactors(of: whole)
        return adapter
    }

    @Test(arguments: GoldenModel.all) func lateVectorsEqualTheReference(_ golden: GoldenModel) throws {
        let (checkpoint, expected) = try (golden.checkpoint(), late(golden))
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 64)
        let tokens = PackedTokens(try golden.segments())
        let bare = model.embed(tokens, nil, heads: .late)
        #expect(largestDifference(bare.late!.values, try expected.floats("bare.late")) < 1e-5)
        for (isAdapted, prefix) in Self.cases {
            let adapter = try adapter(golden, checkpoint.config, isAdapted: isAdapted).loaded(for: model.engine)
            let found = model.embed(tokens, adapter, heads: .both)
            #expect(largestDifference(found.late!.values, try expected.floats("\(prefix)late")) < 1e-5, "\(prefix)")
            #expect(largestDifference(found.dense!.values, try golden.tensor("embeddings")) < 1e-5, "\(prefix)")
        }
    }

    @Test(arguments: GoldenModel.all) func gradientsOfTheAdapterEqualTheReference(_ golden: GoldenModel) throws {
        let (checkpoint, expected) = try (golden.checkpoint(), late(golden))
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 64)
        let segments = try golden.segments()
        let tokens = segments.reduce(0) { $0 + $1.count }
        let dLate = Tensor(try expected.floats("weights"), rows: tokens, columns: checkpoint.config.projectorDimension)
        let dDense = Tensor(
            try golden.tensor("batch.embedding_gradient"), rows: segments.count, columns: checkpoint.config.text.hiddenSize)
        for (isAdapted, prefix) in Self.cases {
            let adapter = try adapter(golden, checkpoint.config, isAdapted: isAdapted)
            for dDense in [nil, dDense] {
                let gradient = AdapterGradient(layout: adapter.layout)
                let (_, kept) = model.forward(PackedTokens(segments), adapter.loaded(for: model.engine), dropout: 0, heads: .both)
                model.backward(kept, Embeddings(dense: dDense, late: dLate), into: gradient)
                #expect(gradient.sum.isInRange)
                let found = gradient.sum.rounded(adapter.layout.count)
                // A gradient is linear in those of the heads, so that of both is the sum of the golden ones.
                let dense = dDense == nil ? nil : try golden.adapter(adapter.layout, "gradient.")
                for factor in adapter.layout.factors {
                    let name = "base_model.model.\(factor.pair.module).\(factor.part.rawValue).retrieval.weight"
                    var reference = try expected.floats("\(prefix)gradient.\(name)")
                    if let dense { reference = zip(reference, dense.values[factor.range]).map { $0 + $1 } }
                    let difference = relativeDifference(Array(found[factor.range]), reference)
                    #expect(difference < 1e-4, "\(prefix)\(factor.name), dense \(dense != nil): \(difference)")
                }
            }
        }
    }

    @Test(.needsBFloat16Products, arguments: GoldenModel.all) func bfloat16PointsTheSameWay(_ golden: GoldenModel) throws {
        let (checkpoint, expected) = try (golden.checkpoint(), late(golden))
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.bfloat16), maxTokens: 64)
        for (isAdapted, prefix) in Self.cases {
            let adapter = try adapter(golden, checkpoint.config, isAdapted: isAdapted).loaded(for: model.engine)
            let found = model.embed(PackedTokens(try golden.segments()), adapter, heads: .late).late!
            let (values, reference, width) = (found.values, try expected.floats("\(prefix)late"), found.columns)
            for row in 0..<found.rows {
                let range = row * width..<(row + 1) * width
                let cosine = zip(values[range], reference[range]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                #expect(cosine >= 0.99, "\(prefix)token \(row): \(cosine)")
            }
        }
    }
}
