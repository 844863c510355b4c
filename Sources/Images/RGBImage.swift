// A decoded picture, and the one place that knows which decoder a file needs. As stored, pixels are what Pillow's `convert("RGB")`
// gives; turned and on white, what transformers' `load_image` and `convert_to_rgb` make of the file (see `PictureView`).

import Files

/// Pixels of 8 bits, red, green, blue, row by row.                  [height, width, 3]
///
/// A reference, as `Tensor` is: who keeps `pixels` keeps the image. Safe to share between threads that write to different rows.
package final class RGBImage: @unchecked Sendable {
    package let width: Int
    package let height: Int
    package let pixels: UnsafeMutablePointer<UInt8>

    /// Readable bytes behind the last pixel, so that a vector may begin at any pixel.
    static let padding = 16

    /// Not initialised.
    package init(width: Int, height: Int) {
        precondition(width > 0 && height > 0, "RGBImage: \(width) × \(height)")
        self.width = width
        self.height = height
        pixels = .allocate(capacity: width * height * 3 + Self.padding)
        (pixels + width * height * 3).initialize(repeating: 0, count: Self.padding)
    }

    deinit { pixels.deallocate() }

    /// Bytes of a row.
    package var rowBytes: Int { width * 3 }

    /// Bytes of the picture.
    package var count: Int { width * height * 3 }

    package func row(_ row: Int) -> UnsafeMutablePointer<UInt8> { pixels + row * rowBytes }

    /// The pixels, to be read as long as the image is held.         [height · width · 3]
    package var values: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            _overrideLifetime(Span(_unsafeStart: UnsafePointer(pixels), count: count), borrowing: self)
        }
    }

    /// All bytes, for as long as the image lives.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pixels, count: count) }
}

extension RGBImage {
    /// Decodes the file at `path`, as stored.
    ///
    /// - Throws: `UserError` `.missing` and `.inputOutput` as `MappedFile`; else as `decode`
    package static func read(path: String, maximumPixels: Int = ImageHeader.maximumPixels) throws(UserError) -> RGBImage {
        try decode(MappedFile(path: path), .stored, maximumPixels: maximumPixels)
    }

    /// Decodes a mapped file.
    ///
    /// - Throws: as `decode(_:path:_:maximumPixels:)`
    package static func decode(
        _ file: MappedFile, _ view: PictureView, maximumPixels: Int = ImageHeader.maximumPixels
    ) throws(UserError) -> RGBImage {
        defer { withExtendedLifetime(file) {} }
        return try decode(file.bytes, path: file.path, view, maximumPixels: maximumPixels)
    }

    /// Decodes an image file in memory.
    ///
    /// Beside the picture, at most some 8 bytes a pixel are taken, and none before the header's size was found allowed.
    /// - Parameters:
    ///   - path: names the file in messages
    ///   - view: whether the picture is turned and laid on white
    ///   - maximumPixels: width × height that are still decoded
    /// - Throws: `UserError` `.content` when the file is none of the three formats, too large, cut short or damaged
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, path: String, _ view: PictureView, maximumPixels: Int = ImageHeader.maximumPixels
    ) throws(UserError) -> RGBImage {
        let header = try ImageHeader(bytes, path: path, maximumPixels: maximumPixels)
        let image =
            switch header.format {
            case .jpeg: try JPEGDecoder(bytes, path: path).decode()
            case .png: try PNGDecoder(bytes, path: path).decode(view.background)
            case .webP: try WebPDecoder(bytes, path: path).decode(view.background)
            }
        return view.orientation == .exif ? image.turned(header.orientation) : image
    }
}
