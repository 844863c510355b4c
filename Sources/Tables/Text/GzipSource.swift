// A gzip file (RFC 1952) unpacked by zlib as it is read, members one after another.

import CZlib
import Files

/// The unpacked bytes of a mapped gzip file.
final class GzipSource: ByteSource {
    private let file: MappedFile
    // zlib keeps the address of its state, so the state must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private var consumed = 0
    private var isFinished = false

    init(_ file: MappedFile) throws(UserError) {
        self.file = file
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let gzipWindow: Int32 = 16 + MAX_WBITS
        guard inflateInit2_(stream, gzipWindow, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw UserError(.inputOutput, file.path, "cannot be inflated: zlib has no memory")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func read(into room: UnsafeMutableRawBufferPointer) throws(UserError) -> Int {
        let pieceLimit = 1 << 30  // zlib counts in 32 bits
        let output = min(room.count, pieceLimit)
        while !isFinished {
            let input = min(file.bytes.count - consumed, pieceLimit)
            let next = file.bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + consumed
            stream.pointee.next_in = UnsafeMutablePointer(mutating: next)
            stream.pointee.avail_in = UInt32(input)
            stream.pointee.next_out = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(output)
            let code = inflate(stream, Z_NO_FLUSH)
            consumed += input - Int(stream.pointee.avail_in)
            let count = output - Int(stream.pointee.avail_out)
            switch code {
            case Z_OK: break
            case Z_STREAM_END: try startMember()
            case Z_BUF_ERROR where input == 0:
                throw UserError(.content, file.path, "its gzip data are cut short; copy or download it again")
            default:
                let reason = stream.pointee.msg.map { String(cString: $0) } ?? "code \(code)"
                throw UserError(
                    .content, file.path, "its gzip data are damaged near byte \(consumed) (\(reason)); copy or download it again")
            }
            if count > 0 { return count }
        }
        return 0
    }

    /// Padding with zeros may follow a member; anything else must be another one.
    private func startMember() throws(UserError) {
        let rest = file.bytes[consumed...]
        if rest.allSatisfy({ $0 == 0 }) {
            isFinished = true
            return
        }
        guard rest.starts(with: [0x1F, 0x8B]), inflateReset(stream) == Z_OK else {
            throw UserError(.content, file.path, "holds \(rest.count) bytes after its gzip data that are no gzip; compress it again")
        }
    }
}
