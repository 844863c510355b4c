// target_modules as it is written, matched as PEFT matches it: a full match of each module's path.

import Files
import Foundation
import Model
import Support
import Testing

struct TargetPatternTests {
    private let config: ModelConfig
    /// Paths in `Qwen2_5_VLForConditionalGeneration`, and the projector's.
    private let modules: [String]

    init() throws {
        let folder = try TemporaryFolder()
        // Twelve layers, so that layer 1 and layer 11 must be told apart.
        try TinyCheckpoint().setting("text_config.num_hidden_layers", 12).write(to: folder.path)
        config = try ModelConfig.read(folder: folder.path)
        modules =
            (0..<12).flatMap { layer in DecoderModule.allCases.map { $0.path(layer: layer) } }
            + (0..<2).flatMap { block in
                ["attn.qkv", "attn.proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"].map { "model.visual.blocks.\(block).\($0)" }
            } + ["model.visual.merger.mlp.0", "lm_head", "multi_vector_projector"]
    }

    /// What is written, and the modules that it means by PEFT's rules: names end a path, a pattern matches the whole of it; the exclusion
    /// and the layers beside it take some away.
    private func matched(_ layout: AdapterLayout, plain: Bool) throws -> (modules: [String], written: JSONValue, layers: [Int64]?) {
        let folder = try TemporaryFolder()
        let adapter = Adapter(task: "code", layout: layout, values: [Float](repeating: 0, count: layout.count))
        let description = AdapterFile.Description(dropout: 0, initialization: .gaussian, base: "m")
        if plain {
            try AdapterFile.writePEFT(adapter, description, as: .bfloat16, to: folder.path)
        } else {
            try AdapterFile.writePublished([adapter], description, as: .bfloat16, to: folder.path)
        }
        let config = try JSONValue.parse(file: folder.path("adapter_config.json"))
        let targets = try #require(config["target_modules"])
        let layers = config["layers_to_transform"]?.arrayValue?.compactMap(\.integerValue)
        func matches(_ module: String, _ pattern: String) throws -> Bool {
            let range = NSRange(location: 0, length: module.utf16.count)
            return try NSRegularExpression(pattern: "\\A(?:\(pattern))\\z").firstMatch(in: module, range: range) != nil
        }
        let excluded = config["exclude_modules"]?.stringValue
        let found = try modules.filter { module in
            if let excluded, try matches(module, excluded) { return false }
            if let layers, let layer = DecoderModule.layer(ofPath: module), !layers.contains(Int64(layer)) { return false }
            if let pattern = targets.stringValue { return try matches(module, pattern) }
            return (targets.arrayValue ?? []).compactMap(\.stringValue).contains { module == $0 || module.hasSuffix("." + $0) }
        }
        return (found, targets, layers)
    }

    @Test("everything: the published pattern")
    func everything() throws {
        let layout = AdapterLayout(config, rank: 2, alpha: 2) { _ in true }
        let (matched, written, _) = try matched(layout, plain: false)
        #expect(matched == layout.pairs.map(\.module).sorted { modules.firstIndex(of: $0)! < modules.firstIndex(of: $1)! })
        #expect(
            written.stringValue
                == "(.*(model).*(down_proj|gate_proj|up_proj|k_proj|q_proj|v_proj|o_proj).*$|.*(single_vector_projector|multi_vector_projector).*$)"
        )
    }

    @Test(
        "exactly what is adapted",
        arguments: [
            [""], ["q_proj", "v_proj"],
            ["layers.1.self_attn.q_proj", "layers.1.mlp.up_proj", "layers.11.self_attn.q_proj", "layers.11.mlp.up_proj"],
            ["layers.1.self_attn.q_proj", "layers.11.mlp.down_proj"], ["layers.3.mlp.up_proj", "layers.4.mlp.up_proj"],
            ["o_proj", "multi_vector_projector"],
        ])
    func exact(_ suffixes: [String]) throws {
        let layout = AdapterLayout(config, rank: 2, alpha: 2) { module in suffixes.contains { module.hasSuffix($0) } }
        let adapted = Set(layout.pairs.map(\.module))
        #expect(Set(try matched(layout, plain: false).modules) == adapted)
        #expect(Set(try matched(layout, plain: true).modules) == adapted.subtracting(["multi_vector_projector"]))
    }

    @Test("plain adapters name linears, and layers where not all have some")
    func names() throws {
        func written(_ suffixes: [String]) throws -> (names: [String]?, layers: [Int64]?) {
            let layout = AdapterLayout(config, rank: 2, alpha: 2) { module in suffixes.contains { module.hasSuffix($0) } }
            let (_, targets, layers) = try matched(layout, plain: true)
            return (targets.arrayValue?.compactMap(\.stringValue), layers)
        }
        var (names, layers) = try written([""])
        #expect(names == DecoderModule.allCases.map(\.linear) && layers == nil)
        (names, layers) = try written(["layers.11.mlp.up_proj", "layers.1.mlp.up_proj"])
        #expect(names == ["up_proj"] && layers == [1, 11])
        (names, layers) = try written(["layers.1.mlp.up_proj", "layers.2.self_attn.q_proj"])
        #expect(names == ["layers.1.mlp.up_proj", "layers.2.self_attn.q_proj"] && layers == nil)
    }
}
