// Image files to features: decoded ahead on threads of their own, then through the vision tower, several images in a pass.

import Comm
import Data
import Files
import Images
import Model
import Tensor

/// A model's vision tower with the way to it.
///
///     let decoding = encoder.decoding(files)
///     let features = try encoder.features(of: 8, from: decoding)         // of the first 8 files
///
/// Features have the engine's element type, and the same bits whichever images share a pass, and whether or not they were kept.
package struct ImageEncoder: Sendable {
    /// Images on their way from files to patches.
    package typealias Decoding = ImageDecoding<Prepared>

    /// An image that needs no more of its file.
    package enum Prepared: Sendable {
        /// From the cache.
        case features(ImageFeatures)
        /// - content: nil where nothing is kept
        case patches(ImagePatches, content: ContentHash?)
    }

    /// Makes patches of image files.
    package let reader: ImageReader
    private let tower: VisionTower
    /// Nil: every image goes through the tower.
    package private(set) var cache: ImageCache?

    /// Bytes of patches that wait for the tower.
    package static let bytesAhead = 256 << 20
    /// Patches of a pass, unless one image has more.
    package static let passPatches = 4096

    /// Creates an encoder that keeps no features.
    package init(_ reader: ImageReader, _ weights: VisionWeights, _ engine: MatrixEngine) {
        self.reader = reader
        tower = VisionTower(weights, engine)
    }

    /// The same, keeping features for later.
    package func keeping(_ cache: ImageCache) -> ImageEncoder {
        var copy = self
        copy.cache = cache
        return copy
    }

    /// Begins to decode some images, or to read their features, in the order in which `features` will ask for them.
    package func decoding(_ images: [ImageFile]) -> Decoding {
        let width = reader.processor.config.patchValues * MemoryLayout<Float>.size
        return Decoding(bytes: images.map { $0.grid.count * width }, threads: Threads.count, limit: Self.bytesAhead) {
            index throws(UserError) in try prepared(images[index])
        }
    }

    /// - Throws: `UserError` when the file cannot be decoded, or has another content than it had
    private func prepared(_ image: ImageFile) throws(UserError) -> Prepared {
        if let content = image.content, let features = kept(content, image) { return .features(features) }
        let file = try MappedFile(path: image.path)
        let content = image.content != nil || cache != nil ? ContentHash(of: file.contents) : nil
        guard image.content == nil || image.content == content else {
            throw UserError(
                .inputOutput, image.path, "was changed while this run used it; leave the file alone and start again with --resume")
        }
        if image.content == nil, let content, let features = kept(content, image) { return .features(features) }
        return .patches(try reader.processor.patches(of: file), content: cache == nil ? nil : content)
    }

    private func kept(_ content: ContentHash, _ image: ImageFile) -> ImageFeatures? {
        cache?.features(
            of: content, grid: image.grid.merged(by: tower.config.spatialMergeSize), width: tower.config.outHiddenSize, tower.element)
    }

    /// The features of the next images of a decoding.
    ///
    /// - Throws: `UserError` of the first file that cannot be used
    package func features(of count: Int, from decoding: Decoding) throws(UserError) -> [ImageFeatures] {
        var features = [ImageFeatures?](repeating: nil, count: count)
        var (pass, patches): ([(place: Int, image: ImagePatches, content: ContentHash?)], Int) = ([], 0)
        func run() {
            for (image, made) in zip(pass, tower.features(pass.map(\.image))) {
                features[image.place] = made
                if let content = image.content { cache?.keep(made, of: content) }
            }
            (pass, patches) = ([], 0)
        }
        for place in 0..<count {
            switch try decoding.next() {
            case .features(let kept): features[place] = kept
            case .patches(let image, let content):
                if !pass.isEmpty && patches + image.grid.count > Self.passPatches { run() }
                pass.append((place, image, content))
                patches += image.grid.count
            }
        }
        if !pass.isEmpty { run() }
        return features.map { $0! }
    }
}

extension ModelSession {
    /// The same session, able to take images.
    ///
    /// Collective.
    /// - Parameter options: limits of a scaled picture, and how it is looked at
    /// - Throws: `UserError` when the model takes none, or its settings differ between hosts
    package func withImages(_ options: ImageOptions) throws -> ModelSession {
        let reader = try world.together { () throws(UserError) in
            try ImageReader(folder: checkpoint.folder, checkpoint.config, processor.tokenizer, options)
        }
        guard let weights = checkpoint.vision else { preconditionFailure("images: a reader without a vision tower") }
        try world.requireSameOnHosts(
            Array("\(reader.processor.config)".utf8), path: checkpoint.folder + "/preprocessor_config.json", "image processor")
        return adding(ImageEncoder(reader, weights, model.engine))
    }
}
