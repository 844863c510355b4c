// Prompts belong to the run: what it was trained with stands beside its adapters, and the commands that embed use it.

import Files
import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct PromptTests {
        private static let settings = [
            "data.train=[{path: train.jsonl, query_prompt: 'Frage: ', positive_prompt: none}]",
            "data.evaluation={path: beir, query_prompt: 'Frage: ', positive_prompt: none}", "lora.save_dtype=float32",
            "training.max_steps=3", "training.warmup_steps=0", "training.learning_rate=0.01", "system.max_seq_length=32",
        ].flatMap { ["--set", $0] }

        private static let texts = [
            "otters hold hands", "bread rises", "the tides", "a knight moves", "glass", "bees dance", "steel", "tea",
        ]

        private func trained() throws -> RunProject {
            let project = try RunProject(.embedded, rows: TrainingRows.usual.filter { !$0.contains("\"task\"") })
            try FileManager.default.createDirectory(atPath: project.path("beir/qrels"), withIntermediateDirectories: true)
            func lines(_ prefix: String, _ ending: String) -> String {
                Self.texts.enumerated().map { "{\"_id\": \"\(prefix)\($0)\", \"text\": \"\($1)\(ending)\"}\n" }.joined()
            }
            try project.folder.write("beir/corpus.jsonl", lines("d", ", as people say of it"))
            try project.folder.write("beir/queries.jsonl", lines("q", ""))
            let judgements = Self.texts.indices.map { "q\($0)\td\(($0 * 3 + 1) % 8)\t1\n" }.joined()
            try project.folder.write("beir/qrels/test.tsv", "query-id\tcorpus-id\tscore\n" + judgements)
            try project.train(Self.settings).expect(0)
            return project
        }

        private func evaluate(_ project: RunProject, _ more: [String], _ output: String) throws -> (results: JSONValue, messages: String) {
            let result = try project.shoal(
                [
                    "evaluate", "--model", "model", "--task", "retrieval", "--retrieval", "beir", "--max-length", "32", "--compute-dtype",
                    "float32",
                ]
                    + more + ["--output", output])
            result.expect(0)
            return (try JSONValue.parse(file: project.path(output))["results"] ?? .null, result.standardError)
        }

        /// The figures of the run itself, whichever of its folders is named.
        @Test func evaluationGivesTheRunsOwnFigures() throws {
            let project = try trained()
            let own = try #require(try project.files().events("evaluation").last?["results"])
            func figures(_ results: JSONValue) -> [String] {
                (results.arrayValue ?? []).map { String(decoding: ($0["metrics"] ?? .null).serialized(), as: UTF8.self) }
            }
            for adapter in ["run", "run/adapters", "run/peft/retrieval", "run/checkpoints/step-3"] {
                let (results, messages) = try evaluate(project, ["--adapter", adapter], "out.json")
                #expect(figures(results) == figures(own), "\(adapter)")
                #expect(messages.contains("the words are \"Frage: \" before a query and nothing before a passage"), "\(messages)")
            }
            let (results, messages) = try evaluate(
                project, ["--adapter", "run", "--query-prompt", "Query: ", "--passage-prompt", "Passage: "], "usual.json")
            #expect(figures(results) != figures(own) && !messages.contains("the words are"))
            let same = try evaluate(project, ["--adapter", "run", "--query-prompt", "Frage: ", "--passage-prompt", "none"], "same.json")
            #expect(figures(same.results) == figures(own))
        }

        @Test func recordsAndEmbeddingsHaveTheRunsPrompts() throws {
            let project = try trained()
            #expect(try project.files().record()["prompts"]?["retrieval"]?["query"]?.stringValue == "Frage: ")
            for name in ["adapters/prompts.json", "checkpoints/step-3/prompts.json"] {
                let prompts = try JSONValue.parse(file: project.path("run/\(name)"))
                #expect(prompts["retrieval"]?["passage"]?.stringValue == "" && prompts.objectValue?.entries.count == 1, "\(name)")
            }
            let inspected = try project.shoal(["inspect", "run"]).standardOutput
            #expect(inspected.contains("retrieval: \"Frage: \" before a query and nothing before a passage"), "\(inspected)")

            func embed(_ adapter: String, _ prompt: String?, _ output: String) throws -> String {
                let flags = prompt.map { ["--prompt", $0] } ?? []
                let result = try project.shoal(
                    ["embed", "--model", "model", "--adapter", adapter, "--task", "retrieval", "--texts", "a text", "--output", output]
                        + flags)
                result.expect(0)
                return result.standardError
            }
            _ = try embed("run", nil, "query.npy")
            _ = try embed("run", "passage", "passage.npy")
            _ = try embed("run", "none", "none.npy")
            _ = try embed("run", "Frage: ", "text.npy")
            _ = try embed("run/peft/retrieval", "query", "peft.npy")
            for (name, other) in [("query", "text"), ("query", "peft"), ("passage", "none")] {
                try expectSameBytes(project.folder.bytes("\(name).npy"), project.folder.bytes("\(other).npy"), "\(name), \(other)")
            }
            #expect(try project.folder.bytes("query.npy") != project.folder.bytes("passage.npy"))

            // Without a record the task's own words are used, and that is said.
            try FileManager.default.removeItem(atPath: project.path("run/adapters/prompts.json"))
            let messages = try embed("run", nil, "usual.npy")
            #expect(
                messages.contains("does not say what prompts it was trained with: the words are those of the task retrieval, \"Query: \""))
            _ = try embed("run", "Query: ", "written.npy")
            try expectSameBytes(project.folder.bytes("usual.npy"), project.folder.bytes("written.npy"), "the task's own")
        }

        /// The row of a file of texts may name its own.
        @Test func rowsNameTheirPrompt() throws {
            let project = try trained()
            try project.folder.write(
                "texts.jsonl",
                ["query", "Frage: ", "passage", "none"].map { "{\"text\": \"a text\", \"prompt\": \"\($0)\"}\n" }.joined())
            try project.shoal([
                "embed", "--model", "model", "--adapter", "run", "--task", "retrieval", "--text-file", "texts.jsonl", "--output",
                "out.jsonl",
            ]).expect(0)
            let rows = try String(decoding: project.folder.bytes("out.jsonl"), as: UTF8.self).split(separator: "\n").map {
                try JSONValue.parse(Array($0.utf8), path: nil)
            }
            #expect(rows.map { $0["prompt"]?.stringValue } == ["query", "Frage: ", "passage", "none"])
            let vectors = rows.map { String(decoding: ($0["embedding"] ?? .null).serialized(), as: UTF8.self) }
            #expect(vectors[0] == vectors[1] && vectors[2] == vectors[3] && vectors[0] != vectors[2])
        }

        /// PEFT finds nothing in the run's folder itself, where it would load the published layout as nothing.
        @Test func theRunsFolderHoldsNoAdapterItself() throws {
            let project = try trained()
            #expect(!project.files().exists("adapter_config.json") && !project.files().exists("adapter_model.safetensors"))
            let config = try JSONValue.parse(file: project.path("run/peft/retrieval/adapter_config.json"))
            let base = try #require(config["base_model_name_or_path"]?.stringValue)
            #expect(base.hasPrefix("/") && base.hasSuffix("/model"))
            for name in ["modules.json", "tokenizer.json", "tokenizer_config.json", "1_Pooling/config.json"] {
                #expect(project.files().exists("peft/retrieval/\(name)"), "\(name)")
            }
            let bytes = try project.files().bytes("peft/retrieval/tokenizer.json")
            try expectSameBytes(bytes, Data(contentsOf: URL(fileURLWithPath: PackagePath.example("jina-tiny/tokenizer.json"))), "tokenizer")
            try FileManager.default.removeItem(atPath: project.path("run/adapters"))
            let refused = try project.shoal([
                "embed", "--model", "model", "--adapter", "run", "--task", "retrieval", "--texts", "a", "--output", "x.npy",
            ])
            refused.expect(66)
        }
    }
}
