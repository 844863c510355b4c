// Images of training rows while the rows are indexed: read as far as the plan needs, and what becomes of a row with a bad one.

import Files
import Images
import Model

/// How a run takes the images of its rows.
package struct RowImages: Sendable {
    /// Why the model takes no images, where it does not.
    private let reader: Result<ImageReader, UserError>
    /// `data.image_base_dir`
    package let baseFolder: String?
    /// Where images that stand in rows themselves are written; nil: nowhere, and such a row is refused.
    package let store: ImageStore?
    /// Rows with an image that cannot be used are left out. Then every image is decoded while its row is indexed: a header says
    /// little of the picture behind it.
    package let skipsBad: Bool
    /// `system.max_seq_length`, or what the model takes.
    private let maximumTokens: Int

    package init(
        _ reader: Result<ImageReader, UserError>, baseFolder: String? = nil, store: ImageStore? = nil, skipsBad: Bool = false,
        maximumTokens: Int
    ) {
        self.reader = reader
        self.baseFolder = baseFolder
        self.store = store
        self.skipsBad = skipsBad
        self.maximumTokens = maximumTokens
    }

    /// What indexed rows depend on.
    package var key: JSONValue {
        guard case .success(let reader) = reader else { return .null }
        return [
            "settings": .string("\(reader.processor.config)"), "skips bad": .bool(skipsBad), "store": .string(store?.folder ?? ""),
        ]
    }

    /// A side of a row whose file cannot be used.
    package struct Fault: Error {
        let file: UserError
    }

    /// An image as an index holds it.
    package struct Measured {
        let content: ContentHash
        let grid: ImageGrid
        let tokens: Int
        let identity: FileIdentity
    }

    /// - Throws: `UserError` when the model takes no images
    func requireReader() throws(UserError) { _ = try reader.get() }

    /// - Throws: when the file is missing, no image, of an impossible shape, or, where bad ones are left out, damaged
    package func measure(_ path: String) throws(Fault) -> Measured {
        guard case .success(let reader) = reader else { preconditionFailure("row images: a model without images") }
        do {
            let file = try MappedFile(path: path)
            let grid = try reader.processor.config.grid(of: ImageHeader(file), path: path)
            if skipsBad { _ = try RGBImage.decode(file, reader.processor.config.view) }
            return Measured(
                content: ContentHash(of: file.contents), grid: grid, tokens: reader.tokenCount(grid), identity: file.identity)
        } catch { throw Fault(file: error) }
    }

    /// Why an image is too long; nil when it is not.
    func lengthFault(_ image: Measured) -> String? {
        guard image.tokens > maximumTokens, case .success(let reader) = reader else { return nil }
        return
            "becomes \(image.tokens) tokens, prompt included, and an input has \(maximumTokens) at most; lower data.max_pixels, which is "
            + "\(reader.processor.config.maxPixels), or raise system.max_seq_length"
    }
}
