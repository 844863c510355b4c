// The matrix engines behind two named products: rows of activations times a weight, forward and backward.
//
// Whatever the engine, a row of the result has the same bits whichever other rows are in the call. On that rest
// microbatches that differ from world size to world size and results that do not.

/// What multiplies, and in which element type activations enter a product.
package struct MatrixEngine: Sendable {
    /// The element type of the operands.
    package enum Kind: String, Sendable {
        case float32
        case bfloat16
    }

    package let kind: Kind

    package init(_ kind: Kind) { self.kind = kind }

    /// The element type of everything that enters a product and of what is kept for the backward pass.
    package var element: Tensor.Element { kind == .float32 ? .float32 : .bfloat16 }

    /// What weights are multiplied as.
    package var weightElement: WeightMatrix.Element { kind == .float32 ? .float32 : .bfloat16 }

    /// Whether products take weights of this type as they are stored. bfloat16 products take nothing but bfloat16; float32 products
    /// take others, too, and widen them each time.
    package func multiplies(_ element: WeightMatrix.Element) -> Bool { kind == .float32 || element == .bfloat16 }

    /// `weight` as the engine multiplies it: itself, or a copy in this process.
    package func prepare(_ weight: WeightMatrix) -> WeightMatrix {
        multiplies(weight.element) ? weight : weight.converted(to: .bfloat16)
    }

    /// x·Wᵀ, or sum + x·Wᵀ                           x [rows, in], W [out, in] → [rows, out]
    ///
    /// - Parameters:
    ///   - sum: added to in place and returned, where given; its element type is then the result's
    ///   - element: of a new result; sums inside a product are float32 in either case
    package func forward(
        _ x: Tensor, _ weight: WeightMatrix, addingTo sum: Tensor? = nil, as element: Tensor.Element = .float32
    ) -> Tensor {
        precondition(x.columns == weight.columns, "matmul: [\(x.rows), \(x.columns)] × [\(weight.rows), \(weight.columns)]ᵀ")
        return multiply(x, weight, transposed: true, sum, element)
    }

    /// dY·W, or sum + dY·W                           dY [rows, out], W [out, in] → [rows, in]
    package func backward(
        _ dY: Tensor, _ weight: WeightMatrix, addingTo sum: Tensor? = nil, as element: Tensor.Element = .float32
    ) -> Tensor {
        precondition(dY.columns == weight.rows, "matmul: [\(dY.rows), \(dY.columns)] × [\(weight.rows), \(weight.columns)]")
        return multiply(dY, weight, transposed: false, sum, element)
    }

    private func multiply(
        _ x: Tensor, _ weight: WeightMatrix, transposed: Bool, _ sum: Tensor?, _ element: Tensor.Element
    ) -> Tensor {
        let columns = transposed ? weight.rows : weight.columns
        let result = sum ?? Tensor(x.rows, columns, element)
        precondition(result.rows == x.rows && result.columns == columns, "matmul: result [\(result.rows), \(result.columns)]")
        guard x.rows > 0 else { return result }
        switch kind {
        case .bfloat16:
            precondition(x.element == .bfloat16 && weight.element == .bfloat16, "matmul: \(x.element) × \(weight.element)")
            let shape = OneDNN.Shape(
                rows: x.rows, columns: columns, depth: x.columns, transposed: transposed, accumulate: sum != nil,
                element: result.element)
            OneDNN.multiply(shape, x.memory, weight.memory, into: result.memory)
        case .float32 where min(weight.rows, weight.columns) <= Self.narrow:
            multiplyNarrow(x, weight, transposed, into: result, accumulate: sum != nil)
        case .float32:
            withFloats(of: weight) {
                OpenBLAS.multiply(
                    rows: x.rows, columns: columns, depth: x.columns, transposed: transposed, accumulate: sum != nil,
                    x.floats, $0, into: result.floats)
            }
        }
        return result
    }

    /// Weights with at most this many rows or columns (LoRA's factors) go to BlockProduct: OpenBLAS would need thousands
    /// of zero rows to stay on its ordinary path.
    private static let narrow = 64

    private func multiplyNarrow(_ x: Tensor, _ weight: WeightMatrix, _ transposed: Bool, into result: Tensor, accumulate: Bool) {
        let panel = weight.panel(transposed: transposed)
        let (rows, columns, depth) = (x.rows, result.columns, x.columns)
        let source = x.floats
        Threads.run(rows, grain: 64) { block in
            BlockProduct.multiply(
                rows: block.count, columns: columns, depth: depth,
                Strided(source + block.lowerBound * depth, rowStride: depth), panel.floats, bStride: panel.columns,
                into: result.floats + block.lowerBound * columns, cStride: columns, accumulate: accumulate)
        }
    }

    /// The weight as floats: itself, or widened into memory that is reused by the next product.
    private func withFloats(of weight: WeightMatrix, _ body: (UnsafePointer<Float>) -> Void) {
        guard weight.element != .float32 else { return body(weight.memory.assumingMemoryBound(to: Float.self)) }
        let wide = Tensor(weight.rows, weight.columns)
        Threads.run(weight.count, grain: 1 << 16) { weight.widen($0, into: wide.floats + $0.lowerBound) }
        body(wide.floats)
        withExtendedLifetime(wide) {}
    }
}

extension WeightMatrix {
    /// The right operand of a BlockProduct: [depth, columns] with rows padded by zeros to whole vectors.
    fileprivate func panel(transposed: Bool) -> Tensor {
        let wide = element == .float32 ? nil : Tensor(widened(), rows: rows, columns: columns)
        defer { withExtendedLifetime(wide) {} }
        let source = wide.map { UnsafePointer($0.floats) } ?? memory.assumingMemoryBound(to: Float.self)
        let (depth, width) = transposed ? (columns, rows) : (rows, columns)
        let panel = Tensor.zeros(depth, BlockProduct.padded(width))
        let (target, stride) = (panel.floats, panel.columns)
        for k in 0..<depth {
            for n in 0..<width { target[k * stride + n] = source[transposed ? n * columns + k : k * columns + n] }
        }
        return panel
    }
}
