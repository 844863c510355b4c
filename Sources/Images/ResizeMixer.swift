// The inner loops of a resize. Sums of products stand in a small buffer until they are rounded, many at a time: each of the two
// loops then is one that the compiler turns into plain vector code.

/// Forms outputs of one axis.
///
///     axis.withMixer(capacity: count) { mixer in
///         mixer.mix(place, firstInput, stride: rowBytes, count: count, at: 0)
///         mixer.round(count, into: target)
///     }
struct ResizeMixer {
    private static let width = 16

    private let axis: ResizeAxis
    /// [output, taps]
    private let weights: UnsafePointer<Int32>
    private let sums: UnsafeMutablePointer<Int32>

    fileprivate init(_ axis: ResizeAxis, _ weights: UnsafePointer<Int32>, _ sums: UnsafeMutablePointer<Int32>) {
        (self.axis, self.weights, self.sums) = (axis, weights, sums)
    }

    /// One output for `count` values that share its weights.
    ///
    ///     sum[place + i] = Σ_k weight[k] · source[k · stride + i]
    ///
    /// In Int32: weights of 22 binary places times 8 bits, and what cubic weights overshoot, stay below 2³¹.
    /// - Parameters:
    ///   - source: the first input; up to 15 bytes behind the last value are read and not used
    ///   - stride: bytes from an input to the next
    @inline(__always)
    func mix(_ output: Int, _ source: UnsafePointer<UInt8>, stride: Int, count: Int, at place: Int) {
        let (weights, taps) = (weights + output * axis.taps, axis.counts[output])
        for first in Swift.stride(from: 0, to: count, by: Self.width) {
            var sum = SIMD16<Int32>(repeating: 0)
            var input = UnsafeRawPointer(source + first)
            for tap in 0..<taps {
                sum &+= SIMD16<Int32>(truncatingIfNeeded: input.loadUnaligned(as: SIMD16<UInt8>.self)) &* weights[tap]
                input += stride
            }
            UnsafeMutableRawPointer(sums + place + first).storeBytes(of: sum, as: SIMD16<Int32>.self)
        }
    }

    /// The first sums as bytes, halves up.
    ///
    ///     target[i] = clip((sum[i] + ½ · 2^precision) / 2^precision)
    @inline(__always)
    func round(_ count: Int, into target: UnsafeMutablePointer<UInt8>) {
        let (half, shift) = (Int32(1) &<< Int32(axis.precision - 1), Int32(axis.precision))
        for i in 0..<count { target[i] = UInt8(truncatingIfNeeded: min(max((sums[i] &+ half) &>> shift, 0), 255)) }
    }
}

extension ResizeAxis {
    /// - Parameter capacity: the most values that are mixed before they are rounded
    func withMixer(capacity: Int, _ body: (ResizeMixer) -> Void) {
        weights.withUnsafeBufferPointer { weights in
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: capacity + RGBImage.padding) { sums in
                body(ResizeMixer(self, weights.baseAddress!, sums.baseAddress!))
            }
        }
    }
}
