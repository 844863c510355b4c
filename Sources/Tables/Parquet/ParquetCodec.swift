// How pages are packed (parquet.thrift, CompressionCodec).

import CZlib
import CZstd
import Files

/// A codec of pages.
enum ParquetCodec: Int {
    case none = 0
    case snappy = 1
    case gzip = 2
    case zstandard = 6

    private static let names = ["UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"]

    /// - Throws: `UserError` naming a codec that is not read
    static func of(_ code: Int, _ place: ParquetPlace) throws(UserError) -> ParquetCodec {
        if let codec = ParquetCodec(rawValue: code) { return codec }
        let name = names.indices.contains(code) ? names[code] : "codec \(code)"
        throw place.refused("is packed with \(name), which is not read; write the file with compression=\"zstd\"")
    }

    /// Unpacks a page, which fills `output` to its end.
    func unpack(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ place: ParquetPlace) throws(UserError) {
        let isRight: Bool
        switch self {
        case .none:
            isRight = input.count == output.count
            if isRight { output.copyMemory(from: input) }
        case .snappy: isRight = Snappy.unpack(input, into: output)
        case .gzip: isRight = Self.inflateAll(input, output)
        case .zstandard: isRight = ZSTD_decompress(output.baseAddress, output.count, input.baseAddress, input.count) == output.count
        }
        guard isRight else {
            throw place.damaged("a page of \(input.count) bytes does not unpack to the \(output.count) that its header says")
        }
    }

    /// One or several gzip members, or a zlib stream, as writers have it.
    private static func inflateAll(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> Bool {
        guard !input.isEmpty, !output.isEmpty else { return false }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        let anyWindow: Int32 = 32 + MAX_WBITS
        guard inflateInit2_(stream, anyWindow, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return false }
        defer { inflateEnd(stream) }
        // Pages are below 2³⁰ bytes, so zlib's 32 bits hold both counts.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress!.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(output.count)
        while true {
            let code = inflate(stream, Z_NO_FLUSH)
            guard code == Z_STREAM_END else {
                if code == Z_OK, stream.pointee.avail_in > 0, stream.pointee.avail_out > 0 { continue }
                return false
            }
            if stream.pointee.avail_in == 0 { return stream.pointee.avail_out == 0 }
            guard inflateReset(stream) == Z_OK else { return false }
        }
    }
}
