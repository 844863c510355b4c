// How a run takes images: those of its rows and those that it is evaluated on.

import Comm
import Data
import Embedding
import Files
import Model
import Project
import Tensor

extension TrainingSetup {
    /// The same, able to take images where the rows have none.
    ///
    /// Collective.
    func withImages(_ console: Console?) throws -> TrainingSetup {
        session.images == nil ? replacing(session: try session.withImages(config.data, console)) : self
    }
}

extension ModelSession {
    /// Collective.
    func withImages(_ data: DataConfig, _ console: Console?) throws -> ModelSession {
        let session = try withImages(data.imageOptions)
        guard let folder = data.imageCache, let images = session.images else { return session }
        let cache = ImageCache(
            folder: folder, limit: data.imageCacheBytes, key: featureKey(images.reader), writers: world.worldSize
        ) { console?.notice($0) }
        let faults = try world.allSentences([cache.prepare()].compactMap(\.self))
        for sentence in faults { console?.notice(sentence) }
        return session.adding(images.keeping(cache))
    }

    /// SHA-256 of everything but the image that its features depend on: the model's files, the way from picture to patches, the
    /// arithmetic, this program.
    private func featureKey(_ reader: ImageReader) -> [UInt8] {
        let parts: JSONValue = [
            "shoal": .string(Versions.shoal), "model": .string(SHA256.hex(checkpoint.fingerprint())),
            "settings": .string("\(reader.processor.config)"), "engine": .string(model.engine.arithmetic),
            "processor": .string(Processor.model),
        ]
        return SHA256.hash(of: parts.serialized(pretty: false))
    }
}

extension RowImages {
    /// Of a run's rows, whether or not its model takes images.
    init(_ data: DataConfig, _ session: ModelSession) {
        let reader = Result { () throws(UserError) in
            try ImageReader(folder: session.checkpoint.folder, session.checkpoint.config, session.processor.tokenizer, data.imageOptions)
        }
        self.init(
            reader, baseFolder: data.imageFolder, store: ImageStore(setting: data.cacheFolder), skipsBad: data.onBadImage == .skip,
            maximumTokens: session.processor.maxTokens)
    }
}
