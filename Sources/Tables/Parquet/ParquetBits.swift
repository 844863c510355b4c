// Numbers packed without padding, lowest bit first ("Encodings" of the format's specification, bit-packed runs).

/// Reads numbers of a fixed width of bits.
struct ParquetBits {
    private let bytes: UnsafeRawBufferPointer
    private let width: Int
    private var bit = 0

    /// - Parameter width: 0 to 64
    init(_ bytes: UnsafeRawBufferPointer, width: Int) {
        self.bytes = bytes
        self.width = width
    }

    /// The next number, or nil when its bits go beyond the end.
    @inline(__always)
    mutating func next() -> UInt64? {
        guard width > 0 else { return 0 }
        let (start, shift) = (bit >> 3, UInt64(bit & 7))
        guard bit &+ width <= bytes.count &* 8 else { return nil }
        bit &+= width
        let mask = width == 64 ? UInt64.max : (1 &<< UInt64(width)) &- 1
        if start &+ 8 <= bytes.count {
            var value = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)) &>> shift
            if Int(shift) &+ width > 64 { value |= UInt64(bytes[start &+ 8]) &<< (64 &- shift) }
            return value & mask
        }
        var value: UInt64 = 0
        for k in start..<bytes.count { value |= UInt64(bytes[k]) &<< (8 &* UInt64(k &- start)) }
        return (value &>> shift) & mask
    }
}
