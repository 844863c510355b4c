// What sentence-transformers needs beside a PEFT adapter to load its folder as a model: the modules behind the decoder, the mean over
// all tokens among them, the longest text, the prompts, and the backbone's tokenizer, byte for byte.

import Files
import Foundation

/// The files of a folder that `SentenceTransformer(folder)` takes.
package struct SentenceTransformersFiles: Sendable {
    /// Folder of the backbone, whose tokenizer is copied.
    package let model: String
    /// Width of the vectors.
    package let width: Int
    /// Tokens of the longest text, prompt included.
    package let maxTokens: Int

    /// Describes the files.
    package init(model: String, width: Int, maxTokens: Int) {
        self.model = model
        self.width = width
        self.maxTokens = maxTokens
    }

    /// Files of a tokenizer; a backbone has some of them.
    private static let tokenizerNames = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
        "chat_template.jinja", "chat_template.json",
    ]

    /// Names that every release of sentence-transformers knows.
    private static let modules: JSONValue = [
        ["idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"],
        ["idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"],
        ["idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"],
    ]

    /// Writes the files, each in the place of an older one.
    ///
    /// - Parameters:
    ///   - prompts: those that the adapter was trained with
    ///   - folder: of the adapter; it exists
    /// - Throws: `UserError` `.output`; `.missing` or `.inputOutput` when the tokenizer cannot be read
    func write(_ prompts: PromptPair, to folder: String) throws(UserError) {
        let pooling: JSONValue = [
            "word_embedding_dimension": .integer(Int64(width)), "pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true,
            "pooling_mode_max_tokens": false, "pooling_mode_mean_sqrt_len_tokens": false, "pooling_mode_weightedmean_tokens": false,
            "pooling_mode_lasttoken": false, "include_prompt": true,
        ]
        let settings: JSONValue = [
            "model_type": "SentenceTransformer", "prompts": ["query": .string(prompts.query), "document": .string(prompts.passage)],
            "default_prompt_name": nil, "similarity_fn_name": "cosine",
        ]
        do { try FileManager.default.createDirectory(atPath: folder + "/1_Pooling", withIntermediateDirectories: true) } catch {
            throw UserError(
                .output, folder + "/1_Pooling", "cannot be created: \(error.localizedDescription); choose another output folder")
        }
        for (name, content) in [
            ("modules.json", Self.modules), ("1_Pooling/config.json", pooling),
            ("sentence_bert_config.json", ["max_seq_length": .integer(Int64(maxTokens)), "do_lower_case": false]),
            (PromptFile.sentenceTransformersName, settings),
        ] as [(String, JSONValue)] {
            try AtomicWrite.write(content.serialized(pretty: true) + [UInt8(ascii: "\n")], to: "\(folder)/\(name)")
        }
        for name in Self.tokenizerNames where FileManager.default.fileExists(atPath: "\(model)/\(name)") {
            try AtomicWrite.write(try MappedFile(path: "\(model)/\(name)").copied(), to: "\(folder)/\(name)")
        }
    }
}
