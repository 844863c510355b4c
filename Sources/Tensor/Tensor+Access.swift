// How the rest of the program reads and writes a tensor: by views that the compiler does not let outlive it, and element by
// element. Bounds are checked. What is done to many elements in an inner loop is a kernel.

import Files

extension TensorContent {
    /// Holds the elements of a tensor as they lie in memory.
    package init(_ tensor: Tensor) {
        self.init(byteCount: tensor.count * tensor.element.byteWidth) { (body) throws(UserError) in try body(tensor.bytes) }
    }
}

extension Tensor {
    /// The elements row by row, to be read as long as the tensor is held; it must be float32.    [rows · columns]
    package var floats: Span<Float> {
        @_lifetime(borrow self)
        get {
            _overrideLifetime(Span(_unsafeStart: UnsafePointer(start), count: count), borrowing: self)
        }
    }

    /// The elements of a row, to be read as long as the tensor is held; it must be float32.    [columns]
    @_lifetime(borrow self)
    package func row(_ index: Int) -> Span<Float> {
        precondition((0..<rows).contains(index), "row: \(index) of \(rows)")
        return _overrideLifetime(Span(_unsafeStart: UnsafePointer(start + index * columns), count: columns), borrowing: self)
    }

    /// The elements as they lie in memory, to be read as long as the tensor is held.
    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            _overrideLifetime(RawSpan(_unsafeStart: UnsafeRawPointer(memory), byteCount: count * element.byteWidth), borrowing: self)
        }
    }

    /// Calls `body` with the elements row by row, to be written; the tensor must be float32.    [rows · columns]
    package func withMutableFloats<Result, Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        var floats = MutableSpan(_unsafeStart: start, count: count)
        return try body(&floats)
    }

    /// Calls `body` with the elements as they lie in memory, to be written.
    package func withMutableBytes<Result, Failure: Error>(
        _ body: (inout MutableRawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        var bytes = MutableRawSpan(_unsafeStart: memory, byteCount: count * element.byteWidth)
        return try body(&bytes)
    }

    /// One element; the tensor must be float32.
    package subscript(row: Int, column: Int) -> Float {
        get { start[offset(row, column)] }
        set { start[offset(row, column)] = newValue }
    }

    private func offset(_ row: Int, _ column: Int) -> Int {
        precondition((0..<rows).contains(row) && (0..<columns).contains(column), "Tensor: [\(row), \(column)] of [\(rows), \(columns)]")
        return row * columns + column
    }

    /// Creates a matrix [rows, columns] from its elements as they lie in memory, copied.
    package convenience init(copying bytes: RawSpan, rows: Int, columns: Int, _ element: Element = .float32) {
        precondition(
            bytes.byteCount == rows * columns * element.byteWidth, "Tensor: \(bytes.byteCount) bytes for [\(rows), \(columns)]")
        self.init(rows, columns, element)
        bytes.withUnsafeBytes { if let address = $0.baseAddress { memory.copyMemory(from: address, byteCount: $0.count) } }
    }
}
