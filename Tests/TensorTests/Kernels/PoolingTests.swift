// Mean, normalisation, and the way back.

import Support
import Tensor
import Testing

@Suite struct PoolingTests {
    private let segments = [0..<1, 1..<30, 30..<158]

    @Test(arguments: [16, 37, 256])
    func referenceAndGradient(hidden: Int) {
        let states = Samples(seed: 1).tensor(158, hidden)
        let pooled = meanPooled(states, segments: segments)
        let expected = Reference.meanPooled(Matrix(states), segments: segments)
        expectClose(pooled.unit.values, expected.values, "embeddings", shape: pooled.unit.shape, .float32Sum)

        let dUnit = Samples(seed: 2).tensor(3, hidden)
        let dStates = meanPooledBackward(dUnit, pooled, segments: segments, tokens: 158)
        expectGradient(
            dStates.values,
            of: { Reference.dot(Reference.meanPooled(Matrix(158, hidden, $0), segments: segments).values, dUnit.asDoubles) },
            at: states.asDoubles, "mean pooling, hidden \(hidden)")
    }

    /// The tokens of an image without the prompt around them.
    @Test func spansWithinTheTokens() {
        let (states, spans) = (Samples(seed: 4).tensor(60, 20), [3..<20, 25..<60])
        let pooled = meanPooled(states, segments: spans)
        let dUnit = Samples(seed: 5).tensor(2, 20)
        let dStates = meanPooledBackward(dUnit, pooled, segments: spans, tokens: 60)
        expectGradient(
            dStates.values,
            of: { Reference.dot(Reference.meanPooled(Matrix(60, 20, $0), segments: spans).values, dUnit.asDoubles) },
            at: states.asDoubles, "mean pooling of spans")
        for outside in [0..<3, 20..<25] { #expect(dStates.rows(outside).values.allSatisfy { $0 == 0 }) }
    }

    @Test func aSegmentsBitsAreItsOwn() {
        let states = Samples(seed: 3).tensor(158, 100)
        let packed = meanPooled(states, segments: segments).unit
        for (index, segment) in segments.enumerated() {
            let alone = meanPooled(states.rows(segment), segments: [0..<segment.count]).unit
            expectSameBits(alone.values, packed.rows(index..<index + 1).values, "segment \(segment)")
        }
    }

    @Test func zerosStayZero() {
        let pooled = meanPooled(.zeros(4, 20), segments: [0..<4])
        #expect(pooled.unit.values.allSatisfy { $0 == 0 })
    }
}
