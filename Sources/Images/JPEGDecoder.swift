// JPEG by libjpeg-turbo: baseline, progressive and arithmetic; gray, RGB, YCbCr, CMYK and YCCK. CMYK goes to RGB as in Pillow,
// without a colour profile.

import CJPEG
import Files

/// One file, read as far as its size.
final class JPEGDecoder {
    private let library: UnsafeMutablePointer<jpeg_decoder>
    private let path: String

    /// Real files have about ten. Each costs a pass over the whole picture, also when it is empty.
    private static let maximumScans: Int32 = 100

    /// - Parameter bytes: must outlive the decoder
    /// - Throws: `UserError` `.content` when libjpeg cannot read the header
    init(_ bytes: UnsafeRawBufferPointer, path: String) throws(UserError) {
        guard let library = jpeg_decoder_open(bytes.baseAddress, bytes.count, Self.maximumScans) else {
            fatalError("out of memory: a JPEG decoder")
        }
        self.library = library
        self.path = path
        guard jpeg_decoder_read_header(library) != 0 else { throw failure }
        guard [1, 3, 4].contains(components) else {
            throw UserError(.content, path, "is a JPEG of \(components) components; gray, RGB and CMYK pictures are read: convert it")
        }
    }

    deinit { jpeg_decoder_close(library) }

    var width: Int { Int(library.pointee.library.image_width) }
    var height: Int { Int(library.pointee.library.image_height) }

    private var components: Int { Int(library.pointee.library.num_components) }

    /// Every block of 64 pixels has at least one Huffman code, of one bit or more. Arithmetic codes have no such bound.
    var fewestBytes: Int { library.pointee.library.arith_code != 0 ? 0 : width * height / 64 / 8 }

    /// - Throws: `UserError` `.content` when data are missing or damaged
    func decode() throws(UserError) -> RGBImage {
        guard jpeg_decoder_start(library) != 0 else { throw failure }
        let image = RGBImage(width: width, height: height)
        if components == 4 {
            try decodeCMYK(into: image)
        } else {
            for row in 0..<height {
                guard jpeg_decoder_read_row(library, image.row(row)) != 0 else { throw failure }
            }
        }
        return image
    }

    private func decodeCMYK(into image: RGBImage) throws(UserError) {
        let inks = UnsafeMutablePointer<UInt8>.allocate(capacity: width * 4)
        defer { inks.deallocate() }
        for row in 0..<height {
            guard jpeg_decoder_read_row(library, inks) != 0 else { throw failure }
            let target = image.row(row)
            for pixel in 0..<width {
                let white = Int(inks[4 * pixel + 3])
                for ink in 0..<3 { target[3 * pixel + ink] = Self.colour(of: Int(inks[4 * pixel + ink]), white: white) }
            }
        }
    }

    /// What is left of `white` under an ink: white − (255 − ink) · white / 255, rounded as in Pillow 12.3 (`cmyk2rgb`).
    ///
    /// Both come as Adobe stores them and Pillow assumes them, inverted: 255 is no ink.
    private static func colour(of ink: Int, white: Int) -> UInt8 {
        let product = (255 - ink) * white + 128
        return UInt8(white - (product >> 8 + product) >> 8)
    }

    private var failure: UserError {
        withUnsafeBytes(of: &library.pointee.message) { ImageFormat.damaged(path, words: $0) }
    }
}
