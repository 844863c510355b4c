// A matrix that products read where it lies: a frozen weight in the mapped checkpoint, or a factor of an adapter.

import Files

/// A dense row-major matrix `[rows, columns]`, for weights `[out, in]`, owned by something else.
///
/// `owner` keeps the memory alive: a mapped file, or a tensor.
package struct WeightMatrix: @unchecked Sendable {
    /// Raw values as in safetensors.
    package enum Element: String, Sendable {
        case float32 = "F32"
        case bfloat16 = "BF16"
        case float16 = "F16"

        /// Bytes of an element.
        package var byteWidth: Int { self == .float32 ? 4 : 2 }
    }

    let memory: UnsafeRawPointer
    /// Number of rows.
    package let rows: Int
    /// Number of columns.
    package let columns: Int
    /// What an element is stored as.
    package let element: Element
    /// The same matrix in the order in which a kernel reads it; nil: products pack it block by block.
    package var packed: PackedWeight?
    private let owner: AnyObject

    init(memory: UnsafeRawPointer, rows: Int, columns: Int, element: Element, owner: AnyObject) {
        self.memory = memory
        self.rows = rows
        self.columns = columns
        self.element = element
        self.owner = owner
    }

    /// A view of `tensor`.
    package init(_ tensor: Tensor) {
        self.init(tensor, from: 0, rows: tensor.rows, columns: tensor.columns)
    }

    /// A view [rows, columns] of a part of `tensor`, whose elements are counted row by row.
    package init(_ tensor: Tensor, from offset: Int, rows: Int, columns: Int) {
        precondition(
            offset >= 0 && rows >= 0 && columns >= 0 && offset + rows * columns <= tensor.count,
            "WeightMatrix: [\(rows), \(columns)] at \(offset) of \(tensor.count)")
        self.init(
            memory: UnsafeRawPointer(tensor.memory) + offset * tensor.element.byteWidth, rows: rows, columns: columns,
            element: tensor.element == .float32 ? .float32 : .bfloat16, owner: tensor)
    }

    /// A view [rows, columns] of a mapped file from byte `offset` on; a copy where the elements do not lie at their natural
    /// addresses, at which products read them.
    package init(_ file: MappedFile, at offset: Int, rows: Int, columns: Int, element: Element) {
        let bytes = rows * columns * element.byteWidth
        precondition(
            offset >= 0 && bytes >= 0 && offset + bytes <= file.bytes.count,
            "WeightMatrix: \(bytes) bytes at \(offset) of \(file.bytes.count)")
        let address = file.bytes.baseAddress! + offset
        guard Int(bitPattern: address) % element.byteWidth != 0 else {
            self.init(memory: address, rows: rows, columns: columns, element: element, owner: file)
            return
        }
        // A tensor of 16 bits serves both halves.
        let copy = Tensor(rows, columns, element == .float32 ? .float32 : .bfloat16)
        withExtendedLifetime(file) { copy.memory.copyMemory(from: address, byteCount: bytes) }
        self.init(memory: UnsafeRawPointer(copy.memory), rows: rows, columns: columns, element: element, owner: copy)
    }

    /// Number of elements.
    package var count: Int { rows * columns }

    /// Writes `range` of the elements, counted row by row, as floats to `target`.
    func widen(_ range: Range<Int>, into target: UnsafeMutablePointer<Float>) {
        switch element {
        case .float32:
            target.update(from: memory.assumingMemoryBound(to: Float.self) + range.lowerBound, count: range.count)
        case .bfloat16:
            let source = memory.assumingMemoryBound(to: BFloat16.self) + range.lowerBound
            for i in 0..<range.count { target[i] = source[i].float }
        case .float16:
            let source = memory.assumingMemoryBound(to: Float16.self) + range.lowerBound
            for i in 0..<range.count { target[i] = Float(source[i]) }
        }
    }

    /// Some rows as floats, in any order, on all threads.            [numbers, columns]
    package func widenedRows(_ numbers: [Int32]) -> Tensor {
        let result = Tensor(numbers.count, columns)
        Threads.run(numbers.count, grain: 64) { block in
            for place in block {
                let row = Int(numbers[place])
                precondition((0..<rows).contains(row), "widenedRows: \(row) of \(rows)")
                widen(row * columns..<(row + 1) * columns, into: result.start + place * columns)
            }
        }
        return result
    }

    /// All elements as floats.
    package func widened() -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if count > 0 { widen(0..<count, into: buffer.baseAddress!) }
            initialized = count
        }
    }

    /// The same matrix in another type, rounded to nearest: itself when it is that already, else a copy.
    ///
    /// - Parameter element: float32 or bfloat16
    package func converted(to element: Element) -> WeightMatrix {
        guard element != self.element else { return self }
        let copy = Tensor(rows, columns, element == .float32 ? .float32 : .bfloat16)
        Threads.run(rows, grain: 64) { block in
            let range = block.lowerBound * columns..<block.upperBound * columns
            guard element == .bfloat16 else { return widen(range, into: copy.start + range.lowerBound) }
            let target = copy.pointer(to: BFloat16.self) + range.lowerBound
            withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count) { wide in
                widen(range, into: wide.baseAddress!)
                for i in 0..<range.count { target[i] = BFloat16(rounding: wide[i]) }
            }
        }
        return WeightMatrix(copy)
    }

    /// The elements as they lie in memory, to be read as long as the matrix is held.
    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            _overrideLifetime(RawSpan(_unsafeStart: memory, byteCount: count * element.byteWidth), borrowing: self)
        }
    }
}
