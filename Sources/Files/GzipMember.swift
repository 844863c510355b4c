// Deflating bytes into a gzip member (RFC 1952) by zlib. Members may stand one after another in a file, so that parts of a file can
// be packed apart, by several threads or processes.

import CZlib
import Foundation

/// Packs bytes with gzip.
package enum GzipMember {
    /// One member that holds these bytes. It has neither a name nor a time, so that the same bytes give the same member, as long as
    /// zlib is of the same version.
    package static func packed(_ bytes: [UInt8]) -> [UInt8] {
        // zlib keeps the address of its state, so the state must not move.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        let (usualMemory, gzipWindow): (Int32, Int32) = (8, 16 + MAX_WBITS)
        let started = deflateInit2_(
            stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzipWindow, usualMemory, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(started == Z_OK, "gzip: zlib has no memory")
        defer { deflateEnd(stream) }
        // zlib counts in 32 bits; whoever packs more than that cuts it.
        precondition(bytes.count < 1 << 31, "gzip: \(bytes.count) bytes in one member")
        let bound = Int(deflateBound(stream, UInt(bytes.count)))
        return [UInt8](unsafeUninitializedCapacity: bound) { room, count in
            bytes.withUnsafeBufferPointer { input in
                stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.pointee.avail_in = UInt32(input.count)
                stream.pointee.next_out = room.baseAddress
                stream.pointee.avail_out = UInt32(bound)
                let code = deflate(stream, Z_FINISH)
                precondition(code == Z_STREAM_END, "gzip: zlib gives \(code)")
            }
            count = bound - Int(stream.pointee.avail_out)
        }
    }
}
