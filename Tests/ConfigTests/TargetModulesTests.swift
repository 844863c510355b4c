// PEFT's rules for target modules, on the module paths of the published model; the metric's syntax; the nearest name.

import Config
import Files
import Model
import Project
import Support
import Testing

@Suite("Target modules")
struct TargetModulesTests {
    private static let attention = ["q_proj", "k_proj", "v_proj", "o_proj"].map { "self_attn.\($0)" }
    private static let linears = attention + ["gate_proj", "up_proj", "down_proj"].map { "mlp.\($0)" }

    /// In the order and with the names that the published model has in memory, 36 layers.
    private static let decoder = (0..<36).flatMap { layer in linears.map { "model.language_model.layers.\(layer).\($0)" } }
    private static let others =
        [
            "lm_head", "model.language_model.embed_tokens", "model.language_model.norm", "model.language_model.layers.0.mlp",
            "model.language_model.layers.0.input_layernorm", "model.visual.merger.mlp.0",
        ] + (0..<32).flatMap { block in ["gate_proj", "up_proj", "down_proj"].map { "model.visual.blocks.\(block).mlp.\($0)" } }
    private static let all = decoder + ["multi_vector_projector"] + others

    @Test("the published pattern: 253 modules, none of the vision tower")
    func publishedPattern() throws {
        let target = try #require(TargetModules(.string(TargetModules.publishedPattern)))
        #expect(Self.all.filter(target.matches) == Self.decoder + ["multi_vector_projector"])
        #expect(Self.all.filter(target.matches).count == 253)
    }

    @Test("names mean the end of a path, from a dot on")
    func names() throws {
        let target = try #require(TargetModules(["q_proj", "multi_vector_projector", "proj", "layers.3.mlp.up_proj", "qproj"]))
        let matched = Self.all.filter(target.matches)
        #expect(matched.count == 36 + 1 + 1)
        #expect(matched.contains("model.language_model.layers.3.mlp.up_proj"))
        #expect(target.unmatchedNames(in: Self.all) == ["proj", "qproj"])
    }

    @Test("the vision tower is left out also when named")
    func vision() throws {
        let target = try #require(TargetModules(["gate_proj"]))
        #expect(Self.all.filter(target.matches).count == 36)
        #expect(try #require(TargetModules(["visual.merger.mlp.0"])).unmatchedNames(in: Self.all) == ["visual.merger.mlp.0"])
    }

    @Test("a pattern must match the whole path, in each of its branches")
    func wholePath() throws {
        let target = try #require(TargetModules("a|model\\.language_model\\.layers\\.[01]\\.mlp\\.up_proj|lm"))
        #expect(Self.all.filter(target.matches) == (0..<2).map { "model.language_model.layers.\($0).mlp.up_proj" })
    }

    @Test("PEFT's word for all linears but the output head", arguments: ["all-linear", "ALL-LINEAR", "All-Linear"])
    func allLinear(_ word: String) throws {
        let target = try #require(TargetModules(.string(word)))
        #expect(Self.all.filter(target.matches) == Self.decoder + ["multi_vector_projector"])
        #expect(target.json.stringValue == "all-linear" && target.unmatchedNames(in: Self.all).isEmpty)
    }

    @Test(
        "a text that matches nothing: what to write",
        arguments: [
            ("q_proj", "write a list: [q_proj]"), ("q_proj,v_proj", "write a list: [q_proj, v_proj]"),
            ("q_proj v_proj", "write a list: [q_proj, v_proj]"), ("all", "write all-linear"), ("all_linear", "write all-linear"),
            ("query", "write a list, such as [q_proj, v_proj], for all linears all-linear"),
        ])
    func advice(_ text: String, _ words: String) throws {
        let target = try #require(TargetModules(.string(text)))
        #expect(!Self.decoder.contains(where: target.matches))
        let advice = target.adviceWhenNothingMatches
        #expect(advice.hasPrefix("\"\(text)\", a text, is a regular expression for the whole path") && advice.hasSuffix(words), "\(advice)")
    }

    @Test("neither names nor a pattern", arguments: ["((", 3, [], [1], nil] as [JSONValue])
    func neither(_ json: JSONValue) {
        #expect(TargetModules(json) == nil)
    }
}

@Suite("Best metric")
struct BestMetricTests {
    @Test("syntax")
    func syntax() throws {
        #expect(try #require(BestMetric("ndcg@10")).name == "ndcg@10")
        #expect(try #require(BestMetric("ndcg@10")).dimension == nil)
        #expect(try #require(BestMetric("recall@1@256")).name == "recall@1")
        #expect(try #require(BestMetric("recall@1@256")).dimension == 256)
        #expect(try #require(BestMetric("recall@10")).name == "recall@10")
        for wrong in ["", "ndcg", "ndcg@1", "ndcg@100", "ndcg@10@", "ndcg@10@0", "ndcg@10@-1", "ndcg@10@+1", "ndcg@10@1@2", "NDCG@10"] {
            #expect(BestMetric(wrong) == nil, "\(wrong)")
        }
    }
}

@Suite("Nearest name")
struct NearestNameTests {
    @Test("fewest edits, a swap is one, the first of equals, none when too far")
    func nearest() {
        #expect(NearestName.of("epcohs", among: ["epoch", "epochs", "steps"]) == "epochs")
        #expect(NearestName.of("bb", among: ["ab", "cb"]) == "ab")
        #expect(NearestName.of("Max-Steps", among: ["max_steps"]) == "max_steps")
        #expect(NearestName.of("rate", among: ["temperature"]) == nil)
        #expect(NearestName.of("", among: ["epochs"]) == nil)
        #expect(NearestName.of("a", among: []) == nil)
    }
}
