// What a tokenizer file must be: each rule broken once, each with its own sentence, all naming the file.

import Files
import Foundation
import Model
import Support
import Testing

/// jina-tiny's file with one part changed, and what the error says.
private struct Broken: CustomTestStringConvertible, Sendable {
    let sentence: String
    let edit: @Sendable (inout JSONObject) -> Void

    init(_ sentence: String, _ edit: @escaping @Sendable (inout JSONObject) -> Void) {
        self.sentence = sentence
        self.edit = edit
    }

    /// Changes a member of an object inside.
    init(_ sentence: String, in key: String, _ edit: @escaping @Sendable (inout JSONObject) -> Void) {
        self.init(sentence) { file in
            guard case .object(var inner)? = file[key] else { return }
            edit(&inner)
            file[key] = .object(inner)
        }
    }

    var testDescription: String { sentence }
}

private func object(_ members: [(String, JSONValue)]) -> JSONValue {
    var object = JSONObject()
    for (key, value) in members { object[key] = value }
    return .object(object)
}

private func added(_ id: Int64, _ content: String) -> JSONValue {
    object([
        ("id", .integer(id)), ("content", .string(content)), ("single_word", .bool(false)), ("lstrip", .bool(false)),
        ("rstrip", .bool(false)), ("normalized", .bool(false)), ("special", .bool(true)),
    ])
}

private func step(_ type: String, _ members: [(String, JSONValue)]) -> JSONValue { object([("type", .string(type))] + members) }

/// A pre-tokenizer of these members; what is nil stands as in the real file.
private func preTokenizer(
    pattern: String = PreTokenizer.pattern, behavior: String = "Isolated", invert: Bool = false, prefix: Bool = false,
    regex: JSONValue? = .bool(false)
) -> JSONValue {
    let split = step(
        "Split",
        [("pattern", object([("Regex", .string(pattern))])), ("behavior", .string(behavior)), ("invert", .bool(invert))])
    let bytes = step("ByteLevel", [("add_prefix_space", .bool(prefix))] + (regex.map { [("use_regex", $0)] } ?? []))
    return step("Sequence", [("pretokenizers", .array([split, bytes]))])
}

private func sequence(_ id: String) -> JSONValue { object([("Sequence", object([("id", .string(id)), ("type_id", .integer(0))]))]) }

private func special(_ id: String) -> JSONValue { object([("SpecialToken", object([("id", .string(id)), ("type_id", .integer(0))]))]) }

/// A template for single texts, as tokenizers writes it.
private func template(_ pieces: [JSONValue], tokens: JSONValue = [:]) -> JSONValue {
    step("TemplateProcessing", [("single", .array(pieces)), ("pair", .array([sequence("A"), sequence("B")])), ("special_tokens", tokens)])
}

private let wholeFile: [Broken] = [
    Broken("\"model\" is missing in a tokenizer file") { $0["model"] = nil },
    Broken("\"added_tokens\" is missing in a tokenizer file") { $0["added_tokens"] = nil },
    Broken("found a string where an object is expected") { $0["model"] = .string("BPE") },
    Broken("version: found \"2.0\"") { $0["version"] = .string("2.0") },
    Broken("normalizer.type: found \"NFKC\"") { $0["normalizer"] = step("NFKC", []) },
    Broken("post_processor.type: found \"RobertaProcessing\"") { $0["post_processor"] = step("RobertaProcessing", []) },
    Broken("post_processor.single: found another form") { $0["post_processor"] = step("TemplateProcessing", []) },
    Broken("post_processor.single: found another form") { $0["post_processor"] = template([sequence("B")]) },
    Broken("post_processor.single: found the tokens \"<|im_end|>\" around a text") {
        $0["post_processor"] = template([sequence("A"), special("<|im_end|>")])
    },
    Broken("post_processor.single: found the tokens \"a\", \"b\" around a text") {
        $0["post_processor"] = step(
            "Sequence",
            [("processors", .array([step("ByteLevel", []), template([special("a"), sequence("A"), special("b")])]))])
    },
    Broken("pre_tokenizer.type: found \"Whitespace\"") { $0["pre_tokenizer"] = step("Whitespace", []) },
    Broken("pre_tokenizer.type: found nothing") { $0["pre_tokenizer"] = .null },
    Broken("pre_tokenizer.pretokenizers: found [\"ByteLevel\"]") {
        $0["pre_tokenizer"] = step("Sequence", [("pretokenizers", .array([step("ByteLevel", [])]))])
    },
    Broken("pre_tokenizer Split.pattern.Regex: found \"\\p{N}{1,3}\"") { $0["pre_tokenizer"] = preTokenizer(pattern: #"\p{N}{1,3}"#) },
    Broken("pre_tokenizer Split.behavior: found \"Removed\"") { $0["pre_tokenizer"] = preTokenizer(behavior: "Removed") },
    Broken("pre_tokenizer Split.invert: found true") { $0["pre_tokenizer"] = preTokenizer(invert: true) },
    Broken("pre_tokenizer ByteLevel.add_prefix_space: found true") { $0["pre_tokenizer"] = preTokenizer(prefix: true) },
    Broken("pre_tokenizer ByteLevel.use_regex: found nothing") { $0["pre_tokenizer"] = preTokenizer(regex: nil) },
]

private let addedTokens: [Broken] = [
    Broken("\"single_word\" is missing in an entry of added_tokens") {
        $0["added_tokens"] = .array([object([("id", .integer(8192)), ("content", .string("<a>"))])])
    },
    Broken("\"content\" is empty") { $0["added_tokens"] = .array([added(8192, "")]) },
    Broken("\"<b>\" has id 8194 where 8193 is the next free one") {
        $0["added_tokens"] = .array([added(8192, "<a>"), added(8194, "<b>")])
    },
    Broken("\"<a>\" is listed twice") { $0["added_tokens"] = .array([added(8192, "<a>"), added(8192, "<a>")]) },
    Broken("\"a\" has id 8192 where 64 is") { $0["added_tokens"] = .array([added(8192, "a")]) },
    Broken("found id -1") { $0["added_tokens"] = .array([added(-1, "<a>")]) },
]

private let models: [Broken] = [
    Broken("\"vocab\" is missing in model", in: "model") { $0["vocab"] = nil },
    Broken("\"merges\" is missing in model", in: "model") { $0["merges"] = nil },
    Broken("model.type: found \"WordPiece\"", in: "model") { $0["type"] = .string("WordPiece") },
    Broken("model.byte_fallback: found true", in: "model") { $0["byte_fallback"] = .bool(true) },
    Broken("model.ignore_merges: found true", in: "model") { $0["ignore_merges"] = .bool(true) },
    Broken("model.dropout: found a number", in: "model") { $0["dropout"] = .number(0.1) },
    Broken("model.continuing_subword_prefix: found \"##\"", in: "model") { $0["continuing_subword_prefix"] = .string("##") },
    Broken("model.end_of_word_suffix: found \"</w>\"", in: "model") { $0["end_of_word_suffix"] = .string("</w>") },
    Broken("found a string where a number is expected", in: "model") { $0["vocab"] = object([("a", .string("1"))]) },
    Broken("no token has id 8192; 8193 tokens", in: "model") { addToVocabulary(&$0, "zzzz", 9000) },
    Broken("no token has id 8192, and id 5 belongs to two", in: "model") { addToVocabulary(&$0, "zzzz", 5) },
    Broken("no token \"Ā\" for byte 0", in: "model") { model in
        model["vocab"] = object([("a", .integer(0))])
        model["merges"] = .array([])
    },
    Broken("\"zzzz a\" needs the token \"zzzz\", which model.vocab lacks", in: "model") { $0["merges"] = .array([.string("zzzz a")]) },
    Broken("\"z q\" needs the token \"zq\", which model.vocab lacks", in: "model") {
        $0["merges"] = .array([.array([.string("z"), .string("q")])])
    },
    Broken("\"abc\" is not two tokens", in: "model") { $0["merges"] = .array([.string("abc")]) },
    Broken("\"a b c\" is not two tokens", in: "model") { $0["merges"] = .array([.string("a b c")]) },
    Broken("found 3 strings where a pair is expected", in: "model") {
        $0["merges"] = .array([.array([.string("a"), .string("b"), .string("c")])])
    },
    Broken("\"h e\" stands twice", in: "model") { $0["merges"] = .array([.string("h e"), .string("h e")]) },
    Broken("found an object where a string is expected", in: "model") { $0["merges"] = .array([object([])]) },
]

private func addToVocabulary(_ model: inout JSONObject, _ token: String, _ id: Int64) {
    guard case .object(var vocabulary)? = model["vocab"] else { return }
    vocabulary[token] = .integer(id)
    model["vocab"] = .object(vocabulary)
}

@Suite struct TokenizerFileTests {
    @Test(arguments: wholeFile + addedTokens + models) private func refuses(_ broken: Broken) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("tokenizer.json", TokenizerFiles.edited { broken.edit(&$0) })
        let error = #expect(throws: UserError.self) { try Tokenizer(path: path) }
        #expect(error?.code == .content)
        #expect(error?.path == path)
        #expect(error?.message.contains(broken.sentence) == true, "\(error?.description ?? "no error")")
    }

    @Test func refusesWhatStandsTwice() throws {
        let folder = try TemporaryFolder()
        for (name, text, sentence) in [
            ("key", #"{"version":"1.0","version":"1.0"}"#, "\"version\" stands twice"),
            ("token", #"{"model":{"type":"BPE","vocab":{"a":0,"\u0061":1},"merges":[]}}"#, "\"a\" stands twice"),
        ] {
            let path = try folder.write(name, text)
            let error = #expect(throws: UserError.self) { try Tokenizer(path: path) }
            #expect(error?.code == .content && error?.path == path && error?.line == 1)
            #expect(error?.message.contains(sentence) == true, "\(error?.description ?? "no error")")
        }
    }

    @Test func refusesAFileCutShortAnywhere() throws {
        let folder = try TemporaryFolder()
        let whole = try Data(contentsOf: URL(fileURLWithPath: TokenizerFiles.jinaTiny))
        for length in stride(from: 0, to: whole.count - 2, by: 9_973) {
            let path = try folder.write("cut.json", whole.prefix(length))
            let error = #expect(throws: UserError.self) { try Tokenizer(path: path) }
            #expect(error?.code == .content && error?.path == path)
        }
    }

    @Test func namesAMissingFile() {
        let error = #expect(throws: UserError.self) { try Tokenizer(path: "/nowhere/tokenizer.json") }
        #expect(error?.code == .missing)
    }

    /// The same ids from merges of both spellings, from a model whose merges stand before its vocabulary, and from
    /// members that have no effect.
    @Test func readsEverySpelling() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            "tokenizer.json",
            TokenizerFiles.edited { file in
                guard case .object(let model)? = file["model"] else { return }
                var merges: [JSONValue] = []
                for merge in model["merges"]?.arrayValue ?? [] {
                    merges.append(.string((merge.arrayValue ?? []).compactMap(\.stringValue).joined(separator: " ")))
                }
                file["model"] = object([
                    ("merges", .array(merges)), ("dropout", .number(0)), ("end_of_word_suffix", .string("")),
                    ("vocab", model["vocab"] ?? .null),
                    ("type", .string("BPE")),
                ])
                file["truncation"] = object([("max_length", .integer(1))])
                file["post_processor"] = step("ByteLevel", [])
            })
        let tokenizer = try Tokenizer(path: path)
        for expected in try TokenizerFiles.cases(TokenizerFiles.golden("strings.jsonl")) {
            #expect(tokenizer.encode(expected.text) == expected.ids)
        }
    }

    /// Steps behind the tokenizer that add nothing, the first as transformers 5 saves it.
    @Test(
        arguments: [
            template([sequence("A")]), template([sequence("A")], tokens: ["<|im_end|>": ["id": "<|im_end|>", "ids": [8194]]]),
            step("Sequence", [("processors", .array([step("ByteLevel", []), template([sequence("A")])]))]),
            step("Sequence", [("processors", .array([template([sequence("A")]), template([sequence("A")])]))]),
            step("Sequence", [("processors", [])]), .null,
        ]) func readsPostProcessorsThatAddNothing(_ processor: JSONValue) throws
    {
        let folder = try TemporaryFolder()
        let path = try folder.write("tokenizer.json", TokenizerFiles.edited { $0["post_processor"] = processor })
        let (tokenizer, plain) = (try Tokenizer(path: path), try Tokenizer(path: TokenizerFiles.jinaTiny))
        let text = "how do whales <|im_end|>sleep?"
        #expect(tokenizer.encode(text) == plain.encode(text))
    }

    /// Tokens that users add have the ids behind the vocabulary, up to the last row of the embedding table.
    @Test(arguments: [1, 5, 42, 43]) func readsAddedTokensThatTheTableHasRowsFor(_ count: Int) throws {
        let folder = try TemporaryFolder()
        let first = 8214  // the embedded model has 8,256 rows
        try folder.write(
            "tokenizer.json",
            TokenizerFiles.edited { file in
                let more = (0..<count).map { added(Int64(first + $0), "<mine \($0)>") }
                file["added_tokens"] = .array((file["added_tokens"]?.arrayValue ?? []) + more)
            })
        let config = try ModelConfig.read(folder: PackagePath.example("jina-tiny"))
        guard first + count <= config.text.vocabularySize else {
            expectUserError(.content, "has ids up to 8256, but the model's embedding table has 8256 rows") {
                _ = try TextProcessor.tokenizer(folder: folder.path, config: config)
            }
            return
        }
        let tokenizer = try TextProcessor.tokenizer(folder: folder.path, config: config)
        #expect(tokenizer.encode("a<mine \(count - 1)>a") == [64, Int32(first + count - 1), 64])
    }

    @Test(
        arguments: [
            ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 551613\n", "is a Git LFS pointer of 71 bytes"),
            ("<!DOCTYPE html><html></html>", "is a web page"), ("\n <html>", "is a web page"), ("PK\u{3}\u{4}....", "is a zip archive"),
        ]) func namesWhatStandsInItsPlace(_ text: String, _ sentence: String) throws
    {
        let folder = try TemporaryFolder()
        let path = try folder.write("tokenizer.json", text)
        expectUserError(.content, path, sentence) { _ = try Tokenizer(path: path) }
    }

    @Test func doesNotNormaliseUnlessTold() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("tokenizer.json", TokenizerFiles.edited { $0["normalizer"] = .null })
        let tokenizer = try Tokenizer(path: path)
        #expect(tokenizer.encode("e\u{301}") == tokenizer.encode("e") + tokenizer.encode("\u{301}"))
        #expect(tokenizer.encode("e\u{301}") != tokenizer.encode("\u{E9}"))
    }
}
