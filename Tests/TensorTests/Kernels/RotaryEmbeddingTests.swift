// Rotation against complex arithmetic in Double, with one and with three position streams.

import Support
import Tensor
import Testing

@Suite struct RotaryEmbeddingTests {
    private let segments = [0..<40, 40..<41, 41..<300]

    /// Angles grow with the position, and a float's error with the angle: 300 · 2⁻²⁴.
    private let tolerance = Tolerance("rotary", 300 * 0x1p-23)

    @Test(arguments: [(16, 8, [8]), (20, 3, [2, 4, 4]), (64, 2, [8, 12, 12]), (128, 2, [16, 24, 24])])
    func reference(dimension: Int, heads: Int, sections: [Int]) {
        let sections = sections + [Int](repeating: 0, count: 3 - sections.count)
        guard sections.reduce(0, +) == dimension / 2 else { return }
        let table = RotaryTable(positions: 512, headDimension: dimension, theta: 1e6, sections: sections)
        let x = Samples(seed: 1).tensor(300, heads * dimension)
        let bias = Samples(seed: 2).tensor(1, heads * dimension)
        let stream = RandomStream(3)
        let streams = (0..<3).map { s in (0..<300).map { Int32(stream.stream(UInt64(s)).integer(below: 512, at: $0)) } }
        for positions in [RotaryPositions(segments: segments), RotaryPositions(streams: streams)] {
            let expected = Reference.rotated(
                Matrix(x), bias: bias.asDoubles, headDimension: dimension, theta: 1e6, sections: sections, positions: positions.streams)
            let y = rotate(x, bias: bias.values, table, positions, as: .float32)
            expectClose(y.values, expected.values, "rotated, D \(dimension)", shape: y.shape, tolerance)
            let rounded = rotate(x, bias: bias.values, table, positions, as: .bfloat16)
            expectClose(rounded.asFloats, expected.values, "rotated in bfloat16, D \(dimension)", shape: y.shape, .bfloat16)
            let back = Reference.rotated(
                Matrix(x), bias: nil, headDimension: dimension, theta: 1e6, sections: sections, positions: positions.streams,
                direction: -1)
            let dX = rotateBackward(x, table, positions, as: .float32)
            expectClose(dX.values, back.values, "turned back, D \(dimension)", shape: dX.shape, tolerance)
        }
    }

    /// The middle columns of a fused projection, turned by row and column: each axis is a head of half the width by itself.
    @Test(arguments: [(16, 2), (20, 3), (80, 2)])
    func axesOfAnImage(dimension: Int, heads: Int) {
        let (width, rows, quarter) = (dimension * heads, 70, dimension / 4)
        let table = RotaryTable(axialPositions: 40, headDimension: dimension, theta: 10_000)
        let streams = (0..<2).map { axis in (0..<rows).map { Int32(RandomStream(4).stream(UInt64(axis)).integer(below: 40, at: $0)) } }
        let (x, bias) = (Samples(seed: 8).tensor(rows, 3 * width), Samples(seed: 9).tensor(1, 3 * width))
        let y = rotate(x, columns: width..<2 * width, bias: bias.values, table, RotaryPositions(streams: streams), as: .float32)
        for head in 0..<heads {
            for (axis, positions) in streams.enumerated() {
                // Channels of an axis: a quarter of the head, and its partners half a head further.
                let first = head * dimension + axis * quarter
                let channels = [first..<first + quarter, first + 2 * quarter..<first + 3 * quarter]
                func taken(_ matrix: Matrix, from start: Int) -> Matrix {
                    Matrix(matrix.rows, 2 * quarter, (0..<matrix.rows).flatMap { row in channels.joined().map { matrix[row, start + $0] } })
                }
                let expected = Reference.rotated(
                    taken(Matrix(x), from: width), bias: taken(Matrix(bias), from: width).values, headDimension: 2 * quarter,
                    theta: 10_000, sections: [quarter], positions: [positions])
                let found = taken(Matrix(y), from: 0).values.map { Float($0) }
                expectClose(found, expected.values, "head \(head), axis \(axis)", shape: expected.shape, tolerance)
            }
        }
        let rounded = rotate(
            converted(x, to: .bfloat16), columns: width..<2 * width, bias: bias.values, table, RotaryPositions(streams: streams),
            as: .bfloat16)
        expectClose(rounded.asFloats, y.asDoubles, "in bfloat16", shape: y.shape, .bfloat16)
    }

    @Test func backwardIsTheDerivative() {
        let table = RotaryTable(positions: 8, headDimension: 8, theta: 10_000, sections: [1, 1, 2])
        let positions = RotaryPositions(streams: [[0, 1, 2, 3], [0, 5, 7, 1], [0, 2, 2, 6]])
        let (x, dY) = (Samples(seed: 4).tensor(4, 16), Samples(seed: 5).tensor(4, 16))
        expectGradient(
            rotateBackward(dY, table, positions, as: .float32).values,
            of: {
                let y = Reference.rotated(
                    Matrix(4, 16, $0), bias: nil, headDimension: 8, theta: 10_000, sections: [1, 1, 2], positions: positions.streams)
                return Reference.dot(y.values, dY.asDoubles)
            }, at: x.asDoubles, "rotation")
    }

    @Test func textPositionsBeginAnewInEachSegment() {
        let positions = RotaryPositions(segments: [0..<3, 3..<5])
        #expect(positions.streams == [[0, 1, 2, 0, 1], [0, 1, 2, 0, 1], [0, 1, 2, 0, 1]])
    }

    @Test func conversionAddsTheBias() {
        let (x, bias) = (Samples(seed: 6).tensor(70, 20), Samples(seed: 7).tensor(1, 20).values)
        let expected = (0..<x.count).map { x.floats[$0] + bias[$0 % 20] }
        expectSameBits(converted(x, bias: bias, to: .float32).values, expected, "x + bias")
        expectSameBits(
            converted(x, bias: bias, to: .bfloat16).asFloats, expected.map { BFloat16(rounding: $0).float }, "x + bias in bfloat16")
        #expect(converted(x, to: .float32) === x)
        let middle = converted(x, columns: 5..<12, bias: bias, to: .float32)
        expectSameBits(middle.values, (0..<70).flatMap { row in expected[row * 20 + 5..<row * 20 + 12] }, "columns of x + bias")
        expectSameBits(converted(converted(x, to: .bfloat16), to: .float32).values, x.values.map { BFloat16(rounding: $0).float }, "back")
    }
}
