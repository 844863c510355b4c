// The matrix of activations: rows are tokens (or embeddings), row-major, in float32 or bfloat16.
//
// A Tensor is a reference: kernels write into the memory of the one they return or are given. Memory comes from
// TensorMemory, which keeps what is freed for the next tensor, so that a step costs no page faults after the first.

/// A row-major matrix `[rows, columns]` of float32 or bfloat16.
///
///     let x = Tensor(tokens, hidden)                  // float32, not initialised
///     let y = Tensor(tokens, hidden, .bfloat16)
///     x[row, column] = 1
///     for value in x.row(0).indices { ... }            // a view that cannot outlive x
///
/// Outside of this module its memory is read and written by `floats`, `row`, `withMutableFloats` and the like, which end before
/// the tensor does. Safe to share between threads as long as they write to different elements.
package final class Tensor: @unchecked Sendable {
    /// What an element is stored as.
    package enum Element: Sendable {
        case float32
        case bfloat16

        /// Bytes of an element.
        package var byteWidth: Int { self == .float32 ? 4 : 2 }
    }

    /// Number of rows.
    package let rows: Int
    /// Number of columns.
    package let columns: Int
    /// Type of the elements.
    package let element: Element
    /// 64-byte aligned; the first `rows × columns` elements are the matrix.
    let memory: UnsafeMutableRawPointer

    /// Creates a matrix whose elements are not initialised.
    package init(_ rows: Int, _ columns: Int, _ element: Element = .float32) {
        self.rows = rows
        self.columns = columns
        self.element = element
        memory = TensorMemory.take(bytes: rows * columns * element.byteWidth)
    }

    /// Creates a matrix of zeros.
    package static func zeros(_ rows: Int, _ columns: Int, _ element: Element = .float32) -> Tensor {
        let tensor = Tensor(rows, columns, element)
        tensor.memory.initializeMemory(as: UInt8.self, repeating: 0, count: rows * columns * element.byteWidth)
        return tensor
    }

    /// A copy of `values`, `[rows, columns]`.
    package convenience init(_ values: [Float], rows: Int, columns: Int) {
        precondition(values.count == rows * columns, "Tensor: \(values.count) values for [\(rows), \(columns)]")
        self.init(rows, columns)
        values.withUnsafeBufferPointer { start.update(from: $0.baseAddress!, count: $0.count) }
    }

    deinit {
        TensorMemory.give(back: memory, bytes: rows * columns * element.byteWidth)
    }

    /// Number of elements.
    package var count: Int { rows * columns }

    /// The first element; the tensor must be float32.
    ///
    /// For kernels. Does not keep the tensor: a local tensor whose last mention is `start` may be freed, and its block handed to
    /// another thread, before the pointer is read. A parameter lives as long as the call; a local needs `withExtendedLifetime`.
    var start: UnsafeMutablePointer<Float> { pointer() }

    /// A copy of the elements, row by row, float32.
    package var values: [Float] { withExtendedLifetime(self) { Array(UnsafeBufferPointer(start: start, count: count)) } }

    /// The elements as `Scalar`, which must be what the tensor holds.
    @inline(__always)
    func pointer<S: Scalar>(to type: S.Type = S.self) -> UnsafeMutablePointer<S> {
        precondition(S.element == element, "Tensor: \(element) read as \(S.element)")
        return memory.assumingMemoryBound(to: S.self)
    }
}

/// What an activation may be stored as. Kernels are generic over it and compute in Float.
protocol Scalar {
    static var element: Tensor.Element { get }
    init(rounding value: Float)
    var float: Float { get }
}

extension Float: Scalar {
    static var element: Tensor.Element { .float32 }
    @inline(__always) init(rounding value: Float) { self = value }
    @inline(__always) var float: Float { self }
}
