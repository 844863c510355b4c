// Images against PyTorch, transformers and PEFT: the tower's features, positions, embeddings, and the adapter's gradient.

import Model
import Support
import Tensor
import Testing

@Suite(.serialized)
struct VisionParityTests {
    @Test(arguments: GoldenImages.all)
    func featuresEqualTheReference(_ golden: GoldenImages) throws {
        let tower = VisionTower(try #require(golden.model.checkpoint().vision), MatrixEngine(.float32))
        let features = tower.forward(try golden.patches())
        #expect(largestDifference(features.values, try golden.model.tensor("features")) < 1e-5)
    }

    @Test(arguments: GoldenImages.all)
    func positionsEqualTheReference(_ golden: GoldenImages) throws {
        let tokens = PackedTokens(try golden.rows(golden.features()))
        #expect(try tokens.positions.streams == golden.positions())
    }

    @Test(arguments: GoldenImages.all)
    func embeddingsEqualTheReference(_ golden: GoldenImages) throws {
        let checkpoint = try golden.model.checkpoint()
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 64)
        let tokens = PackedTokens(try golden.rows(golden.features()))
        #expect(largestDifference(model.embed(tokens, nil).values, try golden.model.tensor("bare.embeddings")) < 1e-5)
        let adapter = try golden.model.adapter(golden.model.layout(checkpoint.config)).loaded(for: model.engine)
        #expect(largestDifference(model.embed(tokens, adapter).values, try golden.model.tensor("embeddings")) < 1e-5)
    }

    /// From patches to vectors, by the features as they are kept.
    @Test(arguments: GoldenImages.all)
    func embeddingsOfOwnFeaturesEqualTheReference(_ golden: GoldenImages) throws {
        let checkpoint = try golden.model.checkpoint()
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 64)
        let features = VisionTower(try #require(checkpoint.vision), model.engine).features(try golden.patches())
        let adapter = try golden.model.adapter(golden.model.layout(checkpoint.config)).loaded(for: model.engine)
        let found = model.embed(PackedTokens(try golden.rows(features)), adapter)
        #expect(largestDifference(found.values, try golden.model.tensor("embeddings")) < 1e-5)
    }

    @Test(arguments: GoldenImages.all, [ActivationKeeping.everything, .layerInputs])
    func gradientsOfTheAdapterEqualTheReference(_ golden: GoldenImages, keeping: ActivationKeeping) throws {
        let checkpoint = try golden.model.checkpoint()
        let layout = try golden.model.layout(checkpoint.config)
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 64)
        let adapter = try golden.model.adapter(layout).loaded(for: model.engine)
        let gradient = AdapterGradient(layout: layout)
        gradient.sum.reset(parts: 1)
        let tokens = PackedTokens(try golden.rows(golden.features()))
        let (embeddings, kept) = model.forward(tokens, adapter, dropout: 0, keeping: keeping)
        let dEmbeddings = Tensor(
            try golden.model.tensor("embedding_gradient"), rows: embeddings.rows, columns: embeddings.columns)
        model.backward(kept, dEmbeddings, into: gradient)
        let (found, expected) = (gradient.sum.rounded(layout.count), try golden.model.adapter(layout, "gradient.").values)
        for factor in layout.factors where factor.range.upperBound <= layout.decoderCount {
            let difference = relativeDifference(Array(found[factor.range]), Array(expected[factor.range]))
            #expect(difference < 1e-4, "\(factor.name): \(difference)")
        }
    }

    /// The tower and the decoder in bfloat16, and features rounded on the way.
    @Test(arguments: GoldenImages.all)
    func bfloat16PointsTheSameWay(_ golden: GoldenImages) throws {
        let checkpoint = try golden.model.checkpoint()
        let engine = MatrixEngine(.bfloat16)
        let features = VisionTower(try #require(checkpoint.vision), engine).features(try golden.patches())
        let packed = features.flatMap { converted($0.rows, to: .float32).values }
        #expect(lowestCosine(packed, try golden.model.tensor("features"), width: checkpoint.config.text.hiddenSize) >= 0.99)
        let model = JinaEmbeddingsV4(checkpoint, engine, maxTokens: 64)
        let adapter = try golden.model.adapter(golden.model.layout(checkpoint.config)).loaded(for: engine)
        let found = model.embed(PackedTokens(try golden.rows(features)), adapter)
        #expect(lowestCosine(found.values, try golden.model.tensor("embeddings"), width: found.columns) >= 0.99)
    }

    /// Of the rows of two matrices of one width.
    private func lowestCosine(_ a: [Float], _ b: [Float], width: Int) -> Double {
        precondition(a.count == b.count)
        return stride(from: 0, to: a.count, by: width).map { start in
            let pairs = zip(a[start..<start + width], b[start..<start + width]).map { (Double($0), Double($1)) }
            let lengths = (pairs.reduce(0) { $0 + $1.0 * $1.0 } * pairs.reduce(0) { $0 + $1.1 * $1.1 }).squareRoot()
            return pairs.reduce(0) { $0 + $1.0 * $1.1 } / lengths
        }.min()!
    }
}
