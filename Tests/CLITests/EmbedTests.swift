// `shoal embed`: its three formats, its texts, its adapters, and every fault of its flags.

import Files
import Foundation
import Support
import Testing

@Suite(.serialized) struct EmbedTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func arguments(_ more: [String], output: String = "out.npy", task: String = "retrieval") -> [String] {
        ["embed", "--model", ShoalProgram.model, "--task", task] + more + ["--output", folder.path(output)]
    }

    private static let rows = """
        {"text": "def add(a, b):\\n    return a + b", "task": "code", "prompt": "passage"}
        {"text": "é, and more words than the first has", "note": 1}

        {"text": "same", "task": "text-matching", "prompt": "passage"}
        """

    /// Values of a .npy file and its shape, by the format's own rules.
    private func numpy(_ name: String) throws -> (rows: Int, columns: Int, values: [Float]) {
        let bytes = try folder.bytes(name)
        #expect(bytes.starts(with: [0x93] + Array("NUMPY".utf8) + [1, 0]))
        let length = Int(bytes[8]) | Int(bytes[9]) << 8
        #expect((10 + length) % 64 == 0 && bytes[9 + length] == UInt8(ascii: "\n"))
        let header = String(decoding: bytes[10..<10 + length], as: UTF8.self)
        let match = try #require(header.firstMatch(of: /^{'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\), } *\n$/))
        let values = bytes[(10 + length)...].withUnsafeBytes { data in
            (0..<data.count / 4).map { data.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
        let (rows, columns) = (Int(match.1)!, Int(match.2)!)
        #expect(values.count == rows * columns)
        return (rows, columns, values)
    }

    @Test func ranksDoNotChangeABit() throws {
        let file = try folder.write("rows.jsonl", Self.rows)
        let texts = ["--texts", "how do whales sleep", "x", "--text-file", file]
        try expectSuccess(arguments(texts, output: "one.npy"))
        try expectSuccess(arguments(texts + ["--threads", "1"], output: "two.npy"), ranks: 2)
        try expectSameBytes(folder.bytes("two.npy"), folder.bytes("one.npy"), "two ranks")
        let (rows, columns, values) = try numpy("one.npy")
        #expect(rows == 5 && columns == 256)
        for row in 0..<rows {
            let norm = values[row * columns..<(row + 1) * columns].reduce(0) { $0 + $1 * $1 }
            #expect(abs(norm - 1) < 1e-5)
        }
    }

    @Test func textsComeFirstAndRowsKeepTheirTaskAndPrompt() throws {
        let file = try folder.write("rows.jsonl", Self.rows)
        try expectSuccess(arguments(["--texts", "a question", "--text-file", file], output: "out.jsonl"))
        let lines = String(decoding: try folder.bytes("out.jsonl"), as: UTF8.self).split(separator: "\n")
        let rows = try lines.map { try JSONValue.parse(Array($0.utf8), path: "out.jsonl") }
        #expect(rows.map { $0["task"]?.stringValue } == ["retrieval", "code", "retrieval", "text-matching"])
        #expect(rows.map { $0["prompt"]?.stringValue } == ["query", "passage", "query", "passage"])
        #expect(rows[1]["text"]?.stringValue == "def add(a, b):\n    return a + b")
        #expect(rows.allSatisfy { $0["embedding"]?.arrayValue?.count == 256 })
    }

    @Test func formatsHoldTheSameFloats() throws {
        for name in ["out.npy", "out.jsonl", "out.safetensors"] { try expectSuccess(arguments(["--texts", "a", "b c"], output: name)) }
        let values = try numpy("out.npy").values
        let file = try SafetensorsFile(path: folder.path("out.safetensors"))
        let entry = try #require(file["embeddings"])
        #expect(entry.dtype == .f32 && entry.shape == [2, 256] && file.entries.count == 1)
        values.withUnsafeBytes { expectSameBytes(file.bytes(of: entry), $0, "safetensors") }
        let lines = String(decoding: try folder.bytes("out.jsonl"), as: UTF8.self).split(separator: "\n")
        let read = try lines.flatMap { line in
            try JSONValue.parse(Array(line.utf8), path: nil)["embedding"]!.arrayValue!.map { Float($0.numberValue!) }
        }
        expectSameBits(read, values, "JSON lines")
    }

    @Test func aWidthIsANormalisedPrefix() throws {
        try expectSuccess(arguments(["--texts", "a text"]))
        try expectSuccess(arguments(["--texts", "a text", "--truncate-dim", "64"], output: "narrow.npy"))
        let prefix = try numpy("out.npy").values.prefix(64)
        let norm = prefix.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let narrow = try numpy("narrow.npy")
        #expect(narrow.columns == 64)
        for (value, whole) in zip(narrow.values, prefix) { #expect(abs(value - whole / norm) < 1e-6) }
    }

    /// A tensor a text, named by its place, whatever order the file has them in.
    @Test func tokenVectorsAreAMatrixAText() throws {
        let file = try folder.write("rows.jsonl", Self.rows)
        let texts =
            ["--multi-vector", "--text-file", file, "--texts", "a b c"] + (0..<12).map { String(repeating: "word ", count: 1 + $0) }
        try expectSuccess(arguments(texts, output: "one.safetensors"))
        let result = try expectSuccess(arguments(texts + ["--threads", "1"], output: "two.safetensors"), ranks: 3)
        try expectSameBytes(folder.bytes("two.safetensors"), folder.bytes("one.safetensors"), "two ranks")
        let written = try SafetensorsFile(path: folder.path("one.safetensors"))
        #expect(Set(written.entries.map(\.name)) == Set((0..<16).map(String.init)))
        var tokens = 0
        for entry in written.entries {
            #expect(entry.dtype == .f32 && entry.shape.count == 2 && entry.shape[1] == 128)
            tokens += entry.shape[0]
            let values = written.bytes(of: entry).withMemoryRebound(to: Float.self) { Array($0) }
            for row in 0..<entry.shape[0] {
                let norm = values[row * 128..<(row + 1) * 128].reduce(0) { $0 + $1 * $1 }
                #expect(abs(norm - 1) < 1e-5)
            }
        }
        #expect(result.standardError.contains("two.safetensors: \(tokens) vectors of width 128 for 16 texts"))
        // Each by itself gives the same; a repeated word one vector more.
        for (name, text) in [("0", "a b c"), ("2", "word word "), ("12", String(repeating: "word ", count: 12))] {
            try expectSuccess(arguments(["--multi-vector", "--texts", text], output: "alone.safetensors"))
            let alone = try SafetensorsFile(path: folder.path("alone.safetensors"))
            #expect(try alone.bytes(of: #require(alone["0"])).elementsEqual(written.bytes(of: #require(written[name]))), "\(name)")
            withExtendedLifetime(alone) {}
        }
        #expect(try #require(written["12"]).shape[0] == #require(written["2"]).shape[0] + 10)
        withExtendedLifetime(written) {}
    }

    @Test(arguments: [nil, 2]) func aBackboneWithoutProjectorNeedsTheAdapters(ranks: Int?) throws {
        let (whole, plain) = (folder.path("whole"), folder.path("plain"))
        try TinyCheckpoint(vocabulary: 8256).write(to: whole)
        try TinyCheckpoint(vocabulary: 8256).changing { $0.removeAll { $0.name.hasPrefix("multi_vector_projector") } }.write(to: plain)
        for model in [whole, plain] {
            try FileManager.default.copyItem(atPath: ShoalProgram.model + "/tokenizer.json", toPath: model + "/tokenizer.json")
        }
        func arguments(_ model: String, _ adapter: String, _ output: String) -> [String] {
            [
                "embed", "--model", model, "--adapter", adapter, "--task", "code", "--texts", "a text", "--multi-vector", "--threads", "1",
                "--output", folder.path(output),
            ]
        }
        try expectFailure(66, arguments(plain, "none", "x.safetensors"), ranks: ranks, "plain: the backbone has no projector")
        let config = try folder.write(
            "run.yaml",
            """
            base_model_path: \(plain)
            data: {train: [{path: \(try folder.write("train.jsonl", #"{"query": "a", "positive": "b"}"# + "\n")), task: code}]}
            training: {output_dir: \(folder.path("run")), max_steps: 1, global_batch_size: 1}

            """)
        try expectSuccess(["train", "--config", config])
        let file = folder.path("run/adapters/multi_vector_projector.safetensors")
        #expect(!FileManager.default.fileExists(atPath: file), "single vectors alone were trained")
        try expectFailure(
            66, arguments(plain, folder.path("run"), "x.safetensors"), ranks: ranks,
            "run/adapters/multi_vector_projector.safetensors: no such file")

        let tensors = try TinyCheckpoint.tensors(of: whole + "/model.safetensors").filter { $0.name.hasPrefix("multi_vector_projector") }
        try expectSuccess(arguments(whole, folder.path("run"), "whole.safetensors"))
        try TinyCheckpoint.write(tensors, to: file)
        try expectSuccess(arguments(plain, folder.path("run"), "plain.safetensors"), ranks: ranks)
        try expectSameBytes(folder.bytes("plain.safetensors"), folder.bytes("whole.safetensors"), "plain")
        try expectFailure(78, arguments(whole, folder.path("run"), "x.safetensors"), ranks: ranks, "whole has one of its own")
        #expect(try !folder.names.contains { $0.contains("x.safetensors") })
    }

    @Test func promptsChangeTheEmbeddingExceptInTextMatching() throws {
        for task in ["retrieval", "text-matching"] {
            for prompt in ["query", "passage"] {
                try expectSuccess(arguments(["--texts", "a text", "--prompt", prompt], output: "\(task)-\(prompt).npy", task: task))
            }
        }
        #expect(try folder.bytes("retrieval-query.npy") != folder.bytes("retrieval-passage.npy"))
        try expectSameBytes(folder.bytes("text-matching-query.npy"), folder.bytes("text-matching-passage.npy"), "queries")
    }

    @Test func saysWhatItCutAndThatTheBackboneIsBare() throws {
        let result = try expectSuccess(arguments(["--texts", "one two three four five six", "a", "--max-length", "4"]))
        #expect(result.standardError.contains("notice: 1 text was longer than 4 tokens and cut there"))
        #expect(result.standardError.contains("has no adapters: the bare backbone embeds"))
        #expect(try expectSuccess(arguments(["--texts", "a", "--adapter", "none"])).standardError.contains("bare") == false)
    }

    @Test func plainFileIsOneTextALine() throws {
        let file = try folder.write("texts.txt", "first\r\nsecond\n")
        try expectSuccess(arguments(["--text-file", file], output: "file.npy"))
        try expectSuccess(arguments(["--texts", "first", "second"], output: "flags.npy"))
        try expectSameBytes(folder.bytes("file.npy"), folder.bytes("flags.npy"), "file")
    }
}

/// Each fault with its code and its sentence.
extension EmbedTests {
    @Test(arguments: [nil, 2]) func emptyLineNamesItsPlace(ranks: Int?) throws {
        let file = try folder.write("texts.txt", "first\n\nthird\n")
        try expectFailure(65, arguments(["--text-file", file]), ranks: ranks, "texts.txt:2: the line is empty")
        #expect(try folder.names == ["texts.txt"])
    }

    @Test func badRowsNameTheirPlace() throws {
        for (row, words) in [
            (#"{"text": ""}"#, "rows.jsonl:2:10: \"text\" is empty"), (#"{"txt": "a"}"#, "rows.jsonl:2"),
            (#"{"text": "a", "task": "poetry"}"#, "\"task\" is \"poetry\""),
            (#"{"text": "a", "prompt": "document"}"#, "\"prompt\" is \"document\"; it must be query, passage, none, or a text"),
            ("{", "rows.jsonl:2"),
        ] {
            let file = try folder.write("rows.jsonl", #"{"text": "fine"}"# + "\n\(row)\n")
            try expectFailure(65, arguments(["--text-file", file]), words)
        }
        try expectFailure(65, arguments(["--text-file", try folder.write("none.txt", "")]), "none.txt: the file holds no texts")
        try expectFailure(66, arguments(["--text-file", folder.path("absent.txt")]), "absent.txt: no such file")
    }

    @Test func flagsThatCannotBeMeant() throws {
        let text = ["--texts", "a"]
        try expectFailure(64, arguments(text, task: "poetry"), "--task: the model has no task \"poetry\"; it has retrieval")
        try expectFailure(64, arguments(text + ["--truncate-dim", "100"]), "--truncate-dim: the model has no width 100; its widths are 32")
        try expectFailure(64, arguments(text + ["--max-length", "8193"]), "--max-length: 8193 tokens", "its limit is 8192")
        try expectFailure(64, arguments(text + ["--max-length", "0"]), "--max-length is 0")
        try expectFailure(64, arguments(text + ["--threads", "0"]), "--threads is 0")
        try expectFailure(
            64, arguments(text + ["--prompt", "document"]), "'document'", "--prompt", "it must be query, passage, none, or a text")
        try expectFailure(64, arguments(text + ["--compute-dtype", "int8"]), "'int8'", "--compute-dtype")
        try expectFailure(64, arguments(text, output: "out.npz"), "--output:", "must end in one of .npy, .jsonl, .safetensors")
        let many = text + ["--multi-vector"]
        try expectFailure(64, arguments(many + ["--truncate-dim", "64"], output: "a.safetensors"), "have one width; leave one out")
        try expectFailure(64, arguments(many), "--output: ", "out.npy\" cannot hold token vectors", "must end in .safetensors")
        try expectFailure(64, arguments(many, output: "out.jsonl"), "must end in .safetensors")
        try expectFailure(64, arguments([]), "nothing to embed")
        try expectFailure(64, arguments(["--texts", "a", " "]), "--texts: text 2 is empty")
    }

    @Test func placesThatAreNotThere() throws {
        let text = ["--texts", "a"]
        try expectFailure(
            66, ["embed", "--model", "/nowhere", "--task", "code", "--texts", "a", "--output", "a.npy"], "/nowhere: no such folder")
        try expectFailure(66, arguments(text + ["--adapter", "/nowhere"]), "/nowhere: no such folder")
        try expectFailure(66, arguments(text + ["--adapter", folder.path]), "holds no adapter_model.safetensors")
        try expectFailure(73, arguments(text, output: "absent/out.npy"), "absent/out.npy: cannot be created", "create the folder first")
        try expectFailure(
            73, arguments(text + ["--multi-vector"], output: "absent/out.safetensors"), ranks: 2,
            "absent/out.safetensors: cannot be created")
    }
}
