// Numbers and pieces of bytes, read one after another, each checked against the end.

import Files

/// A place in bytes of a file or page, which must outlive it.
struct ParquetCursor {
    let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0
    let place: ParquetPlace

    init(_ bytes: UnsafeRawBufferPointer, _ place: ParquetPlace) {
        self.bytes = bytes
        self.place = place
    }

    var left: Int { bytes.count &- offset }

    mutating func byte() throws(UserError) -> UInt8 {
        guard offset < bytes.count else { throw endOfData() }
        defer { offset &+= 1 }
        return bytes[offset]
    }

    /// A number of fixed size, little-endian.
    @inline(__always)
    mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type) throws(UserError) -> Number {
        let size = MemoryLayout<Number>.size
        guard left >= size else { throw endOfData() }
        defer { offset &+= size }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// An unsigned number in seven bits a byte, lowest first (ULEB128), of at most 64 bits.
    mutating func variable() throws(UserError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            guard shift < 63 || (shift == 63 && byte <= 1) else { throw place.damaged("a number has more than 64 bits") }
            value |= UInt64(byte & 0x7F) &<< shift
            guard byte & 0x80 != 0 else { return value }
            shift &+= 7
        }
    }

    /// A signed number as an unsigned one: 0, -1, 1, -2, … .
    mutating func zigzag() throws(UserError) -> Int64 {
        let value = try variable()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// A number that counts something, so that it may not be larger than `limit`.
    mutating func count(_ what: String, limit: Int) throws(UserError) -> Int {
        let value = try variable()
        guard value <= UInt64(limit) else { throw place.damaged("\(what) is \(value) where at most \(limit) is possible") }
        return Int(value)
    }

    @inline(__always)
    mutating func take(_ count: Int) throws(UserError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= left else { throw endOfData() }
        defer { offset &+= count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset &+ count])
    }

    func endOfData() -> UserError { place.damaged("its bytes end where more are expected") }
}
