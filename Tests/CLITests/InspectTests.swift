// `shoal inspect` on one thing of each kind; a short run is trained for it, whose adapters are then embedded with.

import Files
import Foundation
import Support
import Testing

@Suite(.serialized) struct InspectTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func inspect(_ path: String, _ more: [String] = [], ranks: Int? = nil) throws -> String {
        try expectSuccess(["inspect", path] + more, ranks: ranks).standardOutput
    }

    /// Trains two steps on eight short rows, with a checkpoint each.
    private func trainedRun() throws -> String {
        let rows = (0..<8).map { #"{"query": "add \#($0)", "positive": "return \#($0) + 1"}"# + "\n" }.joined()
        let data = try folder.write("rows.jsonl", rows)
        let config = """
            base_model_path: \(ShoalProgram.model)
            data: {train: [{path: \(data), task: code}], cache_dir: \(folder.path("cache"))}
            training: {output_dir: \(folder.path("run")), max_steps: 2, save_steps: 1, global_batch_size: 8}
            lora: {r: 4, alpha: 8}
            """
        try expectSuccess(["train", "--config", try folder.write("config.yaml", config)])
        return folder.path("run")
    }

    @Test func aModel() throws {
        let text = try inspect(ShoalProgram.model, ["--verify"])
        #expect(text.hasPrefix("\(ShoalProgram.model): a model\n"))
        for words in [
            "6 layers of width 256, feed-forward 768, 4 heads of 64, 2 for keys and values", "BF16", "retrieval, text-matching, code",
            "32, 64, 128, 256", "8,192 tokens", "to width 128",
        ] { #expect(text.contains(words), "\(text)") }
        let sha256 = SHA256.hex(
            SHA256.hash(of: [UInt8](try Data(contentsOf: URL(fileURLWithPath: ShoalProgram.model + "/model.safetensors")))))
        #expect(text.contains("model.safetensors  \(sha256)"))
        #expect(try !inspect(ShoalProgram.model).contains(sha256))
    }

    @Test func imagesThatAreTurnedOrTransparentAreCounted() throws {
        let names = ["orientation6.jpg", "upright.png", "rgba.png", "ptrns.png"]
        for name in names {
            try FileManager.default.copyItem(atPath: PackagePath.golden("images/turned/\(name)"), toPath: folder.path(name))
        }
        let rows = names.map { #"{"query": "a page", "positive_image": "\#($0)"}"# + "\n" }.joined()
        let text = try inspect(folder.write("rows.jsonl", rows))
        #expect(text.firstMatch(of: /turned by EXIF +1 image file\n/) != nil, "\(text)")
        #expect(text.firstMatch(of: /with transparency +2 image files\n/) != nil, "\(text)")
    }

    @Test func aRunItsCheckpointsAndAdapters() throws {
        let run = try trainedRun()
        let text = try inspect(run, ["--verify"], ranks: 2)
        for words in [
            ": a run\n", "finished at step 2", "rows.jsonl, 8 rows", "rank 4, alpha 8, dropout 0.1", "of 6 layers; the projector", "step-1",
            "step-2", "whole: ",
        ] {
            #expect(text.contains(words), "\(text)")
        }
        let checkpoint = try inspect(run + "/checkpoints/step-2", ["--verify"])
        for words in [": a checkpoint of a run\n", "global batch of 8 rows", "whole: ", "F32", "retrieval, text-matching"] {
            #expect(checkpoint.contains(words), "\(checkpoint)")
        }
        let plain = try inspect(run + "/peft/code", ["--model", ShoalProgram.model])
        for words in [": adapters\n", "plain PEFT", "q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj of 6 layers", "BF16"] {
            #expect(plain.contains(words), "\(plain)")
        }
        try damaged(run)
        try adaptersEmbed(run)
    }

    @Test func rowsWithScoresAndARunOfSeveralTasks() throws {
        let rows = (0..<4).map { #"{"sentence1": "add \#($0)", "sentence2": "sum \#($0)", "score": \#($0).5}"# + "\n" }.joined()
        let graded = try folder.write("sts.jsonl", rows)
        let text = try inspect(graded, ["--model", ShoalProgram.model])
        for words in [": training rows\n", "0.5 to 3.5 in 4 rows", "0 in 0 rows"] { #expect(text.contains(words), "\(text)") }

        let pairs = try folder.write("rows.jsonl", (0..<4).map { #"{"query": "add \#($0)", "positive": "return \#($0)"}"# + "\n" }.joined())
        let config = """
            base_model_path: \(ShoalProgram.model)
            data: {train: [{path: \(pairs), task: code}, {path: \(graded), task: text-matching}], cache_dir: none}
            training: {output_dir: \(folder.path("two")), epochs: 1, global_batch_size: 4}
            lora: {r: 4, alpha: 8}
            """
        try expectSuccess(["train", "--config", try folder.write("two.yaml", config)])
        let run = try inspect(folder.path("two"))
        #expect(run.contains(#/mean loss +text-matching \d\.\d{4}, code \d\.\d{4} at the end/#), "\(run)")
    }

    private func damaged(_ run: String) throws {
        let path = run + "/checkpoints/step-2/optimizer.safetensors"
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[bytes.count - 1] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try expectFailure(
            65, ["inspect", run + "/checkpoints/step-2", "--verify"], "step-2: is damaged: optimizer.safetensors has SHA-256")
    }

    /// The run's folder, the plain adapter and a checkpoint are one adapter; only its own task has a plain one.
    private func adaptersEmbed(_ run: String) throws {
        func embed(_ adapter: String, _ task: String, _ output: String) -> [String] {
            [
                "embed", "--model", ShoalProgram.model, "--adapter", adapter, "--task", task, "--texts", "a text", "--output",
                folder.path(output),
            ]
        }
        try expectSuccess(embed(run, "code", "run.npy"))
        try expectSuccess(embed(run + "/peft/code/", "code", "peft.npy"))
        try expectSuccess(embed(run + "/checkpoints/step-1", "code", "checkpoint.npy"))
        try expectSuccess(embed("none", "code", "bare.npy"))
        try expectSameBytes(folder.bytes("peft.npy"), folder.bytes("run.npy"), "peft")
        #expect(try folder.bytes("run.npy") != folder.bytes("checkpoint.npy"))
        #expect(try folder.bytes("run.npy") != folder.bytes("bare.npy"))
        try expectFailure(78, embed(run + "/peft/code", "retrieval", "x.npy"), "peft/code: holds no adapter for retrieval, only for code")
    }

    @Test func dataFilesAndDatasets() throws {
        let data = PackagePath.example("python-stdlib/train.jsonl.gz")
        let bytes = try inspect(data)
        #expect(bytes.contains(": training rows\n") && bytes.contains("Lengths in bytes"))
        let tokens = try inspect(data, ["--model", ShoalProgram.model], ranks: 2)
        #expect(tokens.contains("4,266 rows") && tokens.contains("Lengths in tokens, prompt included"))
        #expect(try inspect(PackagePath.example("python-stdlib/test")).contains("judged queries  809"))
        let texts = try inspect(folder.write("texts.jsonl", "{\"text\": \"a\", \"task\": \"code\"}\n{\"text\": \"a\"}\n"))
        #expect(texts.contains(": texts\n") && texts.contains("distinct texts  1") && texts.contains("1 row"))
    }

    @Test func aSafetensorsFile() throws {
        let text = try inspect(ShoalProgram.model + "/model.safetensors")
        #expect(text.contains(": a safetensors file\n"))
        #expect(text.split(separator: "\n").contains { $0.contains("norm.weight") && $0.contains("BF16") && $0.contains("[256]") })
    }

    @Test(arguments: [nil, 2]) func whatIsNotThereIs66(ranks: Int?) throws {
        try expectFailure(66, ["inspect", "/nowhere"], ranks: ranks, "/nowhere: no such file or folder")
    }

    @Test func whatIsNothingOfOursIs65() throws {
        try expectFailure(65, ["inspect", folder.path], "is none of the folders that can be inspected")
        try expectFailure(65, ["inspect", try folder.write("a.txt", "a")], "a.txt: is none of the files that can be inspected")
        try expectFailure(65, ["inspect", try folder.write("a.safetensors", "short")], "a.safetensors: holds 5 bytes")
        let rows = "{\"query\": \"a\", \"positive\": \"b\"}\n{\"query\": \"a\", \"positive\": \"\"}\n"
        let result = try ShoalProgram.run(["inspect", try folder.write("rows.jsonl", rows)])
        #expect(result.exitCode == 65 && result.standardError.contains("rows.jsonl:2:28: \"positive\" is empty"))
        #expect(result.standardOutput.firstMatch(of: /rows that cannot be used +1\n/) != nil, "\(result.standardOutput)")
        #expect(result.standardOutput.firstMatch(of: /line 2 +"positive" is empty/) != nil, "\(result.standardOutput)")
    }
}
