// Random bfloat16 numbers at the speed of memory: each is a function of its tensor and its place, so that threads may fill any
// part in any order.

import Tensor

/// The values of one tensor: mean 0, standard deviation 0.02, nearly normal.
struct RandomWeights {
    private let key: UInt32
    private let innerKey: UInt32

    /// - Parameter name: of the tensor
    init(seed: UInt64, name: String) {
        let key = RandomStream(seed).stream(name).key
        self.key = UInt32(truncatingIfNeeded: key)
        innerKey = UInt32(truncatingIfNeeded: key >> 32)
    }

    /// Writes the bits of the values `range` to `target`.
    func fill(_ range: Range<Int>, into target: UnsafeMutablePointer<UInt16>) {
        let start = UInt32(truncatingIfNeeded: range.lowerBound)
        for i in 0..<range.count {
            let hash: UInt32 = hash(start &+ UInt32(truncatingIfNeeded: i))
            // Pairs of bytes add up in the halves of a word, then the halves.
            let pairs: UInt32 = (hash & 0x00ff_00ff) &+ ((hash &>> 8) & 0x00ff_00ff)
            let sum: UInt32 = (pairs &+ (pairs &>> 16)) & 0xffff
            let value = Float(Int32(bitPattern: sum) &- 510) * Self.scale
            target[i] = UInt16(truncatingIfNeeded: (value.bitPattern &+ 0x8000) &>> 16)
        }
    }

    /// The sum of four uniform bytes has mean 510 and standard deviation √(4 · (256² - 1) / 12) = 147.8.
    private static let scale: Float = 0.02 / 147.8

    /// The finalizer of MurmurHash3 (A. Appleby, public domain), with a second key half-way.
    @inline(__always)
    private func hash(_ place: UInt32) -> UInt32 {
        var h = place &+ key
        h = (h ^ (h &>> 16)) &* 0x85eb_ca6b
        h = (h ^ (h &>> 13)) &+ innerKey
        h = (h ^ (h &>> 15)) &* 0xc2b2_ae35
        return h ^ (h &>> 16)
    }
}
