// The multi-vector head beside the single-vector one: from one pass, with bits of its own, and with what memory it is said to take.

import Support
import Testing

@testable import Model
@testable import Tensor

@Suite struct MultiVectorTests {
    /// Gradients rounded to bfloat16 some thirty times on their way down.
    private static let bfloat16Backward = Tolerance("bfloat16Backward", 0x1p-5)

    private let checkpoint: Checkpoint

    init() throws { checkpoint = try Checkpoint.read(folder: PackagePath.example("jina-tiny")) }

    private func texts(_ lengths: [Int]) -> [[Int32]] {
        lengths.enumerated().map { text, length in (0..<length).map { Int32(($0 * 131 + text * 977) % 8000) } }
    }

    private func adapter(rank: Int = 8, isTarget: (String) -> Bool = { _ in true }) -> Adapter {
        let layout = AdapterLayout(checkpoint.config, rank: rank, alpha: 16, isTarget: isTarget)
        var adapter = Adapter(task: "retrieval", layout: layout, seed: 7, .gaussian)
        let b = RandomStream(8)
        for factor in layout.factors where factor.part == .b {
            for place in factor.range { adapter.values[place] = Float(b.gaussian(at: place)) * 0.1 }
        }
        return adapter
    }

    /// To the bit: a token's vector does not depend on the other texts, nor on which heads the pass has.
    @Test func aTokensBitsAreItsOwn() { expectOwnBits(MatrixEngine(.float32)) }

    @Test func aTokensBitsAreItsOwnInBFloat16() { expectOwnBits(MatrixEngine(.bfloat16)) }

    private func expectOwnBits(_ engine: MatrixEngine) {
        let texts = texts([5, 1, 140, 33, 2, 61])
        let model = JinaEmbeddingsV4(checkpoint, engine, maxTokens: 256)
        for adapter in [nil, adapter().loaded(for: engine)] {
            let packed = model.embed(PackedTokens(texts), adapter, heads: .both)
            let (dense, late) = (packed.dense!, packed.late!)
            #expect(late.rows == 242 && late.columns == 128 && dense.rows == texts.count)
            expectSameBits(model.embed(PackedTokens(texts), adapter).values, dense.values, "dense alone")
            var start = 0
            for (index, text) in texts.enumerated() {
                let alone = model.embed(PackedTokens([text]), adapter, heads: .late)
                #expect(alone.dense == nil)
                let rows = late.rows(start..<start + text.count)
                expectSameBits(alone.late!.values, rows.values, "\(engine.kind), text \(index)", shape: rows.shape)
                start += text.count
            }
        }
    }

    /// Where nothing of the decoder is adapted the way back ends at the projector.
    private static let targets = ["", "multi_vector_projector", "layers.3.", "layers.5.mlp.down_proj"]

    @Test(arguments: targets) func gradientsOfBothHeadsAddUp(target: String) { expectSums(target, MatrixEngine(.float32)) }

    @Test(arguments: targets) func gradientsOfBothHeadsAddUpInBFloat16(target: String) {
        expectSums(target, MatrixEngine(.bfloat16))
    }

    /// The sum of both heads' gradients, whatever is kept between the passes.
    private func expectSums(_ target: String, _ engine: MatrixEngine) {
        let tokens = PackedTokens(texts([30, 7, 64]), chunks: [0..<37, 37..<101], dropoutKeys: (0..<101).map { UInt64($0) })
        let adapter = adapter { target.isEmpty || $0.contains(target) }
        let (dDense, dLate) = (Samples(seed: 3).tensor(3, 256, scale: 0.01), Samples(seed: 4).tensor(101, 128, scale: 0.01))
        let model = JinaEmbeddingsV4(checkpoint, engine, maxTokens: 256)
        func gradient(_ heads: EmbeddingHeads, _ dEmbeddings: Embeddings, _ keeping: ActivationKeeping) -> [Float] {
            let gradient = AdapterGradient(layout: adapter.layout)
            let (_, kept) = model.forward(tokens, adapter.loaded(for: engine), dropout: 0.1, keeping: keeping, heads: heads)
            model.backward(kept, dEmbeddings, into: gradient)
            #expect(gradient.sum.isInRange)
            return gradient.sum.rounded(adapter.layout.count)
        }
        let dense = gradient(.dense, Embeddings(dense: dDense), .everything)
        let late = gradient(.late, Embeddings(late: dLate), .everything)
        let both = gradient(.both, Embeddings(dense: dDense, late: dLate), .everything)
        let sums = zip(dense, late).map { Double($0) + Double($1) }
        expectClose(both, sums, "\(engine.kind) \(target)", engine.kind == .float32 ? .float32Sum : Self.bfloat16Backward)
        #expect(late.contains { $0 != 0 })
        expectSameBits(gradient(.both, Embeddings(dense: dDense, late: dLate), .layerInputs), both, "computed again")
        expectSameBits(gradient(.both, Embeddings(late: dLate), .everything), late, "a head without gradient")
    }

    @Test(arguments: [EmbeddingHeads.dense, .late, .both], ["", "multi_vector_projector", "layers.4."])
    func whatIsKeptIsWhatTheFootprintSays(heads: EmbeddingHeads, target: String) {
        expectTheFootprint(heads, target, MatrixEngine(.float32))
    }

    @Test(arguments: [EmbeddingHeads.dense, .late, .both], ["", "multi_vector_projector", "layers.4."])
    func whatIsKeptInBFloat16IsWhatTheFootprintSays(heads: EmbeddingHeads, target: String) {
        expectTheFootprint(heads, target, MatrixEngine(.bfloat16))
    }

    /// Every tensor that is kept, by its bytes a token.
    private func expectTheFootprint(_ heads: EmbeddingHeads, _ target: String, _ engine: MatrixEngine) {
        let texts = texts([40, 24])
        let adapter = adapter { target.isEmpty || $0.contains(target) }
        let model = JinaEmbeddingsV4(checkpoint, engine, maxTokens: 64)
        let footprint = ActivationFootprint(checkpoint.config, adapter.layout, engine: engine, hasDropout: false, heads: heads)
        for (keeping, bytes) in [(ActivationKeeping.everything, footprint.everything), (.layerInputs, footprint.layerInputs)] {
            let (_, kept) = model.forward(PackedTokens(texts), adapter.loaded(for: engine), dropout: 0, keeping: keeping, heads: heads)
            var tensors: [ObjectIdentifier: Int] = [:]
            collect(kept, into: &tensors)
            #expect(tensors.values.reduce(0, +) == 64 * bytes, "\(engine.kind), \(keeping)")
        }
    }

    /// The tensors in a value, without what belongs to the whole pass or to an input.
    private func collect(_ value: Any, into tensors: inout [ObjectIdentifier: Int]) {
        if let tensor = value as? Tensor {
            tensors[ObjectIdentifier(tensor)] = tensor.count * tensor.element.byteWidth
            return
        }
        for child in Mirror(reflecting: value).children where !["pass", "pooled"].contains(child.label) {
            collect(child.value, into: &tensors)
        }
    }
}
