// WebP by libwebp: lossy and lossless still pictures.

import CWebP
import Files

/// One file, read as far as its size.
struct WebPDecoder {
    private let bytes: UnsafeRawBufferPointer
    private let path: String
    let width: Int
    let height: Int
    /// Whether pixels have an alpha.
    let hasTransparency: Bool

    /// - Parameter bytes: must outlive the decoder
    /// - Throws: `UserError` `.content` when libwebp cannot read the header, or the picture moves
    init(_ bytes: UnsafeRawBufferPointer, path: String) throws(UserError) {
        var features = WebPBitstreamFeatures()
        let status = WebPGetFeatures(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, &features)
        guard status == VP8_STATUS_OK, features.width > 0, features.height > 0 else {
            throw ImageFormat.damaged(path, status == VP8_STATUS_NOT_ENOUGH_DATA ? "the file ends early" : "its header is not WebP's")
        }
        guard features.has_animation == 0 else {
            throw UserError(.content, path, "is an animated WebP; still pictures are read: save one frame by itself")
        }
        self.bytes = bytes
        self.path = path
        width = Int(features.width)
        height = Int(features.height)
        hasTransparency = features.has_alpha != 0
    }

    /// - Throws: `UserError` `.content` when data are missing or damaged
    func decode(_ background: PictureView.Background) throws(UserError) -> RGBImage {
        let image = RGBImage(width: width, height: height)
        let source = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        if background == .white, hasTransparency {
            let pixels = UnsafeMutablePointer<UInt8>.allocate(capacity: 4 * width * height)
            defer { pixels.deallocate() }
            guard WebPDecodeRGBAInto(source, bytes.count, pixels, 4 * width * height, Int32(4 * width)) != nil else {
                throw ImageFormat.damaged(path, "its pixels cannot be decoded")
            }
            image.lay(pixels)
            return image
        }
        guard WebPDecodeRGBInto(source, bytes.count, image.pixels, image.count, Int32(image.rowBytes)) != nil else {
            throw ImageFormat.damaged(path, "its pixels cannot be decoded")
        }
        return image
    }
}
