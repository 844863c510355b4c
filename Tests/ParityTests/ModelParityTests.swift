// The model against PyTorch, transformers and PEFT: embeddings, and the gradient of every adapter tensor.

import Model
import Support
import Tensor
import Testing

@Suite(.serialized)
struct ModelParityTests {
    @Test(arguments: GoldenModel.all)
    func embeddingsEqualTheReference(_ golden: GoldenModel) throws {
        let checkpoint = try golden.checkpoint()
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 64)
        let tokens = PackedTokens(try golden.segments())
        let bare = model.embed(tokens, nil)
        #expect(largestDifference(bare.values, try golden.tensor("bare.embeddings")) < 1e-5)
        let adapter = try golden.adapter(golden.layout(checkpoint.config)).loaded(for: model.engine)
        #expect(largestDifference(model.embed(tokens, adapter).values, try golden.tensor("embeddings")) < 1e-5)
    }

    @Test(arguments: GoldenModel.all)
    func gradientsOfTheAdapterEqualTheReference(_ golden: GoldenModel) throws {
        let checkpoint = try golden.checkpoint()
        let layout = try golden.layout(checkpoint.config)
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 64)
        let adapter = try golden.adapter(layout).loaded(for: model.engine)
        let segments = try golden.segments()
        let gradient = AdapterGradient(layout: layout)
        gradient.sum.reset(parts: 1)
        let (embeddings, kept) = model.forward(PackedTokens(segments), adapter, dropout: 0)
        let dEmbeddings = Tensor(
            try golden.tensor("batch.embedding_gradient"), rows: segments.count, columns: embeddings.columns)
        model.backward(kept, dEmbeddings, into: gradient)
        #expect(gradient.sum.isInRange)
        let (found, expected) = (gradient.sum.rounded(layout.count), try golden.adapter(layout, "gradient.").values)
        for factor in layout.factors where factor.range.upperBound <= layout.decoderCount {
            let difference = relativeDifference(Array(found[factor.range]), Array(expected[factor.range]))
            #expect(difference < 1e-4, "\(factor.name): \(difference)")
        }
    }

    @Test(.needsBFloat16Products, arguments: GoldenModel.all)
    func bfloat16PointsTheSameWay(_ golden: GoldenModel) throws {
        let checkpoint = try golden.checkpoint()
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.bfloat16), maxTokens: 64)
        let adapter = try golden.adapter(golden.layout(checkpoint.config)).loaded(for: model.engine)
        let found = model.embed(PackedTokens(try golden.segments()), adapter)
        let expected = try golden.tensor("embeddings")
        for row in 0..<found.rows {
            let range = row * found.columns..<(row + 1) * found.columns
            let cosine = zip(found.values[range], expected[range]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            #expect(cosine >= 0.999, "segment \(row): \(cosine)")
        }
    }
}

func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    precondition(a.count == b.count)
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

/// ‖a - b‖ / ‖b‖
func relativeDifference(_ a: [Float], _ b: [Float]) -> Double {
    let (difference, size) = zip(a, b).reduce((0.0, 0.0)) { sums, pair in
        let d = Double(pair.0) - Double(pair.1)
        return (sums.0 + d * d, sums.1 + Double(pair.1) * Double(pair.1))
    }
    return (difference / size).squareRoot()
}
