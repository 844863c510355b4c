// One side of a training row: a text, or an image beside its data file.

import Files

/// What an anchor, a positive or a negative is.
package enum RowInput: Equatable, Sendable {
    /// UTF-8, as in the file: without prompt, not truncated. Bytes, because they are hashed, compared and tokenized as bytes, and
    /// Swift's `String` would compare letters.
    case text([UInt8])
    /// Its name as `ImageFolder` gives it.
    case image(String)

    /// The text in UTF-8; nil for an image.
    package var text: [UInt8]? {
        if case .text(let text) = self { text } else { nil }
    }

    /// The image's name; nil for a text.
    package var imageName: String? {
        if case .image(let name) = self { name } else { nil }
    }

    /// The bytes that make this input what it is: the text's, or the image file's.
    ///
    /// - Throws: `UserError` when the image cannot be read
    package func withContent<Result>(in folder: ImageFolder, _ body: (RawSpan) -> Result) throws(UserError) -> Result {
        switch self {
        case .text(let text): return body(text.span.bytes)
        case .image(let name):
            let file = try MappedFile(path: folder.path(of: name))
            return body(file.contents)
        }
    }
}
