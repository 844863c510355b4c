// Masks: the same for a row wherever it lies, as many zeros as asked for, and no relation between rows, places and steps.

import Support
import Tensor
import Testing

@Suite struct DropoutTests {
    private let width = 1000
    private let keys = (0..<200).map { RandomStream(7).bits(at: $0) }

    private func ones(_ rows: Int, _ element: Tensor.Element = .float32) -> Tensor {
        converted(Tensor([Float](repeating: 1, count: rows * width), rows: rows, columns: width), to: element)
    }

    /// 1 where a value is dropped.
    private func mask(_ probability: Float, _ keys: [UInt64], stream: UInt64) -> [[Int]] {
        let y = Dropout(probability: probability, rowKeys: keys).applied(to: ones(keys.count), stream: stream).values
        return keys.indices.map { row in (0..<width).map { y[row * width + $0] == 0 ? 1 : 0 } }
    }

    @Test(arguments: [Tensor.Element.float32, .bfloat16])
    func keptValuesAreScaled(element: Tensor.Element) {
        let x = Samples(seed: 1).tensor(200, width, element)
        let y = Dropout(probability: 0.1, rowKeys: keys).applied(to: x, stream: 5).asFloats
        let mask = mask(0.1, keys, stream: 5)
        let (scale, source) = (1 / (1 - Float(0.1)), x.asFloats)
        let expected = (0..<x.count).map { i in
            let value = mask[i / width][i % width] == 1 ? 0 : source[i] * scale
            return element == .float32 ? value : BFloat16(rounding: value).float
        }
        expectSameBits(y, expected, "dropped", shape: x.shape)
    }

    @Test(arguments: [Tensor.Element.float32, .bfloat16])
    func backwardIsTheSameInPlace(element: Tensor.Element) {
        let dropout = Dropout(probability: 0.3, rowKeys: keys)
        var dX = Samples(seed: 2).tensor(200, width, element)
        let expected = dropout.applied(to: dX, stream: 9).asFloats
        dropout.apply(to: &dX, stream: 9)
        expectSameBits(dX.asFloats, expected, "dX", shape: dX.shape)
    }

    @Test func aRowsMaskDependsOnItsKeyAlone() {
        let forward = mask(0.5, keys, stream: 3)
        expectSameElements(mask(0.5, keys.reversed(), stream: 3).joined(), forward.reversed().joined(), "reversed")
        expectSameElements(mask(0.5, [keys[17]], stream: 3)[0], forward[17], "alone")
        expectSameElements(withThreads(3) { mask(0.5, keys, stream: 3) }.joined(), forward.joined(), "3 threads")
    }

    /// 200,000 draws: five standard deviations of a binomial distribution.
    @Test(arguments: [Float(0.1), 0.5])
    func rate(probability: Float) {
        let draws = Double(keys.count * width)
        let (p, bound) = (Double(probability), 5 * (draws * Double(probability) * Double(1 - probability)).squareRoot())
        for stream in [UInt64(0), 1, 2, 143] {
            let dropped = mask(probability, keys, stream: stream).joined().reduce(0, +)
            #expect(abs(Double(dropped) - draws * p) < bound, "stream \(stream): \(dropped) of \(draws)")
        }
    }

    @Test func noneIsDroppedAtZero() {
        #expect(mask(0, keys, stream: 1).joined().allSatisfy { $0 == 0 })
    }

    /// χ² of the four-field table of two masks, one degree of freedom: 28 is passed once in 8 million tables.
    private func chiSquare(_ a: some Sequence<Int>, _ b: some Sequence<Int>) -> Double {
        var table = [0.0, 0, 0, 0]
        for (x, y) in zip(a, b) { table[2 * x + y] += 1 }
        let total = table.reduce(0, +)
        let (top, left) = (table[0] + table[1], table[0] + table[2])
        let cross = table[0] * table[3] - table[1] * table[2]
        return total * cross * cross / (top * (total - top) * left * (total - left))
    }

    @Test(arguments: [Float(0.1), 0.5])
    func masksAreUnrelated(probability: Float) {
        let mine = mask(probability, keys, stream: 4)
        let flat = Array(mine.joined())
        for stream in [UInt64(0), 5, 6, 7, 8, 1 << 40] {
            #expect(chiSquare(flat, mask(probability, keys, stream: stream).joined()) < 28, "stream \(stream)")
        }
        let nextStep = keys.indices.map { RandomStream(7).stream(1).bits(at: $0) }
        #expect(chiSquare(flat, mask(probability, nextStep, stream: 4).joined()) < 28, "another step")
        #expect(chiSquare(flat, mine.dropFirst().joined()) < 28, "neighbouring rows")
        #expect(chiSquare(flat, flat.dropFirst()) < 28, "neighbouring channels")
        #expect(chiSquare(flat, mask(probability, Array(0..<200), stream: 4).joined()) < 28, "keys that count upwards")
        for distance in [1, 2, 16, 100] {
            let pairs = keys.indices.map { mine[($0 + distance) % keys.count] }
            #expect(chiSquare(flat, pairs.joined()) < 28, "rows \(distance) apart")
        }
    }
}
