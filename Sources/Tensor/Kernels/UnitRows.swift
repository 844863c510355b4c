// L2 normalisation of every row, with the bias that comes before it, forward and backward: how the multi-vector head ends.

/// Unit rows and the lengths they had.
package struct UnitRows {
    /// [rows, width], float32
    package let unit: Tensor
    /// L2 norms, at least 1e-12.                                   [rows, 1]
    let norms: Tensor
}

/// (x + bias) of each row, divided by its L2 norm (floor 1e-12).
///
/// - Parameters:
///   - x: [rows, width], float32
///   - bias: [width]
package func unitRows(_ x: Tensor, bias: [Float]) -> UnitRows {
    let (width, unit, norms) = (x.columns, Tensor(x.rows, x.columns), Tensor(x.rows, 1))
    precondition(bias.count == width, "unitRows: bias \(bias.count) for [\(x.rows), \(width)]")
    bias.withUnsafeBufferPointer { bias in
        Threads.run(x.rows, grain: 64) { block in
            for row in block {
                let (source, target) = (x.start + row * width, unit.start + row * width)
                for i in 0..<width { target[i] = source[i] + bias[i] }
                let norm = max(dot(UnsafePointer(target), UnsafePointer(target), width).squareRoot(), 1e-12)
                for i in 0..<width { target[i] /= norm }
                norms.start[row] = norm
            }
        }
    }
    return UnitRows(unit: unit, norms: norms)
}

/// The gradient with respect to x, rounded to `element`.            [rows, width]
///
///     dx = (dU - U · (dU · U)) / norm
///
/// - Parameter dUnit: [rows, width], float32
package func unitRowsBackward(_ dUnit: Tensor, _ kept: UnitRows, as element: Tensor.Element) -> Tensor {
    precondition(dUnit.rows == kept.unit.rows && dUnit.columns == kept.unit.columns, "unitRows: gradient [\(dUnit.rows), \(dUnit.columns)]")
    func run<S: Scalar>(_: S.Type) -> Tensor {
        let (width, dX) = (dUnit.columns, Tensor(dUnit.rows, dUnit.columns, S.element))
        let target = dX.pointer(to: S.self)
        Threads.run(dUnit.rows, grain: 64) { block in
            for row in block {
                let (dUnit, unit, target) = (dUnit.start + row * width, kept.unit.start + row * width, target + row * width)
                let along = dot(UnsafePointer(dUnit), UnsafePointer(unit), width)
                let scale = 1 / kept.norms.start[row]
                for i in 0..<width { target[i] = S(rounding: (dUnit[i] - unit[i] * along) * scale) }
            }
        }
        return dX
    }
    return element == .float32 ? run(Float.self) : run(BFloat16.self)
}
