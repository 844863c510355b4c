// The prompts of adapters on disk: Shoal's own file by task, and that of sentence-transformers.

import Files
import Foundation
import Model
import Support
import Tensor
import Testing

@Suite struct PromptFileTests {
    private let golden = PackagePath.golden("text/flat-bf16")

    private func config() throws -> ModelConfig { try .read(folder: golden + "/model") }

    private func description(_ prompts: [String: PromptPair], model: String? = nil) -> AdapterFile.Description {
        AdapterFile.Description(
            dropout: 0, initialization: .gaussian, base: model ?? "m", prompts: prompts,
            sentenceTransformers: model.map { SentenceTransformersFiles(model: $0, width: 64, maxTokens: 77) })
    }

    @Test func publishedAdaptersHaveThemByTask() throws {
        let folder = try TemporaryFolder()
        let prompts = ["code": PromptPair(query: "Frage: ", passage: ""), "retrieval": PromptPair(query: "q\"\n", passage: "é")]
        let set = try AdapterFile.read(golden + "/published", config: config())
        #expect(set.prompts == nil)
        try AdapterFile.writePublished(set.tasks, description(prompts), as: .float32, to: folder.path("run"))
        let pending = try PendingFolder(destination: folder.path("step-1"))
        let files = try AdapterFile.writePublished(set.tasks, description(prompts), as: .float32, into: pending)
        try pending.commit()
        #expect(files.map(\.name).contains("prompts.json"))
        for name in ["run", "step-1"] {
            let read = try #require(try AdapterFile.read(folder.path(name), config: config()).prompts)
            #expect(read.pair(task: "code") == prompts["code"] && read.pair(task: "retrieval") == prompts["retrieval"])
            #expect(read.pair(task: "text-matching") == nil && read.path == folder.path("\(name)/prompts.json"))
        }
    }

    /// The folder is one that SentenceTransformer takes: each file as sentence-transformers 6.2 reads it.
    @Test func plainAdaptersHaveSentenceTransformersFiles() throws {
        let folder = try TemporaryFolder()
        let model = folder.path("model")
        try FileManager.default.copyItem(atPath: golden + "/model", toPath: model)
        for name in ["tokenizer.json", "tokenizer_config.json", "merges.txt"] { try folder.write("model/\(name)", "the \(name) itself") }
        let adapter = try #require(try AdapterFile.read(golden + "/published", config: config()).adapter(for: "code"))
        let prompts = ["code": PromptPair(query: "Frage: ", passage: "")]
        try AdapterFile.writePEFT(adapter, description(prompts, model: model), as: .float32, to: folder.path("peft/code"))

        func json(_ name: String) throws -> JSONValue { try JSONValue.parse(file: folder.path("peft/code/\(name)")) }
        #expect(try json("adapter_config.json")["base_model_name_or_path"]?.stringValue == model)
        let modules = try #require(try json("modules.json").arrayValue)
        #expect(modules.map { $0["path"]?.stringValue } == ["", "1_Pooling", "2_Normalize"])
        #expect(
            modules.map { $0["type"]?.stringValue }
                == ["Transformer", "Pooling", "Normalize"].map { "sentence_transformers.models.\($0)" })
        let pooling = try #require(try json("1_Pooling/config.json").objectValue)
        #expect(pooling["word_embedding_dimension"]?.integerValue == 64 && pooling["include_prompt"]?.boolValue == true)
        let modes = pooling.entries.filter { $0.key.hasPrefix("pooling_mode_") && $0.value.boolValue == true }
        #expect(modes.map(\.key) == ["pooling_mode_mean_tokens"])
        #expect(try json("sentence_bert_config.json")["max_seq_length"]?.integerValue == 77)
        let said = try json("config_sentence_transformers.json")["prompts"]
        #expect(said?["query"]?.stringValue == "Frage: " && said?["document"]?.stringValue == "")
        for name in ["tokenizer.json", "tokenizer_config.json", "merges.txt"] {
            #expect(try folder.bytes("peft/code/\(name)") == Array("the \(name) itself".utf8))
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path("peft/code/vocab.json")))
        #expect(try AdapterFile.read(folder.path("peft/code"), config: config()).prompts?.pair(task: "code") == prompts["code"])
        // A task that nothing is known of has its own.
        let other = try #require(try AdapterFile.read(golden + "/published", config: config()).adapter(for: "text-matching"))
        try AdapterFile.writePEFT(other, description(prompts, model: model), as: .float32, to: folder.path("peft/text-matching"))
        let read = try RecordedPrompts.read(folder: folder.path("peft/text-matching"))
        #expect(read?.pair(task: "text-matching") == .usual(task: "text-matching"))
    }

    @Test(
        "what sentence-transformers writes",
        arguments: [
            (#"{"prompts": {"query": "q: ", "document": "d: "}}"#, PromptPair(query: "q: ", passage: "d: ")),
            (#"{"prompts": {"query": "q: ", "passage": "p: "}}"#, PromptPair(query: "q: ", passage: "p: ")),
            (#"{"prompts": {"query": "q: ", "corpus": "c: "}}"#, PromptPair(query: "q: ", passage: "c: ")),
            (#"{"prompts": {"query": "q: "}, "default_prompt_name": null}"#, PromptPair(query: "q: ", passage: "")),
            (#"{"prompts": {"query": "", "document": ""}}"#, PromptPair(query: "", passage: "")),
            (#"{"prompts": {"sts": "s: "}}"#, nil), (#"{"prompts": {}}"#, nil), (#"{"similarity_fn_name": "cosine"}"#, nil),
        ])
    func foreign(_ text: String, _ pair: PromptPair?) throws {
        let folder = try TemporaryFolder()
        try folder.write("config_sentence_transformers.json", text)
        #expect(try RecordedPrompts.read(folder: folder.path)?.pair(task: "anything") == pair)
    }

    @Test func faults() throws {
        let folder = try TemporaryFolder()
        for text in [#"{"code": {"query": "a"}}"#, #"{"code": {"query": "a", "passage": 1}}"#, #"{"code": "a"}"#] {
            try folder.write("prompts.json", text)
            expectUserError(.content, "prompts.json: does not say query and passage of \"code\"") {
                _ = try RecordedPrompts.read(folder: folder.path)
            }
        }
        try folder.write("prompts.json", "[]")
        expectUserError(.content, "prompts.json: holds no JSON object") { _ = try RecordedPrompts.read(folder: folder.path) }
        try FileManager.default.removeItem(atPath: folder.path("prompts.json"))
        try folder.write("config_sentence_transformers.json", #"{"prompts": {"query": ["a"]}}"#)
        expectUserError(.content, "config_sentence_transformers.json: has a prompt that is an array") {
            _ = try RecordedPrompts.read(folder: folder.path)
        }
    }
}
