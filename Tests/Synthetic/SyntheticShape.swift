// The shape of a made-up backbone: its configuration, and the names and shapes of its tensors as in the published checkpoint.

import Files
import Model

/// Sizes of a decoder, and of a vision tower where not the template's is wanted; the projector is that of the template.
///
///     let shape = SyntheticShape.jinaV4(layers: 4)
package struct SyntheticShape: Sendable, Equatable {
    package var layers: Int
    package var hidden: Int
    package var intermediate: Int
    package var heads: Int
    package var keyValueHeads: Int
    /// Rows of the embedding table, at least as many as the tokenizer has ids.
    package var vocabulary: Int
    /// Nil: the template's.
    package var vision: Vision?

    /// Sizes of a vision tower; patches, windows and cells are those of the template.
    package struct Vision: Sendable, Equatable {
        package var depth: Int
        package var hidden: Int
        package var intermediate: Int
        package var heads: Int
        /// Every so many blocks one attends over the whole image.
        package var fullAttentionPeriod: Int

        package init(depth: Int, hidden: Int, intermediate: Int, heads: Int, fullAttentionPeriod: Int) {
            self.depth = depth
            self.hidden = hidden
            self.intermediate = intermediate
            self.heads = heads
            self.fullAttentionPeriod = fullAttentionPeriod
        }

        /// Blocks of jina-embeddings-v4, which has 32 of them.
        package static func jinaV4(depth: Int) -> Vision {
            Vision(depth: depth, hidden: 1280, intermediate: 3420, heads: 16, fullAttentionPeriod: 8)
        }

        fileprivate var config: [(key: String, value: JSONValue)] {
            let full = stride(from: fullAttentionPeriod - 1, to: depth, by: fullAttentionPeriod)
            return [
                ("depth", .integer(Int64(depth))), ("hidden_size", .integer(Int64(hidden))),
                ("intermediate_size", .integer(Int64(intermediate))), ("num_heads", .integer(Int64(heads))),
                ("fullatt_block_indexes", .array(full.map { .integer(Int64($0)) })),
            ]
        }
    }

    package init(layers: Int, hidden: Int, intermediate: Int, heads: Int, keyValueHeads: Int, vocabulary: Int) {
        self.layers = layers
        self.hidden = hidden
        self.intermediate = intermediate
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.vocabulary = vocabulary
    }

    /// Layers of jina-embeddings-v4, which has 36 of them.
    package static func jinaV4(layers: Int) -> SyntheticShape {
        SyntheticShape(layers: layers, hidden: 2048, intermediate: 11008, heads: 16, keyValueHeads: 2, vocabulary: 151_936)
    }

    /// Names every size: two shapes with one name are equal.
    package var name: String {
        let text = "layers-\(layers)-hidden-\(hidden)-intermediate-\(intermediate)-heads-\(heads)-\(keyValueHeads)-vocabulary-\(vocabulary)"
        guard let vision else { return text }
        return text + "-vision-\(vision.depth)-\(vision.hidden)-\(vision.intermediate)-\(vision.heads)-\(vision.fullAttentionPeriod)"
    }

    /// `config.json`: the template's, with these sizes.
    func config(template: JSONValue) -> JSONValue {
        var (root, text) = (template.objectValue ?? JSONObject(), template["text_config"]?.objectValue ?? JSONObject())
        let sizes = [
            "num_hidden_layers": layers, "hidden_size": hidden, "intermediate_size": intermediate, "num_attention_heads": heads,
            "num_key_value_heads": keyValueHeads, "vocab_size": vocabulary,
        ]
        for (key, size) in sizes.sorted(by: { $0.key < $1.key }) { text[key] = .integer(Int64(size)) }
        // Time has a quarter of a head's slots, height and width share the rest: [16, 24, 24] in the published model.
        let slots = hidden / max(heads, 1) / 2
        let sections = [slots / 4, (slots - slots / 4) / 2, slots - slots / 4 - (slots - slots / 4) / 2]
        text["rope_scaling"] = ["rope_type": "default", "type": "default", "mrope_section": numbers(sections)]
        root["text_config"] = .object(text)
        root["matryoshka_dims"] = numbers([16, 8, 4, 2, 1].map { hidden / $0 })
        var tower = template["vision_config"]?.objectValue ?? JSONObject()
        for (key, value) in vision?.config ?? [] { tower[key] = value }
        tower["out_hidden_size"] = .integer(Int64(hidden))
        root["vision_config"] = .object(tower)
        return .object(root)
    }

    private func numbers(_ values: [Int]) -> JSONValue { .array(values.map { .integer(Int64($0)) }) }

    /// All tensors in the order of the modules, by which they are spread over the shards.
    func tensors(_ config: ModelConfig) -> [SyntheticTensor] {
        let (query, keyValue) = (hidden, hidden / heads * keyValueHeads)
        var tensors = config.vision?.syntheticTensors ?? []
        tensors.append(SyntheticTensor("model.embed_tokens.weight", [vocabulary, hidden]))
        for layer in 0..<layers {
            tensors += [
                ("input_layernorm.weight", [hidden]),
                ("self_attn.q_proj.weight", [query, hidden]), ("self_attn.q_proj.bias", [query]),
                ("self_attn.k_proj.weight", [keyValue, hidden]), ("self_attn.k_proj.bias", [keyValue]),
                ("self_attn.v_proj.weight", [keyValue, hidden]), ("self_attn.v_proj.bias", [keyValue]),
                ("self_attn.o_proj.weight", [hidden, query]),
                ("post_attention_layernorm.weight", [hidden]),
                ("mlp.gate_proj.weight", [intermediate, hidden]), ("mlp.up_proj.weight", [intermediate, hidden]),
                ("mlp.down_proj.weight", [hidden, intermediate]),
            ].map { SyntheticTensor("model.layers.\(layer).\($0)", $1) }
        }
        tensors.append(SyntheticTensor("model.norm.weight", [hidden]))
        tensors.append(SyntheticTensor("multi_vector_projector.weight", [config.projectorDimension, hidden]))
        tensors.append(SyntheticTensor("multi_vector_projector.bias", [config.projectorDimension]))
        return tensors
    }
}

/// A tensor to be made, bfloat16.
struct SyntheticTensor {
    let name: String
    let shape: [Int]

    init(_ name: String, _ shape: [Int]) {
        self.name = name
        self.shape = shape
    }

    var count: Int { shape.reduce(1, *) }
    var bytes: Int { 2 * count }
    /// Weights of norms are ones.
    var isNorm: Bool { [".norm1.weight", ".norm2.weight", "norm.weight", ".ln_q.weight"].contains { name.hasSuffix($0) } }
}

extension ModelConfig.Vision {
    fileprivate var syntheticTensors: [SyntheticTensor] {
        let merged = hiddenSize * spatialMergeSize * spatialMergeSize
        var tensors = [
            ("patch_embed.proj.weight", [hiddenSize, inChannels, temporalPatchSize, patchSize, patchSize]),
            ("merger.ln_q.weight", [hiddenSize]),
            ("merger.mlp.0.weight", [merged, merged]), ("merger.mlp.0.bias", [merged]),
            ("merger.mlp.2.weight", [outHiddenSize, merged]), ("merger.mlp.2.bias", [outHiddenSize]),
        ]
        for block in 0..<depth {
            tensors += [
                ("norm1.weight", [hiddenSize]), ("norm2.weight", [hiddenSize]),
                ("attn.qkv.weight", [3 * hiddenSize, hiddenSize]), ("attn.qkv.bias", [3 * hiddenSize]),
                ("attn.proj.weight", [hiddenSize, hiddenSize]), ("attn.proj.bias", [hiddenSize]),
                ("mlp.gate_proj.weight", [intermediateSize, hiddenSize]), ("mlp.gate_proj.bias", [intermediateSize]),
                ("mlp.up_proj.weight", [intermediateSize, hiddenSize]), ("mlp.up_proj.bias", [intermediateSize]),
                ("mlp.down_proj.weight", [hiddenSize, intermediateSize]), ("mlp.down_proj.bias", [hiddenSize]),
            ].map { ("blocks.\(block).\($0)", $1) }
        }
        return tensors.map { SyntheticTensor("visual.\($0)", $1) }
    }
}
