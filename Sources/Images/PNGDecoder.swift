// PNG by libpng: every colour type, depth and interlace. Pixels as in Pillow's convert("RGB"): gray of 16 bits is clipped at 255,
// of other 16-bit samples the higher byte counts. On white, they are those of transformers' `convert_to_rgb`.

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

    /// Whether pixels have an alpha, or an index or a colour stands for a transparent one.
    var hasTransparency: Bool { hasAlpha || layout.has_transparency != 0 }

    private var hasAlpha: Bool { layout.color_type & PNG_COLOR_MASK_ALPHA != 0 }
    private var isPalette: Bool { layout.color_type == PNG_COLOR_TYPE_PALETTE }

    /// - Throws: `UserError` `.content` when data are missing or damaged
    func decode(_ background: PictureView.Background) throws(UserError) -> RGBImage {
        let image = RGBImage(width: width, height: height)
        if background == .white, layout.color_type == PNG_COLOR_TYPE_RGB_ALPHA {
            let pixels = UnsafeMutablePointer<UInt8>.allocate(capacity: 4 * width * height)
            defer { pixels.deallocate() }
            _ = try read((0..<height).map { pixels + 4 * width * $0 }, keepsAlpha: true)
            image.lay(pixels)
            return image
        }
        // Each row comes into the beginning of its place and is spread out there.
        let keepsAlpha = background == .white && hasAlpha
        switch try read((0..<height).map { image.row($0) }, keepsAlpha: keepsAlpha) {
        case 1:
            let colours = colours(background)
            for row in 0..<height { Self.spread(image.row(row), width) { colours[Int($0[$1])] } }
        case 2 where keepsAlpha:
            for row in 0..<height {
                Self.spread(image.row(row), width) { onWhite(SIMD3(repeating: $0[2 * $1]), alpha: $0[2 * $1 + 1]) }
            }
        case 2:
            for row in 0..<height {
                Self.spread(image.row(row), width) { SIMD3(repeating: $0[2 * $1] == 0 ? $0[2 * $1 + 1] : 255) }
            }
        default: break
        }
        if background == .white, !hasAlpha, !isPalette, layout.has_transparency != 0 { image.whiten(transparentColour) }
        return image
    }

    /// Reads all rows, each to its place.
    ///
    /// - Returns: bytes that a pixel takes
    private func read(_ rows: [UnsafeMutablePointer<UInt8>], keepsAlpha: Bool) throws(UserError) -> Int32 {
        var (rows, bytesAPixel) = (rows.map(Optional.init), Int32(0))
        guard png_decoder_read(library, &rows, keepsAlpha ? 1 : 0, &bytesAPixel) != 0 else { throw failure }
        return bytesAPixel
    }

    /// The colour that stands for a transparent pixel, as Pillow compares it: with samples of 8 bits, after gray values of fewer were
    /// stretched to these and the lower halves of 16 were cut off.
    private var transparentColour: SIMD3<UInt8> {
        let key = layout.transparent
        if layout.bit_depth == 1 { return SIMD3(repeating: key.0 == 0 ? 0 : 255) }
        return SIMD3(UInt8(truncatingIfNeeded: key.0), UInt8(truncatingIfNeeded: key.1), UInt8(truncatingIfNeeded: key.2))
    }

    /// What a row's byte stands for: an index, or a gray value of up to 8 bits.       [256]
    private func colours(_ background: PictureView.Background) -> [SIMD3<UInt8>] {
        if isPalette {
            let colours = withUnsafeBytes(of: layout.palette) { bytes in
                (0..<256).map { SIMD3(bytes[3 * $0], bytes[3 * $0 + 1], bytes[3 * $0 + 2]) }
            }
            guard background == .white else { return colours }
            return withUnsafeBytes(of: layout.alpha) { alpha in (0..<256).map { onWhite(colours[$0], alpha: alpha[$0]) } }
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
