// The images of a rank's steps. Those of the next step are decoded while this one is computed; features are constants, so those of
// the last step are used again where an image recurs.

import Data
import Files
import Model

/// Features of images, step by step.
///
///     images.begin(own)                        // in the order in which they will be asked for
///     let features = try images.features(of: some)
///     images.prepare(next)                     // when this step has all of its own
package final class StepImages {
    /// The encoder that decodes images and makes their features.
    package let encoder: ImageEncoder
    /// Features of this step's images, by content; while the step begins also those of the step before.
    private var known: [ContentHash: ImageFeatures] = [:]
    private var decoding: ImageEncoder.Decoding?
    /// Images of the next step that it will not know, on their way.
    private var ahead: (images: [ImageFile], decoding: ImageEncoder.Decoding)?

    /// Creates a store of features, empty before the first step.
    package init(_ encoder: ImageEncoder) { self.encoder = encoder }

    /// Begins a step with these images, each once.
    package func begin(_ images: [ImageFile]) {
        let contents = Set(images.map(\.content))
        known = known.filter { contents.contains($0.key) }
        let unknown = unknown(of: images)
        decoding = ahead?.images == unknown ? ahead!.decoding : encoder.decoding(unknown)
        ahead = nil
    }

    /// The features of the next images of this step.
    ///
    /// - Throws: `UserError` of a file that cannot be decoded, or is not what it was when its row was indexed
    package func features(of images: [ImageFile]) throws(UserError) -> [ImageFeatures] {
        guard let decoding else { preconditionFailure("step images: features before the step begins") }
        let unknown = unknown(of: images)
        for (image, features) in zip(unknown, try encoder.features(of: unknown.count, from: decoding)) { known[image.content!] = features }
        return images.map { known[$0.content!]! }
    }

    /// Begins to decode the images of the next step.
    package func prepare(_ images: [ImageFile]) {
        decoding = nil
        let unknown = unknown(of: images)
        ahead = (unknown, encoder.decoding(unknown))
    }

    private func unknown(of images: [ImageFile]) -> [ImageFile] { images.filter { known[$0.content!] == nil } }
}
