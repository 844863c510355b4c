// What an image file says of itself before anything is decoded: enough to plan its tokens, and to refuse a file whose picture
// would fill the memory.

import Files

/// The formats that are read, known by a file's first bytes; its name says nothing.
package enum ImageFormat: String, Sendable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    case webP = "WebP"

    /// - Throws: `UserError` `.content` when the bytes begin like none of the formats
    init(_ bytes: UnsafeRawBufferPointer, path: String) throws(UserError) {
        guard let format = Self.allCases.first(where: { $0.begins(bytes) }) else {
            let found = bytes.isEmpty ? "is empty" : "is neither JPEG nor PNG nor WebP"
            throw UserError(.content, path, "\(found); convert the picture to one of these formats")
        }
        self = format
    }

    /// The format of a file that begins with these bytes; nil when it is none that is read.
    package init?(beginOf bytes: [UInt8]) {
        guard let format = bytes.withUnsafeBytes({ bytes in Self.allCases.first { $0.begins(bytes) } }) else { return nil }
        self = format
    }

    /// Whether a file begins as an image of one of the formats does.
    ///
    /// - Throws: as `MappedFile`
    package static func isImage(path: String) throws(UserError) -> Bool {
        let file = try MappedFile(path: path)
        defer { withExtendedLifetime(file) {} }
        return allCases.contains { $0.begins(file.bytes) }
    }

    private func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .jpeg: bytes.starts(with: [0xFF, 0xD8, 0xFF])
        case .png: bytes.starts(with: [0x89] + Array("PNG\r\n\u{1A}\n".utf8))
        case .webP: bytes.starts(with: "RIFF".utf8) && bytes.dropFirst(8).starts(with: "WEBP".utf8)
        }
    }
}

/// Format and size of an image file, which way up its picture is, and whether that is transparent.
package struct ImageHeader: Sendable, Equatable {
    package let format: ImageFormat
    /// Pixels of a row, as stored.
    package let width: Int
    /// Rows, as stored.
    package let height: Int
    /// What must be done to the pixels so that the picture stands upright.
    package let orientation: ImageOrientation
    /// Whether pixels have an alpha, or an index or a colour stands for a transparent one. Pixels may be opaque all the same.
    package let hasTransparency: Bool

    /// Width × height that are decoded unless a caller says otherwise: as many as Pillow opens at most. A picture of this size
    /// takes 537 MB.
    package static let maximumPixels = 178_956_970

    /// - Throws: `UserError` `.content` when the header cannot be read, names more than `maximumPixels`, or names more pixels than
    ///   so few bytes can hold
    package init(_ bytes: UnsafeRawBufferPointer, path: String, maximumPixels: Int = Self.maximumPixels) throws(UserError) {
        format = try ImageFormat(bytes, path: path)
        let fewestBytes: Int
        switch format {
        case .jpeg:
            let decoder = try JPEGDecoder(bytes, path: path)
            (width, height, fewestBytes, hasTransparency) = (decoder.width, decoder.height, decoder.fewestBytes, false)
        case .png:
            let decoder = try PNGDecoder(bytes, path: path)
            (width, height, fewestBytes) = (decoder.width, decoder.height, decoder.fewestBytes)
            hasTransparency = decoder.hasTransparency
        case .webP:
            let decoder = try WebPDecoder(bytes, path: path)
            (width, height, fewestBytes, hasTransparency) = (decoder.width, decoder.height, 0, decoder.hasTransparency)
        }
        orientation = ImageNotes(RawSpan(_unsafeBytes: bytes), format).orientation
        guard width <= maximumPixels / height else {
            throw UserError(.content, path, "has \(width) × \(height) pixels; at most \(maximumPixels) are read: scale the picture down")
        }
        guard bytes.count >= fewestBytes else {
            throw ImageFormat.damaged(path, "\(bytes.count) bytes cannot hold the \(width) × \(height) pixels that its header names")
        }
    }

    /// Width and height of the picture as it is looked at.
    package func size(_ view: PictureView) -> (width: Int, height: Int) {
        view.orientation == .exif && orientation.swapsSides ? (height, width) : (width, height)
    }

    /// Reads the header of a mapped file.
    ///
    /// - Throws: as `init(_:path:maximumPixels:)`
    package init(_ file: MappedFile, maximumPixels: Int = Self.maximumPixels) throws(UserError) {
        defer { withExtendedLifetime(file) {} }
        try self.init(file.bytes, path: file.path, maximumPixels: maximumPixels)
    }

    /// - Throws: as `MappedFile` and `init(_:path:maximumPixels:)`
    package static func read(path: String, maximumPixels: Int = Self.maximumPixels) throws(UserError) -> ImageHeader {
        try ImageHeader(MappedFile(path: path), maximumPixels: maximumPixels)
    }
}

extension ImageFormat {
    /// The error of a file that begins as it should and does not go on so.
    ///
    /// - Parameter reason: what was found, without a full stop
    static func damaged(_ path: String, _ reason: String) -> UserError {
        UserError(.content, path, "is cut short or damaged: \(reason); take an undamaged copy of the picture")
    }

    /// - Parameter words: a library's own reason, a C string
    static func damaged(_ path: String, words: UnsafeRawBufferPointer) -> UserError {
        damaged(path, String(decoding: words.prefix { $0 != 0 }, as: UTF8.self))
    }
}
