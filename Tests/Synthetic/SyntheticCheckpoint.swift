// A checkpoint of any shape with random weights, in the published layout: for measuring and testing with shapes whose real
// weights are too large to be here. Made once; a folder that holds the same already is left as it is.

import Files
import Foundation
import Model

/// Use: `try SyntheticCheckpoint.make(.jinaV4(layers: 4), template: "examples/jina-tiny", in: folder)`.
package enum SyntheticCheckpoint {
    /// Bytes of tensors in a weight file at most, as in the published checkpoint.
    package static let shardBytes = 5_000_000_000

    private static let seed: UInt64 = 1
    /// Says what the folder holds; empty until the folder is whole.
    private static let record = "synthetic.json"

    /// - Parameters:
    ///   - template: the folder whose tokenizer, vision tower and special tokens the checkpoint takes over
    ///   - folder: is created, or replaced when an earlier call has made it with another shape
    /// - Returns: whether it had to be made
    /// - Throws: `UserError` `.content` when the shape is none that a model can have; `.output` when `folder` holds anything else,
    ///   or cannot be written
    @discardableResult
    package static func make(
        _ shape: SyntheticShape, template: String, in folder: String, shardBytes: Int = shardBytes
    ) throws(UserError) -> Bool {
        let config = shape.config(template: try JSONValue.parse(file: template + "/config.json")).serialized(pretty: true)
        let wanted: JSONValue = ["config": .string(String(decoding: config, as: UTF8.self)), "shard_bytes": .integer(Int64(shardBytes))]
        let path = folder + "/" + record
        if FileManager.default.fileExists(atPath: path), try MappedFile(path: path).copied() == wanted.serialized() { return false }
        try clear(folder)
        try AtomicWrite.write(config, to: folder + "/config.json")
        let tensors = shape.tensors(try ModelConfig.read(folder: folder))
        for name in ["tokenizer.json", "tokenizer_config.json"] {
            try AtomicWrite.write(try MappedFile(path: template + "/" + name).copied(), to: folder + "/" + name)
        }
        try writeShards(tensors, shardBytes, folder)
        try AtomicWrite.write(wanted.serialized(), to: path)
        return true
    }

    /// Claims an empty folder, or one that an earlier call has claimed, by an empty record.
    private static func clear(_ folder: String) throws(UserError) {
        let files = FileManager.default
        let names = (try? files.contentsOfDirectory(atPath: folder)) ?? []
        guard names.isEmpty || names.contains(record) else {
            throw UserError(.output, folder, "holds other files than those of a synthetic checkpoint; name a new folder")
        }
        do {
            if !names.isEmpty { try files.removeItem(atPath: folder) }
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw UserError(.output, folder, "cannot be made anew: \(error.localizedDescription); name another folder")
        }
        try AtomicWrite.write([], to: folder + "/" + record)
    }

    /// One file, or several with an index.
    private static func writeShards(_ tensors: [SyntheticTensor], _ limit: Int, _ folder: String) throws(UserError) {
        var shards: [[SyntheticTensor]] = [[]]
        var size = 0
        for tensor in tensors {
            if size > 0 && size + tensor.bytes > limit {
                shards.append([])
                size = 0
            }
            shards[shards.count - 1].append(tensor)
            size += tensor.bytes
        }
        guard shards.count > 1 else { return try SyntheticWeights(shards[0], seed).write(to: folder + "/model.safetensors") }
        var map = JSONObject()
        for (number, shard) in shards.enumerated() {
            let name = "model-\(padded(number + 1))-of-\(padded(shards.count)).safetensors"
            try SyntheticWeights(shard, seed).write(to: folder + "/" + name)
            for tensor in shard { map[tensor.name] = .string(name) }
        }
        let total = Int64(tensors.reduce(0) { $0 + $1.bytes })
        let index: JSONValue = ["metadata": ["total_size": .integer(total)], "weight_map": .object(map)]
        try AtomicWrite.write(index.serialized(pretty: true), to: folder + "/model.safetensors.index.json")
    }

    private static func padded(_ number: Int) -> String { String(format: "%05d", number) }
}
