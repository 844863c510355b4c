// Rotary position embedding with several position streams (time, height, width), forward and backward, and the bias of
// the projection before it, added on the way.

import Foundation

/// Cosines and sines of every position up to a limit, and which stream each frequency slot follows.
///
/// Slot j of a head of D channels has frequency θ^(-2j/D) and turns channels j and j + D/2.
package struct RotaryTable: Sendable {
    package let headDimension: Int
    /// The slots that follow time, height and width.
    let sections: [Range<Int>]
    /// [positions, headDimension / 2]
    let cosines: [Float]
    let sines: [Float]

    /// - Parameter sections: slots that follow time, height and width, in this order; their sum is headDimension / 2
    package init(positions: Int, headDimension: Int, theta: Double, sections: [Int]) {
        let slots = headDimension / 2
        precondition(sections.reduce(0, +) == slots, "rotary: sections \(sections) for \(slots) slots")
        self.headDimension = headDimension
        self.sections = sections.reduce(into: []) { $0.append(($0.last?.upperBound ?? 0)..<($0.last?.upperBound ?? 0) + $1) }
        // Frequencies and angles are rounded to Float, as the reference's are.
        let frequencies = (0..<slots).map { Float(1 / pow(theta, Double(2 * $0) / Double(headDimension))) }
        let angles = (0..<positions).flatMap { position in frequencies.map { Float(position) * $0 } }
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

/// Positions of packed tokens in the three streams.                 each [tokens]
package struct RotaryPositions: Sendable {
    package let streams: [[Int32]]

    /// Text: all streams count each segment's tokens from 0.
    package init(segments: [Range<Int>]) {
        let positions = segments.flatMap { (0..<Int32($0.count)).map { $0 } }
        streams = [positions, positions, positions]
    }

    package init(streams: [[Int32]]) { self.streams = streams }
}

/// Adds `bias` to each row and turns every head by its position.
///
///     y[j] = x[j]·cos - x[j + D/2]·sin,   y[j + D/2] = x[j + D/2]·cos + x[j]·sin
///
/// - Parameter x: [tokens, heads · headDimension], float32
/// - Returns: the same shape in `element`
package func rotate(
    _ x: Tensor, bias: [Float]?, _ table: RotaryTable, _ positions: RotaryPositions, as element: Tensor.Element
) -> Tensor {
    element == .float32
        ? turn(x, bias, table, positions, direction: 1, Float.self) : turn(x, bias, table, positions, direction: 1, BFloat16.self)
}

/// The gradient of `rotate` with respect to x: the turn back.
package func rotateBackward(_ dY: Tensor, _ table: RotaryTable, _ positions: RotaryPositions, as element: Tensor.Element) -> Tensor {
    element == .float32
        ? turn(dY, nil, table, positions, direction: -1, Float.self) : turn(dY, nil, table, positions, direction: -1, BFloat16.self)
}

private func turn<S: Scalar>(
    _ x: Tensor, _ bias: [Float]?, _ table: RotaryTable, _ positions: RotaryPositions, direction: Float, _: S.Type
) -> Tensor {
    let (width, dimension) = (x.columns, table.headDimension)
    let half = dimension / 2
    let y = Tensor(x.rows, width, S.element)
    let bias = bias ?? [Float](repeating: 0, count: width)
    let (source, target) = (x.floats, y.pointer(to: S.self))
    Threads.run(x.rows, grain: 32) { rows in
        withUnsafeTemporaryAllocation(of: Float.self, capacity: dimension) { scratch in
            let cosine = scratch.baseAddress!
            let sine = cosine + half
            for row in rows {
                table.load(positions, row, direction: direction, cosine, sine)
                bias.withUnsafeBufferPointer { bias in
                    for head in stride(from: 0, to: width, by: dimension) {
                        let (first, toFirst) = (source + row * width + head, target + row * width + head)
                        let (second, toSecond) = (first + half, toFirst + half)
                        let (firstBias, secondBias) = (bias.baseAddress! + head, bias.baseAddress! + head + half)
                        // One loop for each half: with two outputs the optimiser gives up on vectors.
                        for j in 0..<half {
                            toFirst[j] = S(rounding: (first[j] + firstBias[j]) * cosine[j] - (second[j] + secondBias[j]) * sine[j])
                        }
                        for j in 0..<half {
                            toSecond[j] = S(rounding: (second[j] + secondBias[j]) * cosine[j] + (first[j] + firstBias[j]) * sine[j])
                        }
                    }
                }
            }
        }
    }
    return y
}
