// Faults in the backbone: its weights, config.json, tokenizer.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct CheckpointRefusalTests {
        static let faults = [
            Refusal("missing folder", 66, "model", backbone: .absent) { _ in [] },
            Refusal("no weights", 66, "model: ", "model.safetensors", backbone: .absent) { project in
                try TinyCheckpoint().write(to: project.path("model"))
                try FileManager.default.removeItem(atPath: project.path("model/model.safetensors"))
                return []
            },
            Refusal("missing shard", 66, "model/model-00002-of-00003.safetensors: ", "download this shard", backbone: .absent) { project in
                try TinyCheckpoint().write(to: project.path("model"), shards: 3)
                try FileManager.default.removeItem(atPath: project.path("model/model-00002-of-00003.safetensors"))
                return []
            },
            Refusal("truncated weights", 65, "model/model.safetensors: ", "download", backbone: .absent) { project in
                try TinyCheckpoint().write(to: project.path("model"))
                let weights = project.path("model/model.safetensors")
                let size = try #require(FileManager.default.attributesOfItem(atPath: weights)[.size] as? Int)
                #expect(truncate(weights, size - 100) == 0)
                return []
            },
            Refusal("header cut short", 65, "model/model.safetensors: ", backbone: .absent) { project in
                try TinyCheckpoint().write(to: project.path("model"))
                #expect(truncate(project.path("model/model.safetensors"), 500) == 0)
                return []
            },
            Refusal(
                "unknown dtype", 65, "model/model.safetensors: ", "\"visual.patch_embed.proj.weight\"", "\"Q4\"", "convert",
                backbone: .absent
            ) {
                try writeModel(in: $0) {
                    $0.replacing(
                        "\"visual.patch_embed.proj.weight\":{\"dtype\":\"BF16\"",
                        with: "\"visual.patch_embed.proj.weight\":{\"dtype\":\"Q4\"")
                }
                return []
            },
            Refusal("unsupported dtype", 65, "model/model.safetensors: ", "\"model.norm.weight\"", "I16", backbone: .absent) { project in
                try write(TinyCheckpoint(), in: project, changing: "model.norm.weight") { $0.dtype = .i16 }
                return []
            },
            Refusal("wrong shape", 65, "model/model.safetensors: ", "\"model.layers.1.mlp.up_proj.weight\"", backbone: .absent) { project in
                try write(TinyCheckpoint(), in: project, changing: "model.layers.1.mlp.up_proj.weight") { $0.shape = [32, 48] }
                return []
            },
            Refusal("missing tensor", 65, "model/model.safetensors: ", "\"model.layers.0.self_attn.k_proj.bias\"", backbone: .absent) {
                project in
                try TinyCheckpoint().changing { $0.removeAll { $0.name == "model.layers.0.self_attn.k_proj.bias" } }
                    .write(to: project.path("model"))
                return []
            },
            Refusal("superfluous tensor", 65, "model/model.safetensors: ", "\"model.layers.7.extra\"", backbone: .absent) { project in
                try TinyCheckpoint().changing {
                    $0.append(.init(name: "model.layers.7.extra", dtype: .f32, shape: [1], bytes: [0, 0, 0, 0]))
                }
                .write(to: project.path("model"))
                return []
            },
            Refusal(
                "overlapping offsets", 65, "model/model.safetensors: tensor ", "overlaps the tensor", "write the file again",
                backbone: .absent
            ) { project in
                try writeModel(in: project) { header in
                    // The second tensor of the data begins where the first does, and the third ends as before.
                    let ranges = header.matches(of: #/"data_offsets":\[(\d+),(\d+)\]/#).map { ($0.range, Int($0.1)!, Int($0.2)!) }
                    let twin = try #require(
                        ranges.first { range in range.1 > 0 && ranges.contains { $0.2 == range.1 && $0.2 - $0.1 == range.2 - range.1 } })
                    let size = twin.2 - twin.1
                    return header.replacingCharacters(in: twin.0, with: "\"data_offsets\":[\(twin.1 - size),\(twin.2 - size)]")
                }
                return []
            },
            Refusal(
                "tokenizer of another vocabulary", 65, "model/tokenizer.json: ", "up to 8213", "40 rows", "take the tokenizer that belongs",
                backbone: .absent
            ) { project in
                try TinyCheckpoint().write(to: project.path("model"))
                try project.link("model/tokenizer.json", to: PackagePath.example("jina-tiny/tokenizer.json"))
                return []
            },
            Refusal("missing tokenizer", 66, "model/tokenizer.json: ", backbone: .absent) { project in
                try TinyCheckpoint().write(to: project.path("model"))
                return []
            },
            Refusal("dimension out of range", 65, "model/config.json: ", "text_config.num_hidden_layers", backbone: .absent) { project in
                try TinyCheckpoint().setting("text_config.num_hidden_layers", -1).write(to: project.path("model"))
                return []
            },
        ]

        @Test(arguments: faults, smallWorlds) func isRefused(fault: Refusal, ranks: Int?) throws {
            try fault.check(ranks: ranks)
        }

        private static func write(
            _ checkpoint: TinyCheckpoint, in project: RunProject, changing name: String,
            _ change: (inout TinyCheckpoint.StoredTensor) -> Void
        ) throws {
            try checkpoint.changing { tensors in
                for index in tensors.indices where tensors[index].name == name { change(&tensors[index]) }
            }.write(to: project.path("model"))
        }

        /// Writes the tiny model with another header before its data.
        private static func writeModel(in project: RunProject, changing change: (String) throws -> String) throws {
            try TinyCheckpoint().write(to: project.path("model"))
            let bytes = try project.folder.bytes("model/model.safetensors")
            let length = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
            let before = String(decoding: bytes[8..<8 + length], as: UTF8.self)
            var header = Array(try change(before).utf8)
            #expect(header != Array(before.utf8))
            header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
            let count = withUnsafeBytes(of: UInt64(header.count)) { Array($0) }
            try project.folder.write("model/model.safetensors", count + header + bytes[(8 + length)...])
        }
    }
}
