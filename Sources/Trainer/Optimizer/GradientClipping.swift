// The global norm of a gradient and its limit.

import Tensor

/// L2 norm, summed in Double over fixed chunks of the flat buffer, so that it does not depend on the number of threads.
package func norm(of gradient: [Float]) -> Double {
    let chunk = 1 << 14
    var sums = [Double](repeating: 0, count: (gradient.count + chunk - 1) / chunk)
    sums.withUnsafeMutableBufferPointer { sums in
        gradient.withUnsafeBufferPointer { gradient in
            nonisolated(unsafe) let (sums, gradient) = (sums, gradient)
            Threads.run(gradient.count, grain: chunk) { range in
                var lanes = SIMD8<Double>.zero
                for (place, i) in range.enumerated() { lanes[place & 7] += Double(gradient[i]) * Double(gradient[i]) }
                sums[range.lowerBound / chunk] = lanes.sum()
            }
        }
    }
    return sums.reduce(0, +).squareRoot()
}

/// Scales `gradient` so that its norm is at most `limit`: by min(1, limit / (norm + 1e-6)), as torch does.
package func clip(_ gradient: inout [Float], norm: Double, limit: Double) {
    let factor = Float(min(1, limit / (norm + 1e-6)))
    gradient.withUnsafeMutableBufferPointer { buffer in
        nonisolated(unsafe) let values = buffer
        Threads.run(values.count, grain: 1 << 16) { range in
            for i in range { values[i] *= factor }
        }
    }
}
