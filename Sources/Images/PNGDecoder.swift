// PNG by libpng: every colour type, depth and interlace. Pixels as in Pillow's convert("RGB"): gray of 16 bits is clipped at 255,
// of other 16-bit samples the higher byte counts, transparency is ignored.

import CPNG
import Files

/// One file, read as far as its first pixel.
final class PNGDecoder {
    private let library: UnsafeMutablePointer<png_decoder>
    private var layout = png_layout()
    private let path: String

    /// - Parameter bytes: must outlive the decoder
    /// - Throws: `UserError` `.content` when libpng cannot read what comes before the pixels
    init(_ bytes: UnsafeRawBufferPointer, path: String) throws(UserError) {
        guard let library = png_decoder_open(bytes.baseAddress, bytes.count) else { fatalError("out of memory: a PNG decoder") }
        self.library = library
        self.path = path
        guard png_decoder_read_header(library, &layout) != 0 else { throw failure }
    }

    deinit { png_decoder_close(library) }

    var width: Int { Int(layout.width) }
    var height: Int { Int(layout.height) }

    /// Deflate makes at most 1,032 bytes of one.
    var fewestBytes: Int { layout.row_bytes / 1032 * height }

    /// - Throws: `UserError` `.content` when data are missing or damaged
    func decode() throws(UserError) -> RGBImage {
        // Each row comes into the beginning of its place and is spread out there.
        let image = RGBImage(width: width, height: height)
        var rows = (0..<height).map { Optional(image.row($0)) }
        var bytesAPixel: Int32 = 0
        guard png_decoder_read(library, &rows, &bytesAPixel) != 0 else { throw failure }
        switch bytesAPixel {
        case 1:
            let colours = colours
            for row in 0..<height { Self.spread(image.row(row), width) { colours[Int($0[$1])] } }
        case 2:
            for row in 0..<height {
                Self.spread(image.row(row), width) { SIMD3(repeating: $0[2 * $1] == 0 ? $0[2 * $1 + 1] : 255) }
            }
        default: break
        }
        return image
    }

    /// What a row's byte stands for: an index, or a gray value of up to 8 bits.       [256]
    private var colours: [SIMD3<UInt8>] {
        if Int32(layout.color_type) == PNG_COLOR_TYPE_PALETTE {
            return withUnsafeBytes(of: layout.palette) { bytes in
                (0..<256).map { SIMD3(bytes[3 * $0], bytes[3 * $0 + 1], bytes[3 * $0 + 2]) }
            }
        }
        let largest = layout.bit_depth < 8 ? 1 << layout.bit_depth - 1 : 255
        return (0..<256).map { SIMD3(repeating: UInt8(min($0, largest) * 255 / largest)) }
    }

    /// Turns a row into RGB in its place; from its end, since a pixel's three bytes lie at or behind what they come from.
    @inline(__always)
    private static func spread(
        _ row: UnsafeMutablePointer<UInt8>, _ width: Int, _ colour: (UnsafeMutablePointer<UInt8>, Int) -> SIMD3<UInt8>
    ) {
        for pixel in stride(from: width - 1, through: 0, by: -1) {
            let value = colour(row, pixel)
            (row[3 * pixel], row[3 * pixel + 1], row[3 * pixel + 2]) = (value.x, value.y, value.z)
        }
    }

    private var failure: UserError {
        withUnsafeBytes(of: &library.pointee.message) { ImageFormat.damaged(path, words: $0) }
    }
}
