// A checkpoint of a few kilobytes with random weights, in the published layout. Tests change it before they write it: a key of
// the configuration, a tensor's name, shape or type, the number of shards.

import Files
import Foundation
import Tensor

/// Use: `try TinyCheckpoint().setting("text_config.vocab_size", 7).write(to: folder)`.
package struct TinyCheckpoint {
    package struct StoredTensor {
        package var name: String
        package var dtype: SafetensorsDType
        package var shape: [Int]
        package var bytes: [UInt8]

        package init(name: String, dtype: SafetensorsDType, shape: [Int], bytes: [UInt8]) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
            self.bytes = bytes
        }
    }

    package var config: JSONValue
    package var tensors: [StoredTensor]

    package static let (hidden, layers, heads, keyValueHeads, intermediate, vocabulary) = (32, 2, 4, 2, 48, 40)
    package static let (visionHidden, visionDepth, visionIntermediate) = (16, 2, 24)
    package static let projectorDimension = 8

    /// bfloat16, one file, old names, nested configuration.
    ///
    /// - Parameter vocabulary: rows of the embedding table; a tokenizer of that size fits
    package init(seed: UInt64 = 1, vocabulary: Int = TinyCheckpoint.vocabulary) {
        config = Self.publishedConfig
        let random = RandomStream(seed).stream("tiny checkpoint")
        tensors = (Self.textShapes(vocabulary) + Self.visionShapes + Self.projectorShapes).map { name, shape in
            let stream = random.stream(name)
            let values = (0..<shape.reduce(1, *)).map { BFloat16(rounding: Float(stream.gaussian(at: $0)) * 0.2) }
            return StoredTensor(name: name, dtype: .bf16, shape: shape, bytes: values.withUnsafeBytes { Array($0) })
        }
        self = setting("text_config.vocab_size", .integer(Int64(vocabulary)))
    }

    /// Changes a key of config.json, such as `text_config.hidden_size`; nil removes it.
    package func setting(_ key: String, _ value: JSONValue?) -> TinyCheckpoint {
        func changed(_ object: JSONValue, _ keys: ArraySlice<Substring>) -> JSONValue {
            var members = object.objectValue ?? JSONObject()
            let key = String(keys.first!)
            members[key] = keys.count == 1 ? value : changed(members[key] ?? [:], keys.dropFirst())
            return .object(members)
        }
        var copy = self
        copy.config = changed(config, key.split(separator: ".")[...])
        return copy
    }

    /// Changes the tensors.
    package func changing(_ change: (inout [StoredTensor]) -> Void) -> TinyCheckpoint {
        var copy = self
        change(&copy.tensors)
        return copy
    }

    package func renaming(_ rename: (String) -> String) -> TinyCheckpoint {
        changing { for i in $0.indices { $0[i].name = rename($0[i].name) } }
    }

    /// The same values in another type, rounded where it is narrower.
    package func converted(to dtype: SafetensorsDType) -> TinyCheckpoint {
        changing { tensors in
            for i in tensors.indices {
                let floats = tensors[i].bytes.withUnsafeBytes { bytes in
                    (0..<bytes.count / 2).map {
                        Float(bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)) << 16)
                    }
                }
                tensors[i].dtype = dtype
                tensors[i].bytes =
                    dtype == .f16 ? floats.map { Float16($0) }.withUnsafeBytes { Array($0) } : floats.withUnsafeBytes { Array($0) }
            }
        }
    }

    /// - Parameter shards: above one, with an index
    package func write(to folder: String, shards: Int = 1) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(config.serialized(pretty: true)).write(to: URL(fileURLWithPath: folder + "/config.json"))
        guard shards > 1 else { return try Self.write(tensors, to: folder + "/model.safetensors") }
        var map = JSONObject()
        for shard in 0..<shards {
            let name = String(format: "model-%05d-of-%05d.safetensors", shard + 1, shards)
            let share = tensors[tensors.count * shard / shards..<tensors.count * (shard + 1) / shards]
            try Self.write(Array(share), to: folder + "/" + name)
            for tensor in share { map[tensor.name] = .string(name) }
        }
        let index: JSONValue = ["metadata": [:], "weight_map": .object(map)]
        try Data(index.serialized()).write(to: URL(fileURLWithPath: folder + "/model.safetensors.index.json"))
    }

    /// All tensors of a safetensors file, to be changed and written again.
    package static func tensors(of path: String) throws -> [StoredTensor] {
        let file = try SafetensorsFile(path: path)
        return file.entries.map { StoredTensor(name: $0.name, dtype: $0.dtype, shape: $0.shape, bytes: Array(file.bytes(of: $0))) }
    }

    /// Writes tensors as one safetensors file.
    package static func write(_ tensors: [StoredTensor], to path: String) throws {
        let entries = tensors.map { ($0.name, $0.dtype, $0.shape, TensorContent($0.bytes)) }
        try SafetensorsWriter.write(entries, metadata: ["format": "pt"], to: path)
    }

    private static let publishedConfig: JSONValue = [
        "task_names": ["retrieval", "text-matching", "code"], "matryoshka_dims": [8, 16, 32], "multi_vector_projector_dim": 8,
        "image_token_id": 30, "video_token_id": 31, "vision_start_token_id": 32, "vision_end_token_id": 33, "torch_dtype": "bfloat16",
        "text_config": [
            "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 48,
            "hidden_act": "silu", "rms_norm_eps": 1e-6, "max_position_embeddings": 512, "vocab_size": 40, "rope_theta": 1e6,
            "rope_scaling": ["type": "default", "rope_type": "default", "mrope_section": [1, 1, 2]], "use_sliding_window": false,
            "sliding_window": nil,
        ],
        "vision_config": [
            "depth": 2, "hidden_size": 16, "num_heads": 2, "intermediate_size": 24, "hidden_act": "silu", "out_hidden_size": 32,
            "in_channels": 3, "patch_size": 4, "temporal_patch_size": 2, "spatial_merge_size": 2, "window_size": 32,
            "fullatt_block_indexes": [1],
        ],
    ]

    private static func textShapes(_ vocabulary: Int) -> [(String, [Int])] {
        let keyValue = hidden / heads * keyValueHeads
        var shapes = [("model.embed_tokens.weight", [vocabulary, hidden]), ("model.norm.weight", [hidden])]
        for layer in 0..<layers {
            shapes += [
                ("input_layernorm.weight", [hidden]), ("post_attention_layernorm.weight", [hidden]),
                ("self_attn.q_proj.weight", [hidden, hidden]), ("self_attn.q_proj.bias", [hidden]),
                ("self_attn.k_proj.weight", [keyValue, hidden]), ("self_attn.k_proj.bias", [keyValue]),
                ("self_attn.v_proj.weight", [keyValue, hidden]), ("self_attn.v_proj.bias", [keyValue]),
                ("self_attn.o_proj.weight", [hidden, hidden]), ("mlp.gate_proj.weight", [intermediate, hidden]),
                ("mlp.up_proj.weight", [intermediate, hidden]), ("mlp.down_proj.weight", [hidden, intermediate]),
            ].map { ("model.layers.\(layer).\($0)", $1) }
        }
        return shapes
    }

    private static let visionShapes: [(String, [Int])] = {
        let (width, inner, merged) = (visionHidden, visionIntermediate, 4 * visionHidden)
        var shapes = [("patch_embed.proj.weight", [width, 3, 2, 4, 4]), ("merger.ln_q.weight", [width])]
        shapes += [("merger.mlp.0.weight", [merged, merged]), ("merger.mlp.0.bias", [merged])]
        shapes += [("merger.mlp.2.weight", [hidden, merged]), ("merger.mlp.2.bias", [hidden])]
        for block in 0..<visionDepth {
            shapes += [
                ("norm1.weight", [width]), ("norm2.weight", [width]), ("attn.qkv.weight", [3 * width, width]),
                ("attn.qkv.bias", [3 * width]), ("attn.proj.weight", [width, width]), ("attn.proj.bias", [width]),
                ("mlp.gate_proj.weight", [inner, width]), ("mlp.gate_proj.bias", [inner]), ("mlp.up_proj.weight", [inner, width]),
                ("mlp.up_proj.bias", [inner]), ("mlp.down_proj.weight", [width, inner]), ("mlp.down_proj.bias", [width]),
            ].map { ("blocks.\(block).\($0)", $1) }
        }
        return shapes.map { ("visual.\($0)", $1) }
    }()

    private static let projectorShapes = [
        ("multi_vector_projector.weight", [projectorDimension, hidden]), ("multi_vector_projector.bias", [projectorDimension]),
    ]
}
