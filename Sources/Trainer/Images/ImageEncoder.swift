// Image files to features: decoded ahead on threads of their own, then through the vision tower, several images in a pass.

import Model
import Tensor

/// A model's vision tower with the way to it.
///
///     let decoding = encoder.decoding(files)
///     let features = try encoder.features(of: 8, from: decoding)         // of the first 8 files
///
/// Features are rounded to bfloat16, and have the same bits whichever images share a pass.
package struct ImageEncoder: Sendable {
    typealias Decoding = ImageDecoding<ImagePatches>

    package let reader: ImageReader
    private let tower: VisionTower

    /// Bytes of patches that wait for the tower.
    static let bytesAhead = 256 << 20
    /// Patches of a pass, unless one image has more.
    static let passPatches = 4096

    package init(_ reader: ImageReader, _ weights: VisionWeights, _ engine: MatrixEngine) {
        self.reader = reader
        tower = VisionTower(weights, engine)
    }

    /// Begins to decode some images, in the order in which `features` will ask for them.
    func decoding(_ images: [ImageFile]) -> Decoding {
        let (processor, width) = (reader.processor, reader.processor.config.patchValues * MemoryLayout<Float>.size)
        return Decoding(bytes: images.map { $0.grid.count * width }, threads: Threads.count, limit: Self.bytesAhead) {
            index throws(UserError) in try processor.patches(images[index])
        }
    }

    /// The features of the next images of a decoding.
    ///
    /// - Throws: `UserError` of the first file that cannot be decoded
    func features(of count: Int, from decoding: Decoding) throws(UserError) -> [ImageFeatures] {
        var features: [ImageFeatures] = []
        var (pass, patches): ([ImagePatches], Int) = ([], 0)
        for _ in 0..<count {
            let image = try decoding.next()
            if !pass.isEmpty && patches + image.grid.count > Self.passPatches {
                features += tower.features(pass)
                (pass, patches) = ([], 0)
            }
            pass.append(image)
            patches += image.grid.count
        }
        return pass.isEmpty ? features : features + tower.features(pass)
    }
}

extension ImageProcessor {
    /// - Throws: `UserError` as `patches(of:)`; `.inputOutput` when the file has another content than it had
    fileprivate func patches(_ image: ImageFile) throws(UserError) -> ImagePatches {
        let file = try MappedFile(path: image.path)
        defer { withExtendedLifetime(file) {} }
        if let content = image.content, ContentHash(of: file.bytes) != content {
            throw UserError(
                .inputOutput, image.path, "was changed while this run used it; leave the file alone and start again with --resume")
        }
        return try patches(of: file)
    }
}

extension ModelSession {
    /// The same session, able to take images.
    ///
    /// Collective.
    /// - Parameters:
    ///   - minPixels, maxPixels: of a scaled picture; nil: the model's own
    /// - Throws: `UserError` when the model takes none, or its settings differ between hosts
    func withImages(minPixels: Int?, maxPixels: Int?) throws -> ModelSession {
        let reader = try world.together { () throws(UserError) in
            try ImageReader(
                folder: checkpoint.folder, checkpoint.config, processor.tokenizer, minPixels: minPixels, maxPixels: maxPixels)
        }
        guard let weights = checkpoint.vision else { preconditionFailure("images: a reader without a vision tower") }
        try world.requireSameOnHosts(
            Array("\(reader.processor.config)".utf8), path: checkpoint.folder + "/preprocessor_config.json", "image processor")
        return adding(ImageEncoder(reader, weights, model.engine))
    }
}
