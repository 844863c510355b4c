// Attention against the full matrix in Double, and the promise that a segment's bits are its own.

import Support
import Tensor
import Testing

/// Inputs of an attention over segments that lie one after the other.
private struct AttentionCase {
    let shape: AttentionShape
    let segments: [Range<Int>]
    let q, k, v, dOutput: Tensor

    init(lengths: [Int], heads: Int, keyValueHeads: Int, headDimension: Int, _ element: Tensor.Element = .float32, seed: UInt64 = 1) {
        shape = AttentionShape(heads: heads, keyValueHeads: keyValueHeads, headDimension: headDimension)
        segments = lengths.reduce(into: []) { $0.append(($0.last?.upperBound ?? 0)..<($0.last?.upperBound ?? 0) + $1) }
        let tokens = segments.last!.upperBound
        q = Samples(seed: seed).tensor(tokens, heads * headDimension, element, scale: 1.5)
        k = Samples(seed: seed + 1).tensor(tokens, keyValueHeads * headDimension, element, scale: 1.5)
        v = Samples(seed: seed + 2).tensor(tokens, keyValueHeads * headDimension, element)
        dOutput = Samples(seed: seed + 3).tensor(tokens, heads * headDimension)
    }

    private init(_ other: AttentionCase, only segment: Range<Int>) {
        (shape, segments) = (other.shape, [0..<segment.count])
        (q, k, v) = (other.q.copy(of: segment), other.k.copy(of: segment), other.v.copy(of: segment))
        dOutput = other.dOutput.copy(of: segment)
    }

    func alone(_ segment: Range<Int>) -> AttentionCase { AttentionCase(self, only: segment) }

    func run() -> (output: Tensor, logSumExp: Tensor, dQ: Tensor, dK: Tensor, dV: Tensor) {
        let (output, logSumExp) = causalAttention(q: q, k: k, v: v, segments: segments, shape)
        let (dQ, dK, dV) = causalAttentionBackward(
            dOutput, q: q, k: k, v: v, output: output, logSumExp: logSumExp, segments: segments, shape)
        return (output, logSumExp, dQ, dK, dV)
    }

    func reference(q: Matrix, k: Matrix, v: Matrix) -> Reference.Attention {
        Reference.attention(
            q: q, k: k, v: v, segments: segments, heads: shape.heads, keyValueHeads: shape.keyValueHeads,
            headDimension: shape.headDimension)
    }

    /// - Parameter scores: relative error of the softmax, where scores are so large that a float32 cannot hold them better
    func expectReference(scores: Tolerance? = nil) {
        let (q, k, v) = (Matrix(q), Matrix(k), Matrix(v))
        let (expected, actual) = (reference(q: q, k: k, v: v), run())
        let gradient = Reference.attentionBackward(
            Matrix(dOutput), q: q, k: k, v: v, segments: segments, heads: shape.heads, keyValueHeads: shape.keyValueHeads,
            headDimension: shape.headDimension)
        let tolerance = scores ?? (self.q.element == .float32 ? .float32Sum : .bfloat16)
        func expect(_ name: String, _ tensor: Tensor, _ matrix: Matrix, _ tolerance: Tolerance) {
            expectClose(
                tensor.asFloats, matrix.values, "\(name) of \(shape), \(segments)", shape: tensor.shape, tolerance, terms: 1)
        }
        expect("output", actual.output, expected.output, tolerance)
        expect("logSumExp", actual.logSumExp, expected.logSumExp, .float32Sum)
        expect("dQ", actual.dQ, gradient.dQ, tolerance)
        expect("dK", actual.dK, gradient.dK, tolerance)
        expect("dV", actual.dV, gradient.dV, tolerance)
    }
}

extension AttentionTests {
    static let lengths = [1, 2, 15, 16, 17, 31, 33, 127, 128, 129, 300]
}

@Suite struct AttentionTests {
    @Test(arguments: [8, 16, 20, 64, 80, 128], [Tensor.Element.float32, .bfloat16])
    func headDimensions(dimension: Int, element: Tensor.Element) {
        AttentionCase(lengths: [17, 129, 33], heads: 4, keyValueHeads: 2, headDimension: dimension, element).expectReference()
    }

    @Test(arguments: AttentionTests.lengths, [Tensor.Element.float32, .bfloat16])
    func lengths(length: Int, element: Tensor.Element) {
        AttentionCase(lengths: [length], heads: 2, keyValueHeads: 1, headDimension: 20, element).expectReference()
    }

    @Test(arguments: [1, 2, 8])
    func groups(group: Int) {
        AttentionCase(lengths: [40, 3], heads: 8, keyValueHeads: 8 / group, headDimension: 16).expectReference()
    }

    @Test func backwardIsTheDerivative() {
        let attention = AttentionCase(lengths: [5, 19], heads: 4, keyValueHeads: 2, headDimension: 8)
        let (q, k, v) = (Matrix(attention.q), Matrix(attention.k), Matrix(attention.v))
        let (weights, actual) = (attention.dOutput.asDoubles, attention.run())
        func loss(_ q: Matrix, _ k: Matrix, _ v: Matrix) -> Double {
            Reference.dot(attention.reference(q: q, k: k, v: v).output.values, weights)
        }
        expectGradient(actual.dQ.values, of: { loss(Matrix(q.rows, q.columns, $0), k, v) }, at: q.values, "attention, q")
        expectGradient(actual.dK.values, of: { loss(q, Matrix(k.rows, k.columns, $0), v) }, at: k.values, "attention, k")
        expectGradient(actual.dV.values, of: { loss(q, k, Matrix(v.rows, v.columns, $0)) }, at: v.values, "attention, v")
    }

    /// A segment alone, packed with all the others, and with 1, 2 or 3 threads.
    @Test(arguments: [Tensor.Element.float32, .bfloat16])
    func aSegmentsBitsAreItsOwn(element: Tensor.Element) {
        let packed = AttentionCase(lengths: Self.lengths.reversed(), heads: 4, keyValueHeads: 2, headDimension: 64, element)
        let reference = withThreads(1) { packed.run() }
        for threads in [2, 3] {
            let again = withThreads(threads) { packed.run() }
            for (name, one, other) in pairs(again, reference) { expectSameBits(one, other, "\(name), \(threads) threads") }
        }
        for segment in packed.segments {
            let alone = packed.alone(segment).run()
            let part = (
                output: reference.output.copy(of: segment), logSumExp: reference.logSumExp.copy(of: segment),
                dQ: reference.dQ.copy(of: segment), dK: reference.dK.copy(of: segment), dV: reference.dV.copy(of: segment)
            )
            for (name, one, other) in pairs(alone, part) { expectSameBits(one, other, "\(name) of segment \(segment)") }
        }
    }

    private typealias Results = (output: Tensor, logSumExp: Tensor, dQ: Tensor, dK: Tensor, dV: Tensor)

    private func pairs(_ a: Results, _ b: Results) -> [(String, [Float], [Float])] {
        [
            ("output", a.output.asFloats, b.output.asFloats), ("logSumExp", a.logSumExp.values, b.logSumExp.values),
            ("dQ", a.dQ.values, b.dQ.values), ("dK", a.dK.values, b.dK.values), ("dV", a.dV.values, b.dV.values),
        ]
    }

    /// Scores of ±10⁴, whose floats are 2⁻¹¹ apart, leave no exponential but the largest key's: the maximum is subtracted first.
    @Test func largeScores() {
        let attention = AttentionCase(lengths: [140], heads: 1, keyValueHeads: 1, headDimension: 16)
        attention.q.withMutableFloats { for i in $0.indices { $0[i] *= 1000 } }
        attention.expectReference(scores: Tolerance("large scores", 0x1p-8))
    }

    /// What is not finite must reach the vote before the update, so it may not get lost in a maximum or a clamp.
    @Test(arguments: [Float.nan, .infinity])
    func notFinite(value: Float) {
        let attention = AttentionCase(lengths: [40, 7], heads: 2, keyValueHeads: 1, headDimension: 16)
        attention.q[20, 3] = value
        let result = attention.run()
        #expect(result.output.rows(20..<21).values.contains { $0.isNaN })
        #expect(result.dK.rows(0..<21).values.contains { $0.isNaN })
        #expect(!result.output.rows(0..<20).values.contains { $0.isNaN }, "earlier queries do not see it")
        #expect(!result.output.rows(40..<47).values.contains { $0.isNaN }, "nor does another segment")
    }
}

@Suite struct FullAttentionTests {
    private func full(_ attention: AttentionCase) -> Tensor {
        fullAttention(q: attention.q, k: attention.k, v: attention.v, segments: attention.segments, attention.shape)
    }

    /// Windows of at most 64, and frames of more keys than a block and more queries than a span.
    @Test(arguments: [[64, 64, 8, 1], [129, 33], [1100]], [(2, 2, 80), (4, 2, 20)])
    func reference(lengths: [Int], shape: (heads: Int, keyValueHeads: Int, headDimension: Int)) {
        for element in [Tensor.Element.float32, .bfloat16] {
            let attention = AttentionCase(
                lengths: lengths, heads: shape.heads, keyValueHeads: shape.keyValueHeads, headDimension: shape.headDimension, element)
            let expected = Reference.attention(
                q: Matrix(attention.q), k: Matrix(attention.k), v: Matrix(attention.v), segments: attention.segments,
                heads: shape.heads, keyValueHeads: shape.keyValueHeads, headDimension: shape.headDimension, isCausal: false)
            let actual = full(attention)
            #expect(actual.element == element)
            expectClose(
                actual.asFloats, expected.output.values, "full attention over \(lengths), \(element)", shape: actual.shape,
                element == .float32 ? .float32Sum : .bfloat16, terms: 1)
        }
    }

    @Test(arguments: [Tensor.Element.float32, .bfloat16])
    func aSegmentsBitsAreItsOwn(element: Tensor.Element) {
        let packed = AttentionCase(lengths: [64, 700, 3, 40], heads: 2, keyValueHeads: 2, headDimension: 20, element)
        let reference = withThreads(1) { full(packed) }
        expectSameBits(withThreads(3) { full(packed) }.asFloats, reference.asFloats, "three threads", shape: reference.shape)
        for segment in packed.segments {
            let alone = withThreads(2) { full(packed.alone(segment)) }
            expectSameBits(alone.asFloats, reference.copy(of: segment).asFloats, "segment \(segment)", shape: alone.shape)
        }
    }

    @Test func notFinite() {
        let attention = AttentionCase(lengths: [40, 7], heads: 1, keyValueHeads: 1, headDimension: 16)
        attention.k[20, 3] = .nan
        let output = full(attention)
        #expect((0..<40).allSatisfy { output.rows($0..<$0 + 1).values.contains { $0.isNaN } })
        #expect(!output.rows(40..<47).values.contains { $0.isNaN })
    }
}
