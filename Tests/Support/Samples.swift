// Inputs of tests: random, and the same at every run.

import Tensor

/// Use: `let x = Samples(seed: 1).tensor(3, 64)`. Each call of one instance's methods begins the same sequence anew.
package struct Samples: Sendable {
    private let stream: RandomStream

    package init(seed: UInt64) { stream = RandomStream(seed) }

    /// Standard normal.
    package func gaussian(_ count: Int) -> [Double] { (0..<count).map { stream.gaussian(at: $0) } }

    /// Standard normal times `scale`, as the element type holds them.   [rows, columns]
    package func tensor(_ rows: Int, _ columns: Int, _ element: Tensor.Element = .float32, scale: Double = 1) -> Tensor {
        let tensor = Tensor(rows, columns, element)
        switch element {
        case .float32:
            let target = tensor.floats
            for i in 0..<tensor.count { target[i] = Float(stream.gaussian(at: i) * scale) }
        case .bfloat16:
            let target = tensor.memory.assumingMemoryBound(to: BFloat16.self)
            for i in 0..<tensor.count { target[i] = BFloat16(rounding: Float(stream.gaussian(at: i) * scale)) }
        }
        return tensor
    }

    /// Uniform in ±`bound`: for big matrices, twenty times faster than `tensor`.    [rows, columns]
    package func uniform(_ rows: Int, _ columns: Int, _ element: Tensor.Element = .float32, bound: Float = 1) -> Tensor {
        let tensor = Tensor(rows, columns)
        let target = tensor.floats
        for i in 0..<tensor.count { target[i] = Float(Int32(truncatingIfNeeded: stream.bits(at: i))) * (bound * 0x1p-31) }
        return converted(tensor, to: element)
    }
}

extension Tensor {
    /// The values as floats, whatever they are stored as.
    package var asFloats: [Float] { WeightMatrix(self).widened() }

    package var asDoubles: [Double] { asFloats.map(Double.init) }

    package var shape: [Int] { [rows, columns] }

    /// A copy of some rows in the same element type.
    package func copy(of range: Range<Int>) -> Tensor {
        let copy = Tensor(range.count, columns, element)
        let width = columns * element.byteWidth
        copy.memory.copyMemory(from: memory + range.lowerBound * width, byteCount: range.count * width)
        return copy
    }
}
