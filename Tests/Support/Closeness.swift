// Comparison of tensors with named tolerances. A failing one says which tensor, its shape, where it differs most and by how much.

import Testing

/// How far a value may lie from its reference, relative to the largest magnitude of the whole reference.
///
/// Relative to the whole, because a sum whose terms cancel keeps the rounding errors of its terms.
package struct Tolerance: Sendable {
    package let name: String
    package let relative: Double

    package init(_ name: String, _ relative: Double) {
        self.name = name
        self.relative = relative
    }

    /// No arithmetic at all, or arithmetic that is exact.
    package static let exact = Tolerance("exact", 0)
    /// A few roundings to float32 (2⁻²⁴ each), eˣ among them (2⁻²²).
    package static let float32Elementwise = Tolerance("float32Elementwise", 0x1p-20)
    /// Sums of up to some thousand products in float32, and short chains of such sums.
    package static let float32Sum = Tolerance("float32Sum", 1e-5)
    /// Results or inputs that were rounded to bfloat16 (2⁻⁹ each) a few times.
    package static let bfloat16 = Tolerance("bfloat16", 0x1p-7)
    /// Central differences in Double with a step of 10⁻⁵ against a gradient formed in float32.
    package static let centralDifference = Tolerance("centralDifference", 2e-5)
}

/// Expects `actual` to be `expected` up to `tolerance`. NaN is close to nothing.
///
/// - Parameters:
///   - shape: of both, row-major; empty for a plain list
///   - terms: magnitude of what a value is a sum of, where all values may cancel to nothing
package func expectClose(
    _ actual: [Float], _ expected: [Double], _ name: String, shape: [Int] = [], _ tolerance: Tolerance, terms: Double = 0,
    fileID: String = #fileID, filePath: String = #filePath, line: Int = #line, column: Int = #column
) {
    let location = SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column)
    guard actual.count == expected.count else {
        Issue.record("\(name) \(shape): \(actual.count) values, expected \(expected.count)", sourceLocation: location)
        return
    }
    let scale = expected.reduce(terms) { max($0, abs($1)) }
    var (worst, difference) = (-1, 0.0)
    for i in actual.indices {
        let distance = abs(Double(actual[i]) - expected[i])
        guard distance > tolerance.relative * scale || distance.isNaN else { continue }
        if distance.isNaN || worst < 0 || distance > difference { (worst, difference) = (i, distance) }
        if distance.isNaN { break }
    }
    guard worst >= 0 else { return }
    Issue.record(
        """
        \(name) \(shape): max |Δ| \(difference) at \(index(worst, in: shape)): \(actual[worst]) ≠ \(expected[worst]), \
        largest magnitude \(scale), tolerance \(tolerance.name) \(tolerance.relative)
        """, sourceLocation: location)
}

/// Expects `gradient` to be the derivative of `f` at `x`: its product with random directions is compared with central differences.
///
/// - Parameters:
///   - f: in Double; the formula of the kernel, not the kernel
///   - directions: how many are tried
package func expectGradient(
    _ gradient: [Float], of f: ([Double]) -> Double, at x: [Double], _ name: String, directions: Int = 3,
    fileID: String = #fileID, filePath: String = #filePath, line: Int = #line, column: Int = #column
) {
    let step = 1e-5
    let length = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    for direction in 0..<directions {
        let v = Samples(seed: 900 + UInt64(direction)).gaussian(x.count)
        let numeric = (f(zip(x, v).map { $0 + step * $1 }) - f(zip(x, v).map { $0 - step * $1 })) / (2 * step)
        let analytic = zip(gradient, v).reduce(0) { $0 + Double($1.0) * $1.1 }
        // For a random direction both are about as large as the gradient is long; one alone may happen to be near zero.
        guard abs(numeric - analytic) <= Tolerance.centralDifference.relative * max(length, abs(numeric)) else {
            Issue.record(
                "gradient of \(name), direction \(direction): \(analytic) ≠ \(numeric) by central differences, |gradient| \(length)",
                sourceLocation: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
            continue
        }
    }
}

/// The index of a row-major element, such as [5, 2].
func index(_ position: Int, in shape: [Int]) -> [Int] {
    guard shape.count > 1 else { return [position] }
    var (rest, result) = (position, [Int]())
    for size in shape.reversed() {
        result.insert(rest % size, at: 0)
        rest /= size
    }
    return result
}
