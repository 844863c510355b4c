// A projector beside an adapter, `multi_vector_projector.safetensors`: late vectors of a backbone that brings none cannot be made
// again without it.

import Files
import Foundation
import Tensor

/// Reads and writes the projector in an adapter's folder, under the names and shapes that it has in a backbone, float32.
package enum ProjectorFile {
    package static let name = "multi_vector_projector.safetensors"

    /// - Returns: nil when the folder has none
    /// - Throws: `UserError` `.content` naming the tensor that is absent, superfluous, of another shape, or not finite
    package static func read(folder: String, _ config: ModelConfig) throws(UserError) -> Projector? {
        let path = folder + "/" + name
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        var tensors = try TensorTable([SafetensorsFile(path: path)], path: path)
        let projector = try Projector(&tensors, config)
        try tensors.expectEmpty()
        guard (projector.weight.widened() + projector.bias).allSatisfy(\.isFinite) else {
            throw UserError(.content, path, "holds a value that is not finite; the projector is unusable")
        }
        return projector
    }

    static func write(_ projector: Projector, to folder: String) throws(UserError) {
        try SafetensorsWriter.write(tensors(projector), metadata: metadata, to: folder + "/" + name)
    }

    /// Into a folder that appears as a whole.
    static func write(_ projector: Projector, into folder: borrowing PendingFolder) throws(UserError) -> OutputFile.Summary {
        var file = try folder.createFile(name, expectedSize: (projector.weight.count + projector.bias.count) * 4)
        try SafetensorsWriter.write(tensors(projector), metadata: metadata, into: &file)
        return try file.finish()
    }

    private static let metadata = ["format": "pt"]

    private static func tensors(_ projector: Projector) -> [SafetensorsWriter.Tensor] {
        let weight = projector.weight
        return [
            (Projector.weightName, .f32, [weight.rows, weight.columns], TensorContent(weight.widened())),
            (Projector.biasName, .f32, [projector.bias.count], TensorContent(projector.bias)),
        ]
    }
}
