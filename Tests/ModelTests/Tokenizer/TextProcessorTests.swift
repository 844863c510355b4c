// Prompts and the way from text to tokens. Ids: Python's tokenizers on examples/jina-tiny/tokenizer.json, without special tokens.

import Files
import Foundation
import Model
import Support
import Testing

struct TextProcessorTests {
    private let folder = PackagePath.example("jina-tiny")

    private func processor(maxTokens: Int = 512) throws -> TextProcessor {
        TextProcessor(try TextProcessor.tokenizer(folder: folder, config: ModelConfig.read(folder: folder)), maxTokens: maxTokens)
    }

    @Test("prompts by name, by task, and literally")
    func prompts() {
        #expect(Prompt("query").prefix == "Query: " && Prompt("passage").prefix == "Passage: ")
        #expect(Prompt("none").prefix == "" && Prompt("").prefix == "" && Prompt("Code:").prefix == "Code:")
        for task in ["retrieval", "code"] {
            #expect(Prompt.query.resolved(task: task) == .query && Prompt.passage.resolved(task: task) == .passage)
        }
        #expect(Prompt.query.resolved(task: "text-matching") == .query && Prompt.passage.resolved(task: "text-matching") == .query)
        #expect(Prompt.none.resolved(task: "text-matching") == .none && Prompt("P: ").resolved(task: "text-matching") == .literal("P: "))
    }

    @Test("prefix and text are tokenized as one string")
    func encode() throws {
        let processor = try processor()
        let query = processor.encode("how do whales sleep?".utf8, prefix: Prompt.query.prefix)
        #expect(query.ids == [5607, 1421, 25, 676, 427, 262, 267, 867, 1578, 30] && !query.isTruncated)
        let passage = processor.encode("Whales rest half of the brain at a time.".utf8, prefix: Prompt.passage.prefix)
        #expect(passage.ids == [47, 494, 610, 25, 538, 267, 867, 1038, 1115, 279, 260, 4662, 361, 258, 585, 13])
        #expect(processor.encode("def f(): return 1".utf8, prefix: "Code:").ids == [34, 904, 25, 1653, 275, 950, 25, 916, 220, 16])
    }

    @Test("cut on the right, the prefix counted")
    func truncation() throws {
        let exact = try processor(maxTokens: 10).encode("how do whales sleep?".utf8, prefix: "Query: ")
        #expect(exact.ids.count == 10 && !exact.isTruncated)
        let cut = try processor(maxTokens: 9).encode("how do whales sleep?".utf8, prefix: "Query: ")
        #expect(cut.ids == [5607, 1421, 25, 676, 427, 262, 267, 867, 1578] && cut.isTruncated)
    }

    @Test("an empty text has the prompt's tokens, and none without a prompt")
    func empty() throws {
        #expect(try processor().encode([], prefix: "Query: ").ids == [5607, 1421, 25, 220])
        #expect(try processor().encode([], prefix: "").ids.isEmpty)
    }

    @Test("a tokenizer with ids beyond the embedding table is refused; a smaller one is not")
    func vocabulary() throws {
        let copy = try TemporaryFolder()
        try FileManager.default.copyItem(atPath: folder + "/tokenizer.json", toPath: copy.path("tokenizer.json"))
        for (rows, isEnough) in [(8214, true), (8213, false), (8256, true)] {
            let config = try JSONValue.parse(file: folder + "/config.json")
            var tiny = TinyCheckpoint()
            tiny.config = config
            try copy.write("config.json", tiny.setting("text_config.vocab_size", .integer(Int64(rows))).config.serialized())
            guard !isEnough else {
                #expect(try TextProcessor.tokenizer(folder: copy.path, config: .read(folder: copy.path)).vocabularySize == 8214)
                continue
            }
            expectUserError(.content, copy.path("tokenizer.json"), "ids up to 8213", "8213 rows") {
                _ = try TextProcessor.tokenizer(folder: copy.path, config: .read(folder: copy.path))
            }
        }
        try FileManager.default.removeItem(atPath: copy.path("tokenizer.json"))
        expectUserError(.missing, copy.path("tokenizer.json")) {
            _ = try TextProcessor.tokenizer(folder: copy.path, config: .read(folder: folder))
        }
    }
}
