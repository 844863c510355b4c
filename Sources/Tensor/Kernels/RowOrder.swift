// Rows put into another order, on a pass that is made anyway: the rounding before a product, or the bias after one.

/// Rows of several matrices as one matrix, in another order, rounded to `element`.
///
/// - Parameters:
///   - sources: [rows, width] each, float32, the rows counted through all of them, each a whole number of groups
///   - order: y's group i is the sources' group order[i]
///   - group: consecutive rows that stay together
/// - Returns: y [groups · group, width]
package func gatheredRows(_ sources: [Tensor], order: [Int], group: Int, as element: Tensor.Element) -> Tensor {
    func run<S: Scalar>(_: S.Type) -> Tensor {
        let width = sources[0].columns
        let y = Tensor(order.count * group, width, S.element)
        let starts = sources.flatMap { source in
            stride(from: 0, to: source.rows, by: group).map { UnsafePointer(source.start) + $0 * width }
        }
        let (target, count) = (y.pointer(to: S.self), group * width)
        Threads.run(order.count, grain: 16) { groups in
            for index in groups {
                let (from, to) = (starts[order[index]], target + index * count)
                for i in 0..<count { to[i] = S(rounding: from[i]) }
            }
        }
        return y
    }
    precondition(
        sources.allSatisfy { $0.columns == sources[0].columns && $0.rows % group == 0 }
            && sources.reduce(0) { $0 + $1.rows } == order.count * group,
        "gatheredRows: \(sources.map { [$0.rows, $0.columns] }) for \(order.count) groups of \(group)")
    return withExtendedLifetime(sources) { element == .float32 ? run(Float.self) : run(BFloat16.self) }
}

/// Row i of x + bias as row order[i] of the result, rounded to `element`.
///
/// - Parameters:
///   - x: [rows, width], float32
///   - bias: [width]
package func scatteredRows(_ x: Tensor, bias: [Float], order: [Int], as element: Tensor.Element) -> Tensor {
    func run<S: Scalar>(_: S.Type) -> Tensor {
        let (y, width) = (Tensor(x.rows, x.columns, S.element), x.columns)
        let (source, target) = (x.start, y.pointer(to: S.self))
        bias.withUnsafeBufferPointer { bias in
            Threads.run(x.rows, grain: 32) { rows in
                for row in rows {
                    let (from, to) = (source + row * width, target + order[row] * width)
                    for i in 0..<width { to[i] = S(rounding: from[i] + bias[i]) }
                }
            }
        }
        return y
    }
    precondition(
        order.count == x.rows && bias.count == x.columns,
        "scatteredRows: \(order.count) places, bias \(bias.count) for [\(x.rows), \(x.columns)]")
    return element == .float32 ? run(Float.self) : run(BFloat16.self)
}
