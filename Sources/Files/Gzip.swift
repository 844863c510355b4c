// Inflating gzip files (RFC 1952) by zlib, members one after another, into memory. Used by TextFile.
// Convention: what is not whole and right to the last checksum is an error; nothing is given out of a damaged file.

import CZlib
import Foundation

/// Memory of its own, as large as what was inflated.
final class InflatedBytes: @unchecked Sendable {
    private(set) var bytes: UnsafeRawBufferPointer
    private var capacity: Int
    private var address: UnsafeMutableRawPointer

    /// Inflates a whole file.
    ///
    /// - Parameter maximumLineLength: bounds the memory that a small file can ask for
    /// - Throws: `UserError` `.content` when the data are cut short, damaged, no gzip, or hold a longer line
    init(gzip compressed: UnsafeRawBufferPointer, path: String, maximumLineLength: Int) throws(UserError) {
        capacity = max(1 << 16, compressed.count)
        address = malloc(capacity)!
        bytes = UnsafeRawBufferPointer(start: address, count: 0)
        guard compressed.starts(with: [0x1F, 0x8B]) else {
            let found = compressed.isEmpty ? "is empty" : "is named .gz but is not gzip"
            throw UserError(.content, path, "\(found); copy it again or drop .gz from its name")
        }
        // zlib keeps the address of its state, so the state must not move.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        let gzipWindow: Int32 = 16 + MAX_WBITS
        guard inflateInit2_(stream, gzipWindow, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw UserError(.inputOutput, path, "cannot be inflated: zlib has no memory")
        }
        defer { inflateEnd(stream) }
        try inflateMembers(compressed, stream, path, maximumLineLength)
    }

    deinit { free(address) }

    private func inflateMembers(
        _ compressed: UnsafeRawBufferPointer, _ stream: UnsafeMutablePointer<z_stream>, _ path: String, _ maximumLineLength: Int
    ) throws(UserError) {
        let pieceLimit = 1 << 30  // zlib counts in 32 bits
        var consumed = 0
        var lineStart = 0
        while true {
            if bytes.count == capacity { grow() }
            let input = min(compressed.count - consumed, pieceLimit)
            let output = min(capacity - bytes.count, pieceLimit)
            stream.pointee.next_in = UnsafeMutablePointer(mutating: compressed.baseAddress!.assumingMemoryBound(to: UInt8.self) + consumed)
            stream.pointee.avail_in = UInt32(input)
            stream.pointee.next_out = (address + bytes.count).assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(output)
            let code = inflate(stream, Z_NO_FLUSH)
            consumed += input - Int(stream.pointee.avail_in)
            bytes = UnsafeRawBufferPointer(start: address, count: bytes.count + output - Int(stream.pointee.avail_out))
            try checkLine(from: &lineStart, path, maximumLineLength)

            switch code {
            case Z_OK: break
            case Z_STREAM_END:
                // Padding with zeros may follow; anything else must be another member.
                let rest = compressed[consumed...]
                if rest.allSatisfy({ $0 == 0 }) { return }
                guard rest.starts(with: [0x1F, 0x8B]), inflateReset(stream) == Z_OK else {
                    throw UserError(.content, path, "holds \(rest.count) bytes after its gzip data that are no gzip; compress it again")
                }
            case Z_BUF_ERROR where input == 0: throw UserError(.content, path, "its gzip data are cut short; copy or download it again")
            default:
                let reason = stream.pointee.msg.map { String(cString: $0) } ?? "code \(code)"
                throw UserError(.content, path, "its gzip data are damaged near byte \(consumed) (\(reason)); copy or download it again")
            }
        }
    }

    /// Moves `lineStart` to the last unfinished line and checks that it is not too long.
    private func checkLine(from lineStart: inout Int, _ path: String, _ maximumLength: Int) throws(UserError) {
        if let last = bytes[lineStart...].lastIndex(of: 0x0A) { lineStart = last + 1 }
        guard bytes.count - lineStart <= maximumLength + 1 else {
            throw UserError.lineTooLong(path, line: 1 + bytes[..<lineStart].count { $0 == 0x0A }, limit: maximumLength)
        }
    }

    private func grow() {
        capacity *= 2
        address = realloc(address, capacity)!
        bytes = UnsafeRawBufferPointer(start: address, count: bytes.count)
    }
}
