// The kernels once more, as their formulas stand in the papers: in Double, without blocks, vectors or threads.

import Foundation
import Support
import Tensor

/// A matrix of doubles, row-major.
struct Matrix {
    let rows: Int
    let columns: Int
    var values: [Double]

    init(_ rows: Int, _ columns: Int, _ values: [Double]) {
        precondition(values.count == rows * columns)
        (self.rows, self.columns, self.values) = (rows, columns, values)
    }

    init(zeros rows: Int, _ columns: Int) { self.init(rows, columns, [Double](repeating: 0, count: rows * columns)) }

    init(_ tensor: Tensor) { self.init(tensor.rows, tensor.columns, tensor.asDoubles) }

    init(_ weight: WeightMatrix) { self.init(weight.rows, weight.columns, weight.widened().map(Double.init)) }

    subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    var shape: [Int] { [rows, columns] }

    var transposed: Matrix {
        var result = Matrix(zeros: columns, rows)
        for row in 0..<rows { for column in 0..<columns { result[column, row] = self[row, column] } }
        return result
    }

    func block(_ rows: Range<Int>, _ columns: Range<Int>) -> Matrix {
        Matrix(rows.count, columns.count, rows.flatMap { row in columns.map { self[row, $0] } })
    }

    mutating func add(_ part: Matrix, atRow row: Int, column: Int) {
        for i in 0..<part.rows { for j in 0..<part.columns { self[row + i, column + j] += part[i, j] } }
    }

    static func * (a: Matrix, b: Matrix) -> Matrix {
        precondition(a.columns == b.rows)
        var result = Matrix(zeros: a.rows, b.columns)
        for i in 0..<a.rows {
            for k in 0..<a.columns {
                let left = a[i, k]
                for j in 0..<b.columns { result.values[i * b.columns + j] += left * b.values[k * b.columns + j] }
            }
        }
        return result
    }

    static func * (a: Matrix, factor: Double) -> Matrix { Matrix(a.rows, a.columns, a.values.map { $0 * factor }) }

    static func + (a: Matrix, b: Matrix) -> Matrix { Matrix(a.rows, a.columns, zip(a.values, b.values).map { $0 + $1 }) }
}

enum Reference {
    static func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }

    /// y = x / sqrt(mean(x²) + epsilon) · weight, each row.
    static func rmsNorm(_ x: Matrix, weight: [Double], epsilon: Double) -> Matrix {
        var y = x
        for row in 0..<x.rows {
            let squares = (0..<x.columns).reduce(0) { $0 + x[row, $1] * x[row, $1] }
            let rms = (squares / Double(x.columns) + epsilon).squareRoot()
            for i in 0..<x.columns { y[row, i] = x[row, i] / rms * weight[i] }
        }
        return y
    }

    static func silu(_ x: Double) -> Double { x / (1 + exp(-x)) }

    /// x · Φ(x).
    static func gelu(_ x: Double) -> Double { x * 0.5 * (1 + erf(x / 2.0.squareRoot())) }

    static func swiGLU(gate: [Double], up: [Double]) -> [Double] { zip(gate, up).map { silu($0) * $1 } }

    /// Mean of each segment's rows, divided by its L2 norm.
    static func meanPooled(_ states: Matrix, segments: [Range<Int>]) -> Matrix {
        var result = Matrix(zeros: segments.count, states.columns)
        for (index, segment) in segments.enumerated() {
            let mean = (0..<states.columns).map { i in segment.reduce(0) { $0 + states[$1, i] } / Double(segment.count) }
            let norm = max(dot(mean, mean).squareRoot(), 1e-12)
            for i in 0..<states.columns { result[index, i] = mean[i] / norm }
        }
        return result
    }

    /// Channels j and j + D/2 of every head as a complex number, turned by position(stream of j) · θ^(-2j/D).
    static func rotated(
        _ x: Matrix, bias: [Double]?, headDimension: Int, theta: Double, sections: [Int], positions: [[Int32]], direction: Double = 1
    ) -> Matrix {
        let half = headDimension / 2
        let streamOfSlot = sections.enumerated().flatMap { Array(repeating: $0.offset, count: $0.element) }
        var y = x
        for row in 0..<x.rows {
            for head in stride(from: 0, to: x.columns, by: headDimension) {
                for j in 0..<half {
                    let frequency = pow(theta, -2 * Double(j) / Double(headDimension))
                    let angle = direction * Double(positions[streamOfSlot[j]][row]) * frequency
                    let first = x[row, head + j] + (bias?[head + j] ?? 0)
                    let second = x[row, head + j + half] + (bias?[head + j + half] ?? 0)
                    y[row, head + j] = first * cos(angle) - second * sin(angle)
                    y[row, head + j + half] = second * cos(angle) + first * sin(angle)
                }
            }
        }
        return y
    }
}

extension Reference {
    struct Attention {
        let output: Matrix
        /// [tokens, heads]
        let logSumExp: Matrix
    }

    /// softmax(q·kᵀ / √D)·v of one head and segment by the full matrix: P [L, L], and the log-sum-exp of each row.
    private static func probabilities(_ q: Matrix, _ k: Matrix, isCausal: Bool = true) -> (p: Matrix, logSumExp: [Double]) {
        var p = q * k.transposed * (1 / Double(q.columns).squareRoot())
        var statistics: [Double] = []
        for row in 0..<p.rows {
            let last = isCausal ? row : k.rows - 1
            let visible = (0...last).map { p[row, $0] }
            let largest = visible.max()!
            let logSumExp = largest + log(visible.reduce(0) { $0 + exp($1 - largest) })
            for column in 0..<p.columns { p[row, column] = column <= last ? exp(p[row, column] - logSumExp) : 0 }
            statistics.append(logSumExp)
        }
        return (p, statistics)
    }

    static func attention(
        q: Matrix, k: Matrix, v: Matrix, segments: [Range<Int>], heads: Int, keyValueHeads: Int, headDimension d: Int,
        isCausal: Bool = true
    ) -> Attention {
        var (output, statistics) = (Matrix(zeros: q.rows, q.columns), Matrix(zeros: q.rows, heads))
        for segment in segments {
            for head in 0..<heads {
                let (mine, shared) = (head * d..<(head + 1) * d, head / (heads / keyValueHeads) * d)
                let (p, logSumExp) = probabilities(
                    q.block(segment, mine), k.block(segment, shared..<shared + d), isCausal: isCausal)
                output.add(p * v.block(segment, shared..<shared + d), atRow: segment.lowerBound, column: mine.lowerBound)
                statistics.add(Matrix(segment.count, 1, logSumExp), atRow: segment.lowerBound, column: head)
            }
        }
        return Attention(output: output, logSumExp: statistics)
    }

    /// dV = Pᵀ·dO, dP = dO·Vᵀ, dS = P·(dP - Σ dP·P), dQ = dS·K / √D, dK = dSᵀ·Q / √D.
    static func attentionBackward(
        _ dOutput: Matrix, q: Matrix, k: Matrix, v: Matrix, segments: [Range<Int>], heads: Int, keyValueHeads: Int,
        headDimension d: Int
    ) -> (dQ: Matrix, dK: Matrix, dV: Matrix) {
        var (dQ, dK, dV) = (Matrix(zeros: q.rows, q.columns), Matrix(zeros: k.rows, k.columns), Matrix(zeros: v.rows, v.columns))
        let scale = 1 / Double(d).squareRoot()
        for segment in segments {
            for head in 0..<heads {
                let (mine, shared) = (head * d..<(head + 1) * d, head / (heads / keyValueHeads) * d)
                let (q, k) = (q.block(segment, mine), k.block(segment, shared..<shared + d))
                let (v, dO) = (v.block(segment, shared..<shared + d), dOutput.block(segment, mine))
                let p = probabilities(q, k).p
                var dS = dO * v.transposed
                for row in 0..<dS.rows {
                    let mean = (0..<dS.columns).reduce(0) { $0 + dS[row, $1] * p[row, $1] }
                    for column in 0..<dS.columns { dS[row, column] = p[row, column] * (dS[row, column] - mean) * scale }
                }
                dQ.add(dS * k, atRow: segment.lowerBound, column: mine.lowerBound)
                dK.add(dS.transposed * q, atRow: segment.lowerBound, column: shared)
                dV.add(p.transposed * dO, atRow: segment.lowerBound, column: shared)
            }
        }
        return (dQ, dK, dV)
    }
}

extension MatrixEngine {
    /// x·Wᵀ, or start + x·Wᵀ in the memory of `start`.
    func forward(_ x: Tensor, _ weight: WeightMatrix, onto start: Tensor?, as element: Tensor.Element = .float32) -> Tensor {
        guard var sum = start else { return forward(x, weight, as: element) }
        forward(x, weight, addingTo: &sum)
        return sum
    }

    /// dY·W, or start + dY·W in the memory of `start`.
    func backward(_ dY: Tensor, _ weight: WeightMatrix, onto start: Tensor?, as element: Tensor.Element = .float32) -> Tensor {
        guard var sum = start else { return backward(dY, weight, as: element) }
        backward(dY, weight, addingTo: &sum)
        return sum
    }
}
