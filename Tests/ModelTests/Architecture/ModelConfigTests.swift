// config.json: the spellings that must be read alike, and every value that must be refused.

import Files
import Model
import Support
import Testing

struct ModelConfigTests {
    @Test("jina-tiny: every value, as its config.json has it")
    func jinaTiny() throws {
        let config = try ModelConfig.read(folder: PackagePath.example("jina-tiny"))
        let text = config.text
        #expect([text.hiddenSize, text.layers, text.heads, text.keyValueHeads, text.headDimension] == [256, 6, 4, 2, 64])
        #expect([text.intermediateSize, text.maxPositions, text.vocabularySize] == [768, 8192, 8256])
        #expect(text.normEpsilon == 1e-6 && text.ropeTheta == 1e6 && text.ropeSections == [8, 12, 12])
        let vision = try #require(config.vision)
        #expect([vision.depth, vision.hiddenSize, vision.heads, vision.intermediateSize, vision.outHiddenSize] == [4, 128, 4, 344, 256])
        #expect([vision.inChannels, vision.patchSize, vision.temporalPatchSize, vision.spatialMergeSize] == [3, 14, 2, 2])
        #expect(vision.windowSize == 112 && vision.fullAttentionBlocks == [1, 3])
        #expect(config.taskNames == ["retrieval", "text-matching", "code"])
        #expect(config.matryoshkaDimensions == [32, 64, 128, 256])
        #expect(config.projectorDimension == 128)
        #expect(config.specialTokens.image == 8204 && config.specialTokens.video == 8205)
        #expect(config.specialTokens.visionStart == 8201 && config.specialTokens.visionEnd == 8202)
        #expect(config.maxTokens == 8192)
    }

    @Test("flat keys with rope_scaling of type mrope; nested keys with rope_parameters")
    func spellings() throws {
        let flat = try ModelConfig.read(folder: PackagePath.golden("text/flat-bf16/model")).text
        #expect(flat.hiddenSize == 64 && flat.layers == 2 && flat.vocabularySize == 512 && flat.ropeTheta == 1e6)
        #expect(flat.ropeSections == [2, 3, 3] && flat.normEpsilon == 1e-6)
        let nested = try ModelConfig.read(folder: PackagePath.golden("text/nested-f32/model")).text
        #expect(nested.hiddenSize == 96 && nested.layers == 3 && nested.vocabularySize == 384 && nested.ropeTheta == 10000)
        #expect(nested.ropeSections == [2, 2, 4] && nested.normEpsilon == 1e-5)
    }

    @Test("a plain Qwen2.5-VL file: the published tasks, and the published dimensions that fit")
    func plainBackbone() throws {
        let plain = TinyCheckpoint().setting("task_names", nil).setting("matryoshka_dims", nil).setting("multi_vector_projector_dim", nil)
        let config = try read(plain)
        #expect(config.taskNames == ["retrieval", "text-matching", "code"])
        #expect(config.matryoshkaDimensions == [32])
        #expect(config.projectorDimension == 128)
        let wide = plain.setting("text_config.hidden_size", 800).setting("text_config.rope_scaling.mrope_section", [20, 40, 40])
        #expect(try read(wide.setting("vision_config", nil)).matryoshkaDimensions == [128, 256, 512, 800])
    }

    @Test("a null counts as absent, and dimensions are put in order")
    func nulls() throws {
        let config = try read(TinyCheckpoint().setting("image_token_id", .null).setting("matryoshka_dims", [32, 8]))
        #expect(config.specialTokens.image == nil && config.matryoshkaDimensions == [8, 32])
        #expect(try read(TinyCheckpoint().setting("vision_config", .null)).vision == nil)
    }

    @Test(
        "a key that must be there and is not is named",
        arguments: [
            "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size", "rms_norm_eps",
            "max_position_embeddings", "vocab_size", "rope_theta", "rope_scaling", "rope_scaling.mrope_section",
        ].map { "text_config." + $0 }
            + [
                "depth", "hidden_size", "num_heads", "intermediate_size", "out_hidden_size", "patch_size", "temporal_patch_size",
                "spatial_merge_size", "window_size", "fullatt_block_indexes",
            ].map { "vision_config." + $0 })
    func missingKey(_ key: String) throws {
        expectUserError(.content, "config.json: \(key) is missing") { _ = try read(TinyCheckpoint().setting(key, nil)) }
    }

    @Test(
        "a value that cannot be is named with what is expected",
        arguments: [
            ("text_config.hidden_size", 0, "expected a whole number from 2 to 65536"),
            ("text_config.hidden_size", -32, "is -32"),
            ("text_config.hidden_size", 32.5, "is 32.5"),
            ("text_config.hidden_size", "32", "is \"32\""),
            ("text_config.hidden_size", 36, "num_attention_heads is 4"),
            ("text_config.num_hidden_layers", 100_000, "from 1 to 1024"),
            ("text_config.num_hidden_layers", 9_223_372_036_854_775_807, "from 1 to 1024"),
            ("text_config.num_key_value_heads", 3, "does not divide num_attention_heads 4"),
            ("text_config.vocab_size", 4_000_000_000, "from 1 to 16777216"),
            ("text_config.head_dim", 16, "hidden_size / num_attention_heads is 8"),
            ("text_config.rms_norm_eps", 0, "from 1e-12 to 0.1"),
            ("text_config.rope_theta", -1, "rope_theta is -1"),
            ("text_config.rope_scaling", [1], "expected an object"),
            ("text_config.rope_scaling.type", "yarn", "is \"yarn\"; this version knows \"default\" and \"mrope\""),
            ("text_config.rope_scaling.rope_type", "dynamic", "is \"dynamic\""),
            ("text_config.rope_scaling.mrope_section", [1, 1, 3], "adds up to 5; expected half the head width, 4"),
            ("text_config.rope_scaling.mrope_section", [2, 2], "a list of 3 whole numbers"),
            ("text_config.hidden_act", "gelu", "is \"gelu\"; this version knows \"silu\""),
            ("text_config.use_sliding_window", true, "sliding window"),
            ("text_config.layer_types", ["full_attention", "sliding_attention"], "names \"sliding_attention\""),
            ("vision_config.num_heads", 3, "num_heads is 3"),
            ("vision_config.out_hidden_size", 64, "the text decoder's hidden_size is 32"),
            ("vision_config.fullatt_block_indexes", [2], "from 0 to 1"),
            ("vision_config.window_size", 7, "less than one token's 8"),
            ("vision_config.hidden_act", "quick_gelu", "is \"quick_gelu\""),
            ("task_names", [], "task_names"),
            ("task_names", ["a", "a"], "different names"),
            ("task_names", ["a/b"], "task_names"),
            ("task_names", ["default"], "task_names"),
            ("task_names", [1], "a list of strings"),
            ("matryoshka_dims", [64], "from 1 to 32"),
            ("matryoshka_dims", [8, 8], "twice"),
            ("matryoshka_dims", [], "matryoshka_dims"),
            ("multi_vector_projector_dim", 0, "from 1 to 65536"),
            ("image_token_id", 40, "from 0 to 39"),
        ] as [(String, JSONValue, String)])
    func badValue(_ key: String, _ value: JSONValue, _ expected: String) throws {
        let place = key.split(separator: ".").first.map {
            $0 == "text_config" || $0 == "vision_config" ? "config.json: \($0)." : "config.json: "
        }
        expectUserError(.content, try #require(place), expected) { _ = try read(TinyCheckpoint().setting(key, value)) }
    }

    @Test("the families that are read", arguments: ["qwen2_5_vl", "qwen2_5_vl_text", "jina_embeddings_v4", nil])
    func families(_ type: String?) throws {
        let checkpoint = TinyCheckpoint().setting("model_type", type.map { .string($0) })
        #expect(try read(checkpoint).text.hiddenSize == 32)
        #expect(try read(checkpoint.setting("architectures", ["Qwen2_5_VLForConditionalGeneration"])).text.layers == 2)
    }

    @Test(
        "another family is named",
        arguments: [
            ("qwen2", "a Qwen2 or Qwen2.5 text model"), ("qwen2_vl", "a Qwen2-VL model"), ("qwen3", "a Qwen3 text model"),
            ("qwen3_vl", "a Qwen3-VL model"), ("bert", "a BERT model"), ("xlm-roberta", "an XLM-RoBERTa model"),
            ("llama", "a Llama model"), ("qwen3_vl_moe", "a Qwen3-VL model with experts"), ("a_model_of_tomorrow", "which is not read"),
        ])
    func otherFamilies(_ type: String, _ words: String) throws {
        // With every key that is read, and with none.
        for checkpoint in [TinyCheckpoint(), TinyCheckpoint().setting("text_config", nil).setting("vision_config", nil)] {
            expectUserError(.content, "config.json: model_type is \"\(type)\"", words, "Qwen2.5-VL-3B-Instruct") {
                _ = try read(checkpoint.setting("model_type", .string(type)))
            }
        }
        expectUserError(.content, "config.json: architectures names \"BertModel\", which is not read") {
            _ = try read(TinyCheckpoint().setting("architectures", ["BertModel"]))
        }
    }

    @Test(
        "a quantisation is named",
        arguments: [
            ("quantization_config", ["quant_method": "gptq", "bits": 4, "group_size": 128], "quantised by GPTQ to 4 bits"),
            ("quantization_config", ["quant_method": "awq", "bits": 4, "zero_point": true], "quantised by AWQ to 4 bits"),
            ("quantization_config", ["quant_method": "fp8", "activation_scheme": "dynamic"], "quantised by FP8;"),
            ("quantization_config", ["quant_method": "bitsandbytes", "load_in_4bit": true], "quantised by bitsandbytes;"),
            ("quantization_config", ["quant_method": "compressed-tensors"], "quantised by compressed-tensors;"),
            ("quantization_config", ["quant_method": "of-tomorrow"], "quantised by \"of-tomorrow\";"),
            ("quantization_config", ["bits": 8], "quantised to 8 bits"), ("compression_config", [:], "are quantised;"),
            ("text_config.quantization_config", ["quant_method": "gptq"], "text_config.quantization_config says"),
        ] as [(String, JSONValue, String)])
    func quantisation(_ key: String, _ value: JSONValue, _ words: String) throws {
        expectUserError(.content, "config.json: ", words, "quantised weights are not read") {
            _ = try read(TinyCheckpoint().setting(key, value))
        }
        #expect(try read(TinyCheckpoint().setting("quantization_config", .null)).text.layers == 2)
    }

    @Test("a pointer of Git LFS in place of the file")
    func pointer() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.json", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 551613\n")
        expectUserError(.content, "config.json: is a Git LFS pointer of 71 bytes", "git lfs pull") {
            _ = try ModelConfig.read(folder: folder.path)
        }
    }

    @Test("a folder, file or object that is not there")
    func missingFile() throws {
        let folder = try TemporaryFolder()
        expectUserError(.missing, folder.path("none"), "no such folder") { _ = try ModelConfig.read(folder: folder.path("none")) }
        expectUserError(.missing, "config.json", "no such file") { _ = try ModelConfig.read(folder: folder.path) }
        try folder.write("config.json", "[1]")
        expectUserError(.missing, "is a file where") { _ = try ModelConfig.read(folder: folder.path("config.json")) }
        expectUserError(.content, "config.json", "holds no JSON object") { _ = try ModelConfig.read(folder: folder.path) }
        try folder.write("config.json", "{\"hidden_size\": 3,\n}")
        expectUserError(.content, "config.json:1:18") { _ = try ModelConfig.read(folder: folder.path) }
    }

    private func read(_ checkpoint: TinyCheckpoint) throws -> ModelConfig {
        let folder = try TemporaryFolder()
        try folder.write("config.json", checkpoint.config.serialized())
        return try ModelConfig.read(folder: folder.path)
    }
}
