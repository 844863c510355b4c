// Fixed-point sums against integer arithmetic, and sums that do not depend on the order or the split of their parts.

import Support
import Tensor
import Testing

@Suite struct ExactSumTests {
    /// x · 2⁵⁰ rounded to nearest, ties to even, in integers alone.
    private func nearest(_ x: Float) -> Int64 {
        guard x != 0 else { return 0 }
        let bits = x.bitPattern
        let field = Int(bits >> 23 & 0xff)
        let significand = Int64(bits & 0x7f_ffff) | (field > 0 ? 0x80_0000 : 0)
        let shift = max(field, 1) - 150 + 50
        var magnitude: Int64
        if shift >= 0 {
            magnitude = significand << shift
        } else if shift < -40 {
            magnitude = 0
        } else {
            magnitude = significand >> -shift
            let (rest, half) = (significand - magnitude << -shift, Int64(1) << (-shift - 1))
            if rest > half || (rest == half && magnitude & 1 == 1) { magnitude += 1 }
        }
        return bits >> 31 == 1 ? -magnitude : magnitude
    }

    private func add(_ values: [Float], to sum: ExactSum, at offset: Int = 0) {
        sum.add(values.span, at: offset)
    }

    /// Any sign, exponent and significand below the limit of a single part, 2¹².
    private func anyFloats(_ count: Int, seed: UInt64) -> [Float] {
        let stream = RandomStream(seed)
        return (0..<count).map { i in
            let bits = stream.bits(at: i)
            let exponent = UInt32(stream.stream(1).integer(below: 127 + 12, at: i))
            return Float(bitPattern: UInt32(truncatingIfNeeded: bits) & 0x807f_ffff | exponent << 23)
        }
    }

    @Test func roundsToNearest() {
        let ties: [Float] = [
            0x1p-51, 0x1.8p-50, 0x1.4p-49, -0x1p-51, -0x1.8p-50, 0x1.000002p-51, 0x1.fffffep-52, 0x1p-126, 0x1p-149, 0, -0.0,
        ]
        let limits: [Float] = [4095.9998, -4095.9998, 2048, -2048, 0x1p-19, 0x1.fffffep-20, 0x1p-18, 1, -1, 0x1.000002p-27]
        let values = ties + limits + anyFloats(200_000, seed: 1)
        let sum = ExactSum(count: values.count)
        sum.reset(parts: 1)
        add(values, to: sum)
        let wrong = values.indices.first { sum.values[$0] != nearest(values[$0]) }
        #expect(wrong == nil, "\(wrong.map { "\(values[$0]): \(sum.values[$0]) ≠ \(nearest(values[$0]))" } ?? "")")
        #expect(sum.isInRange)
        expectSameBits(
            sum.rounded(values.count), values.map { Float(Double(nearest($0)) * 0x1p-50) }, "sums as floats")
    }

    @Test func orderAndSplitDoNotMatter() {
        let parts = (0..<12).map { anyFloats(257, seed: 10 + UInt64($0)).map { $0 / 16 } }
        func sum(_ add: (ExactSum) -> Void) -> [Int64] {
            let sum = ExactSum(count: 257)
            sum.reset(parts: 12)
            add(sum)
            #expect(sum.isInRange)
            return (0..<257).map { sum.values[$0] }
        }
        let expected = (0..<257).map { i in parts.reduce(0) { $0 + nearest($1[i]) } }
        expectSameElements(sum { sum in for part in parts { add(part, to: sum) } }, expected, "in order")
        expectSameElements(sum { sum in for part in parts.reversed() { add(part, to: sum) } }, expected, "reversed")
        let pieces = sum { sum in
            for part in parts {
                for start in stride(from: 0, to: 257, by: 50) { add(Array(part[start..<min(start + 50, 257)]), to: sum, at: start) }
            }
        }
        expectSameElements(pieces, expected, "in pieces")
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity, 4096, -4096, 1e30, -.nan])
    func outOfRange(value: Float) {
        let sum = ExactSum(count: 40)
        sum.reset(parts: 1)
        add([Float](repeating: 1, count: 40), to: sum)
        #expect(sum.isInRange)
        for position in [0, 15, 16, 39] {
            sum.reset(parts: 1)
            var part = [Float](repeating: 4095, count: 40)
            part[position] = value
            add(part, to: sum)
            #expect(!sum.isInRange, "\(value) at \(position)")
            add([1], to: sum)
            #expect(!sum.isInRange, "remembered")
        }
        sum.reset(parts: 1)
        #expect(sum.isInRange && (0..<40).allSatisfy { sum.values[$0] == 0 })
    }

    /// With n parts each may reach 2¹² / n, so that all together stay below 2⁶³.
    @Test(arguments: [1, 3, 4096, 1_000_000])
    func limitFollowsTheNumberOfParts(parts: Int) {
        let sum = ExactSum(count: 1)
        sum.reset(parts: parts)
        #expect(sum.limit == 4096 / Float(parts))
        add([sum.limit.nextDown], to: sum)
        #expect(sum.isInRange)
        add([-sum.limit], to: sum)
        #expect(!sum.isInRange)
        #expect(Double(parts) * Double(nearest(sum.limit.nextDown)) < 0x1p63)
    }

    @Test func manyThreads() {
        let values = anyFloats(200_000, seed: 3)
        func total() -> [Float] {
            let sum = ExactSum(count: values.count)
            sum.reset(parts: 1)
            Threads.run(values.count, grain: 1000) { add(Array(values[$0]), to: sum, at: $0.lowerBound) }
            return sum.rounded(values.count)
        }
        expectSameBits(withThreads(3, total), withThreads(1, total), "sums")
    }
}

@Suite struct OuterProductTests {
    private let chunks = [0..<1, 1..<128, 128..<256, 256..<300]

    /// The definition: of each chunk a chain of fused multiply-adds in the order of its rows; the chunks as integers.
    private func naive(_ left: Tensor, _ right: Tensor) -> [Int64] {
        let (a, b, m, n) = (left.asFloats, right.asFloats, left.columns, right.columns)
        let sum = ExactSum(count: m * n)
        sum.reset(parts: chunks.count)
        for chunk in chunks {
            var part = [Float](repeating: 0, count: m * n)
            for row in chunk { for i in 0..<m { for j in 0..<n { part[i * n + j].addProduct(a[row * m + i], b[row * n + j]) } } }
            sum.add(part.span, at: 0)
        }
        return (0..<m * n).map { sum.values[$0] }
    }

    @Test(arguments: [1, 4, 8, 16, 32, 40], [Tensor.Element.float32, .bfloat16])
    func naiveChunkByChunk(rank: Int, element: Tensor.Element) {
        for width in [64, 97, 160, 300] {
            let (wide, low) = (Samples(seed: 1).tensor(300, width, element), Samples(seed: 2).tensor(300, rank, element, scale: 0.1))
            for (left, right) in [(wide, low), (low, wide)] {
                let expected = naive(left, right)
                let sum = ExactSum(count: expected.count + 7)
                sum.reset(parts: chunks.count)
                addOuterProducts(left, right, chunks: chunks, to: sum, at: 5)
                let values = (0..<sum.count).map { sum.values[$0] }
                expectSameElements(values[5..<5 + expected.count], expected, "[300, \(left.columns)]ᵀ × [300, \(right.columns)]")
                #expect(values[..<5].allSatisfy { $0 == 0 } && values[(5 + expected.count)...].allSatisfy { $0 == 0 })
            }
        }
    }

    /// Chunks in other microbatches, in another order, with other numbers of threads.
    @Test func splitDoesNotMatter() {
        let (left, right) = (Samples(seed: 3).tensor(300, 200), Samples(seed: 4).tensor(300, 32))
        func sum(_ body: (ExactSum) -> Void) -> [Float] {
            let sum = ExactSum(count: 200 * 32)
            sum.reset(parts: chunks.count)
            body(sum)
            return sum.rounded(200 * 32)
        }
        let together = sum { addOuterProducts(left, right, chunks: chunks, to: $0, at: 0) }
        let apart = sum { sum in
            for chunk in chunks.reversed() {
                addOuterProducts(left.rows(chunk), right.rows(chunk), chunks: [0..<chunk.count], to: sum, at: 0)
            }
        }
        expectSameBits(apart, together, "chunks in calls of their own")
        for threads in [1, 2, 3] {
            let again = withThreads(threads) { sum { addOuterProducts(left, right, chunks: chunks, to: $0, at: 0) } }
            expectSameBits(again, together, "\(threads) threads")
        }
    }
}
