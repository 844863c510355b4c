// The matrix engine behind two named products: rows of activations times a weight, forward and backward.
//
// A row of the result has the same bits whichever other rows are in the call, and on any number of threads. On that rest
// microbatches that differ from world size to world size and results that do not. Our own kernels keep it by construction; a
// library may serve where `EngineProof` finds that it does.

/// What multiplies, and in which element type activations enter a product.
package struct MatrixEngine: Hashable, Sendable {
    /// The element type of the operands.
    package enum Kind: String, Sendable {
        case float32
        case bfloat16
    }

    /// Whose code multiplies.
    package enum Library: String, CaseIterable, Sendable {
        /// The kernels of this project.
        case own
        /// OpenBLAS, float32 only.
        case openBLAS = "openblas"
        /// oneDNN, bfloat16 only.
        case oneDNN = "onednn"
    }

    /// The element type of the operands.
    package let kind: Kind
    /// Whose code multiplies.
    package let library: Library
    /// What our own kernels use; libraries choose for themselves.
    package let instructions: InstructionSet

    /// Creates an engine. OpenBLAS multiplies float32 alone, oneDNN bfloat16 alone.
    package init(_ kind: Kind, _ library: Library = .own, _ instructions: InstructionSet = .current) {
        precondition(library != (kind == .float32 ? .oneDNN : .openBLAS), "MatrixEngine: \(library) does not multiply \(kind)")
        self.kind = kind
        self.library = library
        self.instructions = instructions
    }

    /// What an element's bits depend on besides its operands: engines with the same arithmetic give the same bits, on any processor.
    /// A library's is its own.
    package var arithmetic: String {
        guard library == .own else { return "\(kind.rawValue) by \(libraryVersion) for \(Processor.features)" }
        return switch PanelKernel(kind: kind, instructions: instructions).arithmetic {
        case .float32: "float32"
        case .widenedPairs, .pairs: "bfloat16 in pairs"
        case .tiles: "bfloat16 in tiles"
        }
    }

    /// Name and version of the library that multiplies, with the kernels that it chose.
    package var libraryVersion: String {
        switch library {
        case .own: "own kernels"
        case .openBLAS: OpenBLAS.description
        case .oneDNN: OneDNN.description
        }
    }

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

    /// Activations on their way into products: prepared once, multiplied with any number of weights.
    package struct Rows {
        /// As they are.
        package let tensor: Tensor
        fileprivate let packed: PackedRows?
    }

    /// Prepares `x` [rows, columns], which must hold the engine's element type, for products.
    package func rows(_ x: Tensor) -> Rows {
        precondition(x.element == element, "MatrixEngine: rows of \(x.element) for products of \(element)")
        guard library == .own, x.rows > 0 else { return Rows(tensor: x, packed: nil) }
        return Rows(tensor: x, packed: PackedRows(x, for: PanelKernel(kind: kind, instructions: instructions)))
    }

    /// x·Wᵀ                                        x [rows, in], W [out, in] → [rows, out]
    ///
    /// - Parameter element: of the result; sums inside the product are float32 in either case
    package func forward(_ x: Rows, _ weight: WeightMatrix, as element: Tensor.Element = .float32) -> Tensor {
        let result = Tensor(x.tensor.rows, weight.rows, element)
        multiply(x, weight, transposed: true, into: result, accumulate: false)
        return result
    }

    /// The same for rows that enter one product alone.
    package func forward(_ x: Tensor, _ weight: WeightMatrix, as element: Tensor.Element = .float32) -> Tensor {
        forward(rows(x), weight, as: element)
    }

    /// sum += x·Wᵀ                                 x [rows, in], W [out, in] → [rows, out]
    package func forward(_ x: Rows, _ weight: WeightMatrix, addingTo sum: inout Tensor) {
        multiply(x, weight, transposed: true, into: sum, accumulate: true)
    }

    /// The same for rows that enter one product alone.
    package func forward(_ x: Tensor, _ weight: WeightMatrix, addingTo sum: inout Tensor) {
        forward(rows(x), weight, addingTo: &sum)
    }

    /// dY·W                                        dY [rows, out], W [out, in] → [rows, in]
    ///
    /// - Parameter element: of the result; sums inside the product are float32 in either case
    package func backward(_ dY: Rows, _ weight: WeightMatrix, as element: Tensor.Element = .float32) -> Tensor {
        let result = Tensor(dY.tensor.rows, weight.columns, element)
        multiply(dY, weight, transposed: false, into: result, accumulate: false)
        return result
    }

    /// The same for rows that enter one product alone.
    package func backward(_ dY: Tensor, _ weight: WeightMatrix, as element: Tensor.Element = .float32) -> Tensor {
        backward(rows(dY), weight, as: element)
    }

    /// sum += dY·W                                 dY [rows, out], W [out, in] → [rows, in]
    package func backward(_ dY: Rows, _ weight: WeightMatrix, addingTo sum: inout Tensor) {
        multiply(dY, weight, transposed: false, into: sum, accumulate: true)
    }

    /// The same for rows that enter one product alone.
    package func backward(_ dY: Tensor, _ weight: WeightMatrix, addingTo sum: inout Tensor) {
        backward(rows(dY), weight, addingTo: &sum)
    }

    private func multiply(_ x: Rows, _ weight: WeightMatrix, transposed: Bool, into result: Tensor, accumulate: Bool) {
        let (rows, columns, depth) = (x.tensor.rows, transposed ? weight.rows : weight.columns, transposed ? weight.columns : weight.rows)
        precondition(
            x.tensor.columns == depth,
            "product: [\(rows), \(x.tensor.columns)] × [\(weight.rows), \(weight.columns)]\(transposed ? "ᵀ" : "")")
        precondition(
            result.rows == rows && result.columns == columns, "product: [\(result.rows), \(result.columns)] for [\(rows), \(columns)]")
        precondition(weight.packed != nil || multiplies(weight.element), "product: \(weight.element) weights in \(kind)")
        guard rows > 0 else { return }
        switch library {
        case .own: PanelProduct.multiply(x.packed!, weight, transposed: transposed, into: result, accumulate: accumulate)
        case .oneDNN:
            let shape = OneDNN.Shape(
                rows: rows, columns: columns, depth: x.tensor.columns, transposed: transposed, accumulate: accumulate,
                element: result.element)
            OneDNN.multiply(shape, x.tensor.memory, weight.memory, into: result.memory)
        case .openBLAS:
            withFloats(of: weight) {
                OpenBLAS.multiply(
                    rows: rows, columns: columns, depth: x.tensor.columns, transposed: transposed, accumulate: accumulate,
                    x.tensor.start, $0, into: result.start)
            }
        }
    }

    /// The weight as floats: itself, or widened into memory that is reused by the next product.
    private func withFloats(of weight: WeightMatrix, _ body: (UnsafePointer<Float>) -> Void) {
        guard weight.element != .float32 else { return body(weight.memory.assumingMemoryBound(to: Float.self)) }
        let wide = Tensor(weight.rows, weight.columns)
        Threads.run(weight.count, grain: 1 << 16) { weight.widen($0, into: wide.start + $0.lowerBound) }
        body(wide.start)
        withExtendedLifetime(wide) {}
    }
}
