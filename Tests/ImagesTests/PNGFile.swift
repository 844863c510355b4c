// PNG files built chunk by chunk, for what no encoder would write.

/// Use: `PNGFile(width: 1 << 20, height: 1 << 20).bytes`.
struct PNGFile {
    private(set) var bytes: [UInt8] = [0x89] + Array("PNG\r\n\u{1A}\n".utf8)

    /// 8-bit RGB, without pixels.
    init(width: UInt32, height: UInt32) {
        add("IHDR", Self.bigEndian(width) + Self.bigEndian(height) + [8, 2, 0, 0, 0])
    }

    mutating func add(_ kind: String, _ data: [UInt8]) {
        let content = Array(kind.utf8) + data
        bytes += Self.bigEndian(UInt32(data.count)) + content + Self.bigEndian(Self.checksum(content[...]))
    }

    /// CRC-32 of PNG and zlib, bit by bit.
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1 == 0 ? 0 : 0xEDB8_8320) }
        }
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
}
