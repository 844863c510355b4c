// Adapters that must not be read as something else: each fault with its key or tensor.

import Files
import Foundation
import Model
import Support
import Testing

struct AdapterRefusalTests {
    private typealias Tensors = [TinyCheckpoint.StoredTensor]

    private let golden = PackagePath.golden("text/nested-f32")

    /// Reads a changed copy of a golden adapter.
    @discardableResult
    private func read(_ part: String, _ settings: [String: JSONValue?] = [:], tensors change: (inout Tensors) -> Void = { _ in }) throws
        -> AdapterSet
    {
        let folder = try TemporaryFolder()
        var tensors = try TinyCheckpoint.tensors(of: "\(golden)/\(part)/adapter_model.safetensors")
        change(&tensors)
        try TinyCheckpoint.write(tensors, to: folder.path("adapter_model.safetensors"))
        var config = try #require(try JSONValue.parse(file: "\(golden)/\(part)/adapter_config.json").objectValue)
        for (key, value) in settings { config[key] = value }
        try folder.write("adapter_config.json", JSONValue.object(config).serialized())
        return try AdapterFile.read(folder.path, config: ModelConfig.read(folder: golden + "/model"))
    }

    @Test(
        "other methods than plain LoRA are refused by name",
        arguments: [
            ("peft_type", "IA3"), ("use_dora", true), ("use_qalora", true), ("lora_bias", true), ("bias", "all"),
            ("fan_in_fan_out", true), ("modules_to_save", ["embed_tokens"]), ("use_rslora", "yes"), ("rank_pattern", [4]),
            ("alpha_pattern", 2),
            ("layer_replication", [[0, 2]]), ("trainable_token_indices", [1]), ("target_parameters", ["experts"]),
            ("megatron_config", ["a": 1]),
            ("loftq_config", ["bits": 4]), ("init_lora_weights", "pissa"), ("init_lora_weights", "olora"), ("alora_invocation_tokens", [1]),
            ("a_method_of_tomorrow", "on"), ("r", 0), ("r", nil), ("r", "8"), ("lora_alpha", nil), ("lora_alpha", 0), ("lora_dropout", 1),
        ] as [(String, JSONValue)])
    func settings(_ key: String, _ value: JSONValue) throws {
        expectUserError(.content, "adapter_config.json: \(key) is ") { try read("published", [key: value]) }
    }

    @Test(
        "ranks and scales of some linears that cannot be",
        arguments: [
            ("rank_pattern", "q_proj", 0, "is 0"), ("rank_pattern", "q_proj", 2.5, "is 2.5"), ("rank_pattern", "q_proj", "4", "is \"4\""),
            ("alpha_pattern", "q_proj", 0, "is 0"), ("alpha_pattern", "q_proj", [], "is []"), ("alpha_pattern", "(q", 4, "is no regular"),
        ] as [(String, String, JSONValue, String)])
    func patterns(_ key: String, _ pattern: String, _ value: JSONValue, _ sentence: String) throws {
        var object = JSONObject()
        object[pattern] = value
        expectUserError(.content, "adapter_config.json: \(key).\(pattern) \(sentence)") { try read("published", [key: .object(object)]) }
    }

    @Test("a rank that its tensors do not have")
    func narrow() throws {
        expectUserError(.content, "self_attn.q_proj.lora_A", "has the shape [8, 96]", "[4, 96]") {
            try read("published", ["rank_pattern": ["q_proj": 4]])
        }
    }

    @Test("a vision tower that was trained, or half saved")
    func tower() throws {
        let name = "base_model.model.model.visual.blocks.0.mlp.up_proj"
        func factor(_ part: String, _ bytes: [UInt8]) -> TinyCheckpoint.StoredTensor {
            .init(name: "\(name).lora_\(part).weight", dtype: .f32, shape: [2, bytes.count / 8], bytes: bytes)
        }
        let (a, zero) = (
            factor("A", Array(1...16)), factor("B", [UInt8](repeating: 0, count: 7) + [0x80] + [UInt8](repeating: 0, count: 8))
        )
        let set = try read("peft", tensors: { $0 += [a, zero] })
        #expect(set.layout.pairs.count == 21 && set.notices.count == 1)
        #expect(set.notices.first?.contains("its 2 tensors for the vision tower are left out; their B is zero") == true)
        let untouched = try read("peft")
        expectSameBits(set.tasks[0].values, untouched.tasks[0].values, "without the tower")
        #expect(untouched.notices.isEmpty)
        for tensors in [[a], [factor("B", Array(1...16))], [a, factor("B", [UInt8](repeating: 0, count: 15) + [0x3F])]] {
            expectUserError(.content, "tensor \"\(name).lora_", "adapts the vision tower, which is frozen here") {
                try read("peft", tensors: { $0 += tensors })
            }
        }
    }

    @Test("settings that change nothing are read over")
    func harmless() throws {
        let set = try read(
            "published", ["peft_version": "0.99", "revision": "main", "init_lora_weights": "eva", "a_method_of_tomorrow": false])
        #expect(set.initialization == .kaiming)
    }

    @Test("factors that are missing, of another shape or type, or not finite")
    func factors() throws {
        let name = "base_model.model.model.language_model.layers.1.mlp.up_proj.lora_B.code.weight"
        func changing(_ change: (inout TinyCheckpoint.StoredTensor) -> Void) throws {
            try read("published") { tensors in
                let i = tensors.firstIndex { $0.name == name }!
                change(&tensors[i])
            }
        }
        expectUserError(.content, "adapter_model.safetensors", "holds no tensor \"\(name)\"") {
            try read("published") { $0.removeAll { $0.name == name } }
        }
        expectUserError(.content, "tensor \"\(name)\" has the shape [8, 104]", "[104, 8]") { try changing { $0.shape.reverse() } }
        expectUserError(.content, "tensor \"\(name)\" is of type I32") { try changing { $0.dtype = .i32 } }
        expectUserError(.content, "tensor \"\(name)\" holds a value that is not finite") {
            try changing { $0.bytes.replaceSubrange(4..<8, with: [0, 0, 0xC0, 0x7F]) }
        }
        // The rank of the configuration does not fit the tensors; nothing may be sized by it.
        expectUserError(.content, "has the shape [8, 96]", "[65536, 96]") { try read("published", ["r": 65536]) }
        expectUserError(.content, "holds no tensors") { try read("published") { $0 = [] } }
    }

    @Test("tensors of another model, another method, or twice")
    func names() throws {
        func adding(_ name: String) throws {
            try read("published") { tensors in
                var extra = tensors[0]
                extra.name = name
                tensors.append(extra)
            }
        }
        let layer = "base_model.model.model.language_model.layers."
        expectUserError(.content, "is for layer 3, but the model has 3") { try adding(layer + "3.mlp.up_proj.lora_A.code.weight") }
        expectUserError(.content, "adapts the vision tower") {
            try adding("base_model.model.model.visual.blocks.0.attn.qkv.lora_A.code.weight")
        }
        expectUserError(.content, "with and without a task") { try adding(layer + "1.mlp.up_proj.lora_A.weight") }
        expectUserError(.content, "stands there already as") { try adding(layer + "1.mlp.up_proj.lora_A.default.code.weight") }
        for name in [
            "", "lora_A.weight", "x", "base_model.model.lora_A.weight", layer + "1.mlp.up_proj.lora_A.code.bias",
            layer + "01.mlp.up_proj.lora_A.weight",
            layer + "-1.mlp.up_proj.lora_A.weight", layer + "1.mlp.lora_A.weight", layer + "1.mlp.up_proj.lora_A.a.b.weight",
            layer + "1.mlp.up_proj.lora_magnitude_vector", "base_model.model.model.embed_tokens.lora_embedding_A.weight",
            "base_model.model.lm_head.lora_A.weight", layer + "99999999999999999999.mlp.up_proj.lora_A.weight",
        ] {
            // The sentence lists what is known.
            expectUserError(
                .content, "tensor \(quoted(name)) is no LoRA factor of this model", "model.language_model.layers, model.layers",
                "language_model.model.layers"
            ) { try adding(name) }
        }
    }

    @Test("target_modules against the tensors")
    func targetModules() throws {
        let all: JSONValue = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
        #expect(try read("peft", ["target_modules": all]).layout.pairs.count == 21)
        #expect(try read("peft", ["target_modules": .null]).layout.pairs.count == 21)
        expectUserError(.content, "adapter_config.json", "target_modules leaves out model.language_model.layers.0.self_attn.k_proj") {
            try read("peft", ["target_modules": ["q_proj"]])
        }
        expectUserError(.content, "target_modules names model.language_model.layers.2.mlp.up_proj, for which the adapter has no tensors") {
            try read("peft", ["target_modules": all]) { $0.removeAll { $0.name.contains("layers.2.mlp.up_proj") } }
        }
        expectUserError(.content, "target_modules names multi_vector_projector") {
            try read("published") { $0.removeAll { $0.name.contains("multi_vector_projector") } }
        }
        let upper = try read("peft", ["target_modules": all, "layers_to_transform": [1, 2]]) {
            $0.removeAll { $0.name.contains("layers.0.") }
        }
        #expect(upper.layout.pairs.count == 14)
        expectUserError(.content, "target_modules leaves out model.language_model.layers.0.") {
            try read("peft", ["target_modules": all, "layers_to_transform": 2])
        }
    }

    @Test("where adapters lie")
    func sources() throws {
        let folder = try TemporaryFolder()
        func copy(_ part: String, to name: String) throws {
            try FileManager.default.createDirectory(
                atPath: URL(fileURLWithPath: folder.path(name)).deletingLastPathComponent().path, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: "\(golden)/\(part)", toPath: folder.path(name))
        }
        expectUserError(.missing, folder.path("none"), "no such folder") { _ = try AdapterSource.find(folder.path("none")) }
        expectUserError(.missing, folder.path, "holds no adapter_model.safetensors") { _ = try AdapterSource.find(folder.path) }
        #expect(try AdapterSource.ofModel(folder.path) == nil)
        try folder.write("adapter_model.bin", "PK")
        expectUserError(.missing, "save the adapter again with safetensors") { _ = try AdapterSource.find(folder.path) }

        try copy("published", to: "run/checkpoints/step-9")
        try copy("published", to: "run/checkpoints/step-10")
        expectUserError(.missing, "its newest checkpoint is \(folder.path("run/checkpoints/step-10"))") {
            _ = try AdapterSource.find(folder.path("run"))
        }
        #expect(try AdapterSource.find(folder.path("run/checkpoints/step-9")).folder == folder.path("run/checkpoints/step-9"))
        try copy("peft", to: "run/peft/code")
        expectUserError(.missing, "such as \(folder.path("run/peft"))/code") { _ = try AdapterSource.find(folder.path("run/peft")) }
        expectUserError(.missing, "name the folder that holds it") {
            _ = try AdapterSource.find(folder.path("run/peft/code/adapter_model.safetensors"))
        }
        try copy("published", to: "model/adapters")
        #expect(try AdapterSource.find(folder.path("model")).folder == folder.path("model/adapters"))
        #expect(try AdapterSource.ofModel(folder.path("model"))?.folder == folder.path("model/adapters"))
        try FileManager.default.removeItem(atPath: folder.path("model/adapters/adapter_config.json"))
        expectUserError(.missing, "model/adapters/adapter_config.json", "no such file, though") {
            _ = try AdapterSource.ofModel(folder.path("model"))
        }
    }
}
