// Rotary position embedding with several position streams (time, height, width; or the two axes of an image), forward and
// backward, and the bias of the projection before it, added on the way.

import Foundation

/// Cosines and sines of every position up to a limit, and which stream each frequency slot follows.
///
/// Slot j of a head of D channels turns channels j and j + D/2.
package struct RotaryTable: Sendable {
    /// Values of a head.
    package let headDimension: Int
    /// The slots that follow each stream.
    let sections: [Range<Int>]
    /// [positions, headDimension / 2]
    let cosines: [Float]
    let sines: [Float]

    /// A decoder's: slot j has frequency θ^(-2j/D).
    ///
    /// - Parameter sections: slots that follow time, height and width, in this order; their sum is headDimension / 2
    package init(positions: Int, headDimension: Int, theta: Double, sections: [Int]) {
        let frequencies = (0..<headDimension / 2).map { 1 / pow(theta, Double(2 * $0) / Double(headDimension)) }
        self.init(positions: positions, headDimension: headDimension, frequencies, sections: sections)
    }

    /// An image's: half of the slots follow the row and half the column, each with the frequencies θ^(-4i/D), i from 0.
    package init(axialPositions positions: Int, headDimension: Int, theta: Double) {
        let slots = headDimension / 4
        let axis = (0..<slots).map { 1 / pow(theta, Double(4 * $0) / Double(headDimension)) }
        self.init(positions: positions, headDimension: headDimension, axis + axis, sections: [slots, slots])
    }

    private init(positions: Int, headDimension: Int, _ frequencies: [Double], sections: [Int]) {
        precondition(sections.reduce(0, +) == headDimension / 2, "rotary: sections \(sections) for \(headDimension / 2) slots")
        self.headDimension = headDimension
        self.sections = sections.reduce(into: []) { $0.append(($0.last?.upperBound ?? 0)..<($0.last?.upperBound ?? 0) + $1) }
        // Frequencies and angles are rounded to Float, as the reference's are.
        let rounded = frequencies.map { Float($0) }
        let angles = (0..<positions).flatMap { position in rounded.map { Float(position) * $0 } }
        cosines = angles.map { Float(cos(Double($0))) }
        sines = angles.map { Float(sin(Double($0))) }
    }
}

extension RotaryTable {
    /// Writes the cosines and sines of every slot for the token in `row`; `direction` -1 is the turn back.
    fileprivate func load(
        _ positions: RotaryPositions, _ row: Int, direction: Float, _ cosine: UnsafeMutablePointer<Float>,
        _ sine: UnsafeMutablePointer<Float>
    ) {
        for (stream, slots) in sections.enumerated() {
            let start = Int(positions.streams[stream][row]) * (headDimension / 2)
            for slot in slots {
                cosine[slot] = cosines[start + slot]
                sine[slot] = sines[start + slot] * direction
            }
        }
    }
}

/// Positions of packed tokens (or patches) in each stream.           each [tokens]
package struct RotaryPositions: Sendable {
    /// Positions of each token by time, height and width.             [streams][tokens]
    package let streams: [[Int32]]

    /// Text: all streams count each segment's tokens from 0.
    package init(segments: [Range<Int>]) {
        let positions = segments.flatMap { (0..<Int32($0.count)).map { $0 } }
        streams = [positions, positions, positions]
    }

    /// Creates positions.
    package init(streams: [[Int32]]) { self.streams = streams }
}

/// Adds `bias` to each row and turns every head by its position.
///
///     y[j] = x[j]·cos - x[j + D/2]·sin,   y[j + D/2] = x[j + D/2]·cos + x[j]·sin
///
/// - Parameters:
///   - x: [tokens, columns]
///   - columns: of x that are turned, heads · headDimension; all where none are given
///   - bias: of all columns of x
/// - Returns: [tokens, heads · headDimension] in `element`
package func rotate(
    _ x: Tensor, columns: Range<Int>? = nil, bias: [Float]?, _ table: RotaryTable, _ positions: RotaryPositions,
    as element: Tensor.Element
) -> Tensor {
    let turn = Turn(x: x, columns: columns ?? 0..<x.columns, bias: bias, table: table, positions: positions, direction: 1)
    return switch (x.element, element) {
    case (.float32, .float32): turn.run(Float.self, Float.self)
    case (.float32, .bfloat16): turn.run(Float.self, BFloat16.self)
    case (.bfloat16, .float32): turn.run(BFloat16.self, Float.self)
    case (.bfloat16, .bfloat16): turn.run(BFloat16.self, BFloat16.self)
    }
}

/// The gradient of `rotate` with respect to x, float32: the turn back.
package func rotateBackward(_ dY: Tensor, _ table: RotaryTable, _ positions: RotaryPositions, as element: Tensor.Element) -> Tensor {
    let turn = Turn(x: dY, columns: 0..<dY.columns, bias: nil, table: table, positions: positions, direction: -1)
    return element == .float32 ? turn.run(Float.self, Float.self) : turn.run(Float.self, BFloat16.self)
}

private struct Turn {
    let x: Tensor
    let columns: Range<Int>
    let bias: [Float]?
    let table: RotaryTable
    let positions: RotaryPositions
    let direction: Float

    func run<X: Scalar, Y: Scalar>(_: X.Type, _: Y.Type) -> Tensor {
        let (width, dimension) = (columns.count, table.headDimension)
        let half = dimension / 2
        let y = Tensor(x.rows, width, Y.element)
        let bias = bias.map { Array($0[columns]) } ?? [Float](repeating: 0, count: width)
        let (source, target, stride) = (x.pointer(to: X.self) + columns.lowerBound, y.pointer(to: Y.self), x.columns)
        Threads.run(x.rows, grain: 32) { rows in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: dimension) { scratch in
                let cosine = scratch.baseAddress!
                let sine = cosine + half
                for row in rows {
                    table.load(positions, row, direction: direction, cosine, sine)
                    bias.withUnsafeBufferPointer { bias in
                        for head in Swift.stride(from: 0, to: width, by: dimension) {
                            let (first, toFirst) = (source + row * stride + head, target + row * width + head)
                            let (second, toSecond) = (first + half, toFirst + half)
                            let (firstBias, secondBias) = (bias.baseAddress! + head, bias.baseAddress! + head + half)
                            // One loop for each half: with two outputs the optimiser gives up on vectors.
                            for j in 0..<half {
                                let (a, b) = (first[j].float + firstBias[j], second[j].float + secondBias[j])
                                toFirst[j] = Y(rounding: a * cosine[j] - b * sine[j])
                            }
                            for j in 0..<half {
                                let (a, b) = (first[j].float + firstBias[j], second[j].float + secondBias[j])
                                toSecond[j] = Y(rounding: b * cosine[j] + a * sine[j])
                            }
                        }
                    }
                }
            }
        }
        return y
    }
}
