// Which safetensors files a backbone consists of: `model.safetensors`, or several with an index that says which tensor lies
// where. The index is held against the files both ways, so that a shard of another download is noticed.

import Files
import Foundation

struct CheckpointFiles {
    let files: [SafetensorsFile]
    /// The one file, or the index: named when a tensor is missing.
    let path: String

    /// - Throws: `UserError` `.missing` when there are no weights or a shard is absent; `.content` when index and shards disagree
    init(folder: String) throws(UserError) {
        let single = folder + "/model.safetensors"
        let index = folder + "/model.safetensors.index.json"
        if FileManager.default.fileExists(atPath: single) {
            files = [try SafetensorsFile(path: single)]
            path = single
        } else if FileManager.default.fileExists(atPath: index) {
            files = try Self.shards(index, folder: folder)
            path = index
        } else {
            let pickle = FileManager.default.fileExists(atPath: folder + "/pytorch_model.bin")
            let reason = pickle ? "; pytorch_model.bin may run code when it is read and is not: convert it to safetensors" : ""
            throw UserError(.missing, folder, "holds neither model.safetensors nor model.safetensors.index.json\(reason)")
        }
    }

    private static func shards(_ index: String, folder: String) throws(UserError) -> [SafetensorsFile] {
        guard case .object(let map) = try JSONValue.parse(file: index)["weight_map"] else {
            throw UserError(.content, index, "has no weight_map; expected the file of each tensor: download the index again")
        }
        var tensors: [(name: String, file: String)] = []
        for (name, value) in map.entries {
            guard let file = value.stringValue, isPlainName(file) else {
                throw UserError(
                    .content, index, "does not give tensor \(quoted(name)) the plain name of a .safetensors file; download the index again")
            }
            tensors.append((name, file))
        }
        guard !tensors.isEmpty else { throw UserError(.content, index, "lists no tensors; download the index again") }

        var shards: [String: SafetensorsFile] = [:]
        for file in Set(tensors.map(\.file)).sorted() { shards[file] = try shard(file, index, folder) }
        for (name, file) in tensors where shards[file]?[name] == nil {
            throw UserError(.content, index, "puts tensor \(quoted(name)) into \(file), which does not hold it; download both again")
        }
        for (file, shard) in shards {
            for entry in shard.entries where map[entry.name]?.stringValue != file {
                let other = map[entry.name]?.stringValue.map { "is put into \($0) by the index" } ?? "is not listed in the index"
                throw UserError(.content, shard.path, "tensor \(quoted(entry.name)) \(other); download both again")
            }
        }
        return shards.sorted { $0.key < $1.key }.map(\.value)
    }

    private static func shard(_ file: String, _ index: String, _ folder: String) throws(UserError) -> SafetensorsFile {
        let path = folder + "/" + file
        guard FileManager.default.fileExists(atPath: path) else {
            throw UserError(.missing, path, "no such file, though \(index) lists it; download this shard, too")
        }
        return try SafetensorsFile(path: path)
    }

    private static func isPlainName(_ file: String) -> Bool {
        file.utf8.count <= 255 && file.hasSuffix(".safetensors")
            && file.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
    }
}
