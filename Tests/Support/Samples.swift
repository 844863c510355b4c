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
        let tensor = Tensor(rows, columns)
        tensor.withMutableFloats { for i in $0.indices { $0[i] = Float(stream.gaussian(at: i) * scale) } }
        return converted(tensor, to: element)
    }

    /// Uniform in ±`bound`: for big matrices, twenty times faster than `tensor`.    [rows, columns]
    package func uniform(_ rows: Int, _ columns: Int, _ element: Tensor.Element = .float32, bound: Float = 1) -> Tensor {
        let tensor = Tensor(rows, columns)
        tensor.withMutableFloats {
            for i in $0.indices { $0[i] = Float(Int32(truncatingIfNeeded: stream.bits(at: i))) * (bound * 0x1p-31) }
        }
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
        let width = columns * element.byteWidth
        return Tensor(
            copying: bytes.extracting(range.lowerBound * width..<range.upperBound * width), rows: range.count, columns: columns, element)
    }
}
