// Randomness by counter: a value is a function of the seed and of what it is for, never of what was drawn before.
// So it is the same on every rank, for every world size, and in a second pass over the same inputs.

import Glibc

/// A stream of random numbers named by a seed and a list of labels.
///
///     let stream = RandomStream(seed).stream("shuffle").stream(epoch)
///     stream.bits(at: 17)                             // the 18th value, at any time
///
/// Mixing: SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
package struct RandomStream: Sendable {
    /// What all values of the stream depend on.
    package let key: UInt64

    /// Creates the stream of a seed.
    package init(_ seed: UInt64) { key = Self.mix(seed &+ 0x9e37_79b9_7f4a_7c15) }

    private init(key: UInt64) { self.key = key }

    /// The stream for `label` below this one.
    package func stream(_ label: UInt64) -> RandomStream {
        RandomStream(key: Self.mix(key ^ Self.mix(label &+ 0x9e37_79b9_7f4a_7c15)))
    }

    /// The stream for a name below this one.
    package func stream(_ name: String) -> RandomStream {
        name.utf8.reduce(stream(UInt64(name.utf8.count))) { $0.stream(UInt64($1)) }
    }

    /// 64 random bits.
    package func bits(at index: Int) -> UInt64 {
        Self.mix(key &+ UInt64(bitPattern: Int64(index)) &* 0x9e37_79b9_7f4a_7c15)
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    package func uniform(at index: Int) -> Double { Double(bits(at: index) >> 11) * 0x1p-53 }

    /// Uniform in `0..<bound`, unbiased to 2⁻⁶⁴ of a draw (multiply and keep the upper half).
    package func integer(below bound: Int, at index: Int) -> Int {
        Int(bits(at: index).multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Standard normal, by Box and Muller from the bits at 2·index and 2·index + 1.
    package func gaussian(at index: Int) -> Double {
        let u = (Double(bits(at: 2 * index) >> 11) + 1) * 0x1p-53  // (0, 1]
        let v = uniform(at: 2 * index + 1)
        return sqrt(-2 * log(u)) * cos(2 * .pi * v)
    }

    /// A random order of `0..<count` (Fisher and Yates).
    package func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for i in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(i, integer(below: i + 1, at: i))
        }
        return order
    }

    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z &>> 31)
    }
}
