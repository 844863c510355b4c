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
            throw UserError(.missing, folder, "holds neither model.safetensors nor model.safetensors.index.json\(Self.hint(for: folder))")
        }
    }

    /// What the folder holds in place of weights.
    private static func hint(for folder: String) -> String {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        if names.contains("pytorch_model.bin") {
            return "; pytorch_model.bin may run code when it is read and is not: convert it to safetensors"
        }
        if let name = names.sorted().first(where: { $0.lowercased().hasSuffix(".gguf") }) {
            return "; \(name) holds weights in another format, mostly quantised: name the model's folder with safetensors files"
        }
        if names.contains("adapter_model.safetensors") {
            return "; it holds an adapter: name its backbone here, and this folder as the adapter"
        }
        return ""
    }

    /// Endings of tensors that only quantised weights have, and what writes them.
    private static let quantisedEndings = [
        (".qweight", "GPTQ or AWQ"), (".qzeros", "GPTQ or AWQ"), (".g_idx", "GPTQ"), (".weight_scale_inv", "FP8"),
        (".weight_scale", "FP8 or another format with scales"), (".weight_packed", "compressed-tensors"),
        (".weight.absmax", "bitsandbytes"), (".weight_format", "bitsandbytes"), (".SCB", "bitsandbytes"),
    ]

    /// Weights without a word in config.json about it, as older tools wrote them.
    /// - Throws: `UserError` `.content` naming a tensor that only quantised weights have
    func refuseQuantised() throws(UserError) {
        for file in files {
            for entry in file.entries {
                guard let (_, format) = Self.quantisedEndings.first(where: { entry.name.hasSuffix($0.0) }) else { continue }
                throw UserError(
                    .content, file.path,
                    "tensor \(quoted(entry.name)) is of quantised weights (\(format)), which are not read; "
                        + "take the model's own weights in bfloat16, float16 or float32")
            }
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
