// A matrix that products read where it lies: a frozen weight in the mapped checkpoint, or a factor of an adapter.

/// A dense row-major matrix `[rows, columns]`, for weights `[out, in]`, owned by something else.
///
/// `owner` keeps the memory alive: a mapped file, or a tensor.
package struct WeightMatrix: @unchecked Sendable {
    /// Raw values as in safetensors.
    package enum Element: String, Sendable {
        case float32 = "F32"
        case bfloat16 = "BF16"
        case float16 = "F16"

        package var byteWidth: Int { self == .float32 ? 4 : 2 }
    }

    package let memory: UnsafeRawPointer
    package let rows: Int
    package let columns: Int
    package let element: Element
    /// The same matrix in the order in which a kernel reads it; nil: products pack it block by block.
    package var packed: PackedWeight?
    private let owner: AnyObject

    package init(memory: UnsafeRawPointer, rows: Int, columns: Int, element: Element, owner: AnyObject) {
        self.memory = memory
        self.rows = rows
        self.columns = columns
        self.element = element
        self.owner = owner
    }

    /// A view of `tensor`.
    package init(_ tensor: Tensor) {
        self.init(
            memory: UnsafeRawPointer(tensor.memory), rows: tensor.rows, columns: tensor.columns,
            element: tensor.element == .float32 ? .float32 : .bfloat16, owner: tensor)
    }

    package var count: Int { rows * columns }

    /// Writes `range` of the elements, counted row by row, as floats to `target`.
    package func widen(_ range: Range<Int>, into target: UnsafeMutablePointer<Float>) {
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
            guard element == .bfloat16 else { return widen(range, into: copy.floats + range.lowerBound) }
            let target = copy.pointer(to: BFloat16.self) + range.lowerBound
            withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count) { wide in
                widen(range, into: wide.baseAddress!)
                for i in 0..<range.count { target[i] = BFloat16(rounding: wide[i]) }
            }
        }
        return WeightMatrix(copy)
    }

    /// The elements as they lie in memory.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count * element.byteWidth) }
}
