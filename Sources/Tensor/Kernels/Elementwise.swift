// Passes over activations that treat each value by itself: factors, biases, and the rounding to the engine's type.

/// x · factor, cut into `count` blocks of columns, rounded to `element`.
///
/// - Parameter x: [rows, count · width], float32
/// - Returns: `count` tensors [rows, width]
package func scaledBlocks(_ x: Tensor, count: Int, by factor: Float, to element: Tensor.Element) -> [Tensor] {
    func run<S: Scalar>(_: S.Type) -> [Tensor] {
        let width = x.columns / count
        let blocks = (0..<count).map { _ in Tensor(x.rows, width, S.element) }
        let (from, to) = (x.start, blocks.map { $0.pointer(to: S.self) })
        Threads.run(x.rows, grain: 128) { rows in
            for row in rows {
                for block in 0..<count {
                    let (from, to) = (from + row * x.columns + block * width, to[block] + row * width)
                    for i in 0..<width { to[i] = S(rounding: from[i] * factor) }
                }
            }
        }
        return blocks
    }
    return element == .float32 ? run(Float.self) : run(BFloat16.self)
}

/// Blocks of equal shape side by side, each value · factor, rounded to `element`.
///
/// - Parameter blocks: [rows, width] each, float32
/// - Returns: [rows, blocks · width]
package func scaledSideBySide(_ blocks: [Tensor], by factor: Float, to element: Tensor.Element) -> Tensor {
    func run<S: Scalar>(_: S.Type) -> Tensor {
        let (width, rows) = (blocks[0].columns, blocks[0].rows)
        let y = Tensor(rows, width * blocks.count, S.element)
        let (from, to) = (blocks.map(\.start), y.pointer(to: S.self))
        Threads.run(rows, grain: 128) { rows in
            for row in rows {
                for block in blocks.indices {
                    let (from, to) = (from[block] + row * width, to + row * y.columns + block * width)
                    for i in 0..<width { to[i] = S(rounding: from[i] * factor) }
                }
            }
        }
        return y
    }
    return withExtendedLifetime(blocks) { element == .float32 ? run(Float.self) : run(BFloat16.self) }
}

/// x + bias, rounded to `element`.
///
/// - Parameters:
///   - x: [tokens, columns]
///   - columns: of x that are taken; all where none are given
///   - bias: of all columns of x
/// - Returns: [tokens, taken columns]; x itself where nothing is to be done
package func converted(_ x: Tensor, columns: Range<Int>? = nil, bias: [Float]? = nil, to element: Tensor.Element) -> Tensor {
    if x.element == element && bias == nil && columns == nil { return x }
    let columns = columns ?? 0..<x.columns
    let bias = bias.map { Array($0[columns]) } ?? [Float](repeating: 0, count: columns.count)
    func run<X: Scalar, Y: Scalar>(_: X.Type, _: Y.Type) -> Tensor {
        let (width, stride) = (columns.count, x.columns)
        let y = Tensor(x.rows, width, Y.element)
        let (source, target) = (x.pointer(to: X.self) + columns.lowerBound, y.pointer(to: Y.self))
        bias.withUnsafeBufferPointer { bias in
            Threads.run(x.rows, grain: 64) { rows in
                for row in rows {
                    let (source, target) = (source + row * stride, target + row * width)
                    for i in 0..<width { target[i] = Y(rounding: source[i].float + bias[i]) }
                }
            }
        }
        return y
    }
    return switch (x.element, element) {
    case (.float32, .float32): run(Float.self, Float.self)
    case (.float32, .bfloat16): run(Float.self, BFloat16.self)
    case (.bfloat16, .float32): run(BFloat16.self, Float.self)
    case (.bfloat16, .bfloat16): run(BFloat16.self, BFloat16.self)
    }
}

/// sum += x                                                         [rows, columns], float32
package func add(_ x: Tensor, to sum: inout Tensor) {
    precondition(x.rows == sum.rows && x.columns == sum.columns, "add: [\(x.rows), \(x.columns)] to [\(sum.rows), \(sum.columns)]")
    let (source, target) = (x.start, sum.start)
    Threads.run(x.count, grain: 1 << 14) { range in
        for i in range { target[i] += source[i] }
    }
}

extension Tensor {
    /// x · factor in place, float32.
    package func multiply(by factor: Float) {
        guard factor != 1 else { return }
        let values = start
        Threads.run(rows, grain: 128) { rows in
            for i in rows.lowerBound * columns..<rows.upperBound * columns { values[i] *= factor }
        }
    }
}
