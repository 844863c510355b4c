// Pointers of Git LFS in place of a user's files, and folders of other models: each is called what it is.

import Foundation
import Support
import Testing

@Suite(.serialized) struct StandInTests {
    private let folder: TemporaryFolder
    private static let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 551613\n"
    private static let files = ["config.json", "tokenizer.json", "model.safetensors"]

    init() throws { folder = try TemporaryFolder() }

    private func embed(_ more: [String], model: String = ShoalProgram.model) -> [String] {
        ["embed", "--model", model, "--task", "retrieval", "--output", folder.path("out.npy")] + more
    }

    /// The embedded model with one file of its own.
    private func model(_ name: String, _ text: String) throws -> String {
        let model = folder.path("model")
        try? FileManager.default.removeItem(atPath: model)
        try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: false)
        for file in Self.files where file != name {
            try FileManager.default.createSymbolicLink(
                atPath: "\(model)/\(file)", withDestinationPath: "\(ShoalProgram.model)/\(file)")
        }
        try folder.write("model/\(name)", text)
        return model
    }

    @Test func pointersAreCalledPointers() throws {
        for name in Self.files {
            try expectFailure(
                65, embed(["--texts", "a"], model: model(name, Self.pointer)), "\(name): is a Git LFS pointer", "git lfs pull")
        }
        for name in ["texts.txt", "rows.jsonl", "rows.jsonl.gz", "rows.csv", "rows.parquet", "texts.txt.gz"] {
            try expectFailure(
                65, embed(["--text-file", try folder.write(name, Self.pointer)]), "\(name): is a Git LFS pointer", "git lfs pull")
        }
        let whole = [
            "corpus.jsonl": "{\"_id\": \"d\", \"text\": \"a\"}\n", "queries.jsonl": "{\"_id\": \"q\", \"text\": \"a\"}\n",
            "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq\td\t1\n",
        ]
        try FileManager.default.createDirectory(atPath: folder.path("beir/qrels"), withIntermediateDirectories: true)
        for broken in whole.keys.sorted() {
            for (name, text) in whole { try folder.write("beir/\(name)", name == broken ? Self.pointer : text) }
            try expectFailure(
                65, ["evaluate", "--model", ShoalProgram.model, "--retrieval", folder.path("beir")],
                "\(broken): is a Git LFS pointer", "git lfs pull")
        }
    }

    @Test func otherModelsAreCalledByTheirFamily() throws {
        let config = String(decoding: try Data(contentsOf: URL(fileURLWithPath: ShoalProgram.model + "/config.json")), as: UTF8.self)
        for (from, to, words) in [
            ("\"model_type\": \"qwen2_5_vl\",", "\"model_type\": \"qwen3_vl\",", "model_type is \"qwen3_vl\", a Qwen3-VL model"),
            ("\"model_type\": \"qwen2_5_vl\",", "\"model_type\": \"bert\",", "model_type is \"bert\", a BERT model"),
            (
                "\"truncate_dim\": null", "\"quantization_config\": {\"quant_method\": \"awq\", \"bits\": 4}",
                "the weights are quantised by AWQ to 4 bits"
            ),
        ] {
            let changed = try #require(config.firstRange(of: from)).lowerBound
            let text = config[..<changed] + to + config[config.index(changed, offsetBy: from.count)...]
            try expectFailure(65, embed(["--texts", "a"], model: model("config.json", String(text))), "config.json: ", words)
        }
    }
}
