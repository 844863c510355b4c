// A Zstandard file (RFC 8878) unpacked by libzstd as it is read, frames one after another.

import CZstd
import Files

/// The unpacked bytes of a mapped Zstandard file.
final class ZstandardSource: ByteSource {
    /// Memory that a frame may ask for, as a power of two: 128 MiB, what `zstd` itself allows without `--long`.
    private static let maximumWindow: Int32 = 27

    private let file: MappedFile
    private let stream: OpaquePointer
    private var consumed = 0
    private var isInsideFrame = false

    init(_ file: MappedFile) throws(UserError) {
        self.file = file
        guard let stream = ZSTD_createDCtx() else { throw UserError(.inputOutput, file.path, "cannot be unpacked: libzstd has no memory") }
        self.stream = stream
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, Self.maximumWindow)
    }

    deinit { ZSTD_freeDCtx(stream) }

    func read(into room: UnsafeMutableRawBufferPointer) throws(UserError) -> Int {
        var output = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
        while output.pos == 0 {
            guard consumed < file.bytes.count || isInsideFrame else { return 0 }
            var input = ZSTD_inBuffer(src: file.bytes.baseAddress, size: file.bytes.count, pos: consumed)
            let before = consumed
            let wanted = ZSTD_decompressStream(stream, &output, &input)
            consumed = input.pos
            guard ZSTD_isError(wanted) == 0 else {
                let reason = String(cString: ZSTD_getErrorName(wanted))
                throw UserError(
                    .content, file.path, "its Zstandard data are damaged near byte \(consumed) (\(reason)); copy or download it again")
            }
            isInsideFrame = wanted != 0
            if output.pos == 0, consumed == before, consumed == file.bytes.count, isInsideFrame {
                throw UserError(.content, file.path, "its Zstandard data are cut short; copy or download it again")
            }
        }
        return output.pos
    }
}
