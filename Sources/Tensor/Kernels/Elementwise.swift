// Passes over activations that treat each value by itself: sums, factors, biases, and the rounding to the engine's type.

/// target += source, element by element.
package func add(_ source: Tensor, to target: Tensor) {
    precondition(source.rows == target.rows && source.columns == target.columns, "add: shapes differ")
    let (from, to) = (source.floats, target.floats)
    Threads.run(target.count, grain: 1 << 15) { range in
        for i in range { to[i] += from[i] }
    }
}

/// x · factor, rounded to `element`.
package func scaled(_ x: Tensor, by factor: Float, to element: Tensor.Element) -> Tensor {
    if element == .float32 && factor == 1 { return x }
    func run<S: Scalar>(_: S.Type) -> Tensor {
        let y = Tensor(x.rows, x.columns, S.element)
        let (from, to) = (x.floats, y.pointer(to: S.self))
        Threads.run(x.count, grain: 1 << 15) { range in
            for i in range { to[i] = S(rounding: from[i] * factor) }
        }
        return y
    }
    return element == .float32 ? run(Float.self) : run(BFloat16.self)
}

/// x + bias, rounded to `element`.                                  [tokens, width]
package func converted(_ x: Tensor, bias: [Float]? = nil, to element: Tensor.Element) -> Tensor {
    if element == .float32 && bias == nil { return x }
    func run<S: Scalar>(_: S.Type) -> Tensor {
        let y = Tensor(x.rows, x.columns, S.element)
        let (source, target, width) = (x.floats, y.pointer(to: S.self), x.columns)
        let bias = bias ?? [Float](repeating: 0, count: width)
        bias.withUnsafeBufferPointer { bias in
            Threads.run(x.rows, grain: 64) { rows in
                for row in rows {
                    let (source, target) = (source + row * width, target + row * width)
                    for i in 0..<width { target[i] = S(rounding: source[i] + bias[i]) }
                }
            }
        }
        return y
    }
    return element == .float32 ? run(Float.self) : run(BFloat16.self)
}
