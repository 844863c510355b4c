// Streams by counter against SplitMix64, and their distributions within statistical bounds.

import Support
import Tensor
import Testing

/// SplitMix64 as published: a state that advances.
private struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

@Suite struct RandomStreamTests {
    /// First outputs of the reference implementation (prng.di.unimi.it/splitmix64.c) for the seeds 0 and 1234567.
    @Test func keyIsTheFirstOutput() {
        #expect(RandomStream(0).key == 0xe220_a839_7b1d_cdaf)
        #expect(RandomStream(1_234_567).key == 6_457_827_717_110_365_317)
    }

    @Test func valuesAreTheGeneratorsSequence() {
        let stream = RandomStream(42)
        var generator = SplitMix64(state: stream.key)
        for index in 1...100 { #expect(stream.bits(at: index) == generator.next()) }
    }

    @Test func namesAndLabelsSeparateStreams() {
        let stream = RandomStream(42)
        let others = [
            stream, RandomStream(43), stream.stream(0), stream.stream(1), stream.stream("a"), stream.stream("b"), stream.stream("ab"),
            stream.stream("a").stream("b"), stream.stream(0).stream(1), stream.stream(1).stream(0),
        ]
        #expect(Set(others.map(\.key)).count == others.count)
        #expect(stream.stream("\u{e9}").key != stream.stream("e\u{301}").key, "names are bytes")
    }

    @Test func integersAreUniform() {
        let (stream, bound, draws) = (RandomStream(1).stream("integers"), 7, 70_000)
        var counts = [Int](repeating: 0, count: bound)
        for i in 0..<draws { counts[stream.integer(below: bound, at: i)] += 1 }
        let expected = Double(draws / bound)
        let chiSquare = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(chiSquare < 40, "six degrees of freedom: 40 is passed once in two million runs")
        #expect((0..<1000).allSatisfy { stream.integer(below: 1, at: $0) == 0 })
    }

    @Test func gaussiansHaveTheirMoments() {
        let draws = 100_000
        let values = Samples(seed: 5).gaussian(draws)
        let moments = (1...4).map { power in
            values.reduce(0) { sum, x in sum + (0..<power).reduce(1) { product, _ in product * x } } / Double(draws)
        }
        // Five standard errors of each moment of the normal distribution.
        for (moment, (expected, variance)) in zip(moments, [(0.0, 1.0), (1, 2), (0, 15), (3, 96)]) {
            #expect(abs(moment - expected) < 5 * (variance / Double(draws)).squareRoot())
        }
        let neighbours = zip(values, values.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / Double(draws)
        #expect(abs(neighbours) < 5 / Double(draws).squareRoot(), "values do not depend on their neighbours")
    }

    @Test func permutations() {
        let stream = RandomStream(9)
        #expect(stream.permutation(0) == [] && stream.permutation(1) == [0])
        #expect(stream.permutation(1000).sorted() == Array(0..<1000))
        var counts: [[Int]: Int] = [:]
        for i in 0..<24_000 { counts[stream.stream(UInt64(i)).permutation(4), default: 0] += 1 }
        let chiSquare = counts.values.reduce(0) { $0 + Double(($1 - 1000) * ($1 - 1000)) / 1000 }
        #expect(counts.count == 24 && chiSquare < 70, "23 degrees of freedom: 70 is passed once in a million runs")
    }
}
