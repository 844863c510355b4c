// Adapters read and written against files of the reference: the published layout, and what PEFT 0.21 saves itself
// (Tests/Golden/text/README.md says how both were made).

import Files
import Foundation
import Model
import Support
import Tensor
import Testing

struct AdapterFileTests {
    private let shapes = ["flat-bf16", "nested-f32"]

    private func golden(_ shape: String, _ part: String) -> String { PackagePath.golden("text/\(shape)/\(part)") }

    private func config(_ shape: String) throws -> ModelConfig { try .read(folder: golden(shape, "model")) }

    @Test("the published layout: settings, tasks, values", arguments: [("flat-bf16", 4, 2), ("nested-f32", 8, 3)])
    func published(_ shape: String, _ rank: Int, _ layers: Int) throws {
        let folder = golden(shape, "published")
        let set = try AdapterFile.read(folder, config: config(shape))
        #expect(set.rank == rank && set.alpha == 8 && set.dropout == 0 && set.initialization == .gaussian && !set.isPlain)
        #expect(set.tasks.map(\.task) == ["retrieval", "text-matching", "code"])
        #expect(set.layout.pairs.count == 7 * layers + 1)
        let file = try SafetensorsFile(path: folder + "/adapter_model.safetensors")
        var compared = 0
        for adapter in set.tasks {
            for factor in adapter.layout.factors {
                let entry = try #require(file["base_model.model.\(factor.name).\(adapter.task).weight"])
                adapter.values[factor.range].withUnsafeBytes { expectSameBytes($0, file.bytes(of: entry), factor.name) }
                compared += 1
            }
        }
        #expect(compared == file.entries.count)
    }

    @Test("read and written again, the published files have the same bytes", arguments: ["flat-bf16", "nested-f32"])
    func publishedBytes(_ shape: String) throws {
        let set = try AdapterFile.read(golden(shape, "published"), config: config(shape))
        let folder = try TemporaryFolder()
        try AdapterFile.writePublished(
            set.tasks, .init(dropout: 0, initialization: .gaussian, base: "jinaai/jina-embeddings-v4"), as: .float32, to: folder.path("run")
        )
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            let original = try Data(contentsOf: URL(fileURLWithPath: golden(shape, "published") + "/" + name))
            try expectSameBytes(folder.bytes("run/" + name), original, name)
        }
    }

    @Test(
        "what PEFT saved for one task is that task of the published file, and is written again as PEFT did",
        arguments: ["flat-bf16", "nested-f32"])
    func plain(_ shape: String) throws {
        let published = try AdapterFile.read(golden(shape, "published"), config: config(shape))
        let set = try AdapterFile.read(golden(shape, "peft"), config: config(shape))
        #expect(set.isPlain && set.tasks.map(\.task) == ["retrieval"] && set.rank == published.rank && set.alpha == published.alpha)
        let adapter = try #require(set.adapter(for: "retrieval"))
        let reference = try #require(published.adapter(for: "retrieval"))
        expectSameBits(adapter.values, Array(reference.values.prefix(reference.layout.decoderCount)), "what PEFT saved")
        #expect(adapter.layout.pairs == Array(reference.layout.pairs.dropLast()))

        let folder = try TemporaryFolder()
        try AdapterFile.writePEFT(
            reference, .init(dropout: 0, initialization: .gaussian, base: shape), as: .float32, to: folder.path("peft/code"))
        let original = try Data(contentsOf: URL(fileURLWithPath: golden(shape, "peft/adapter_model.safetensors")))
        try expectSameBytes(folder.bytes("peft/code/adapter_model.safetensors"), original, "adapter")
        let written = try JSONValue.parse(file: folder.path("peft/code/adapter_config.json"))
        let peft = try JSONValue.parse(file: golden(shape, "peft/adapter_config.json"))
        let own: Set = ["target_modules", "exclude_modules", "task_type", "auto_mapping"]
        for (key, value) in try #require(written.objectValue).entries where !own.contains(key) {
            #expect(value.serialized() == peft[key]?.serialized(), "\(key)")
        }
        let linears = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
        #expect(written["target_modules"]?.arrayValue?.compactMap(\.stringValue) == linears)
        #expect(written["exclude_modules"]?.stringValue == ".*visual.*" && written["task_type"]?.isNull == true)
        // What PEFT itself writes for an adapter without a task.
        let idle = try JSONValue.parse(file: PackagePath.golden("adapters/rslora/adapter_config.json"))
        #expect(written["auto_mapping"]?.serialized(sortedKeys: true) == idle["auto_mapping"]?.serialized(sortedKeys: true))
        // A plain adapter takes its task from the caller, or from its folder.
        #expect(try AdapterFile.read(folder.path("peft/code"), config: config(shape)).tasks.map(\.task) == ["code"])
        #expect(try AdapterFile.read(folder.path("peft/code"), config: config(shape), task: "retrieval").tasks.map(\.task) == ["retrieval"])
    }

    @Test(
        "names by wrapped class, with and without `default`",
        arguments: [
            ("base_model.model.model.language_model.layers", "base_model.model.language_model.layers"),
            ("base_model.model.model.language_model.layers", "base_model.model.layers"),
            ("base_model.model.model.language_model.layers", "base_model.model.model.layers"),
            ("model.language_model.", "language_model.model."), ("model.language_model.", "model.language_model.model."),
            ("model.language_model.", "model.model."), ("model.language_model.", "0.auto_model.language_model."),
            ("model.language_model.", "auto_model."), ("model.language_model.layers", "_orig_mod.model.language_model.layers"),
            ("model.language_model.layers", "module.model.layers"), (".mlp.", "._checkpoint_wrapped_module.mlp."),
            (".lora_A.", ".lora_A.default."),
        ])
    func spellings(_ old: String, _ new: String) throws {
        for part in ["peft", "published"] {
            let expected = try AdapterFile.read(golden("nested-f32", part), config: config("nested-f32"))
            let folder = try edited(
                part, tensors: { for i in $0.indices { $0[i].name = $0[i].name.replacingOccurrences(of: old, with: new) } })
            let set = try AdapterFile.read(folder.path, config: config("nested-f32"))
            #expect(set.tasks.map(\.task) == expected.tasks.map(\.task))
            for (found, expected) in zip(set.tasks, expected.tasks) { expectSameBits(found.values, expected.values, expected.task) }
        }
    }

    @Test("bfloat16 files: rounded once, then the same bytes for ever; float16 is read")
    func bfloat16() throws {
        let config = try config("nested-f32")
        let exact = try AdapterFile.read(golden("nested-f32", "published"), config: config)
        let folder = try TemporaryFolder()
        let description = AdapterFile.Description(dropout: 0.1, initialization: .kaiming, base: "m")
        try AdapterFile.writePublished(exact.tasks, description, as: .bfloat16, to: folder.path("a"))
        let rounded = try AdapterFile.read(folder.path("a"), config: config)
        #expect(rounded.dropout == 0.1 && rounded.initialization == .kaiming)
        for (rounded, exact) in zip(rounded.tasks, exact.tasks) {
            expectSameBits(rounded.values, exact.values.map { BFloat16(rounding: $0).float }, exact.task)
        }
        try AdapterFile.writePublished(rounded.tasks, description, as: .bfloat16, to: folder.path("b"))
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            try expectSameBytes(folder.bytes("b/" + name), folder.bytes("a/" + name), name)
        }

        let half = try edited("peft") { tensors in
            for i in tensors.indices {
                let floats = tensors[i].bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
                tensors[i].dtype = .f16
                tensors[i].bytes = floats.map { Float16($0) }.withUnsafeBytes { Array($0) }
            }
        }
        let plain = try AdapterFile.read(golden("nested-f32", "peft"), config: config).tasks[0]
        let halves = try AdapterFile.read(half.path, config: config).tasks[0].values
        expectSameBits(halves, plain.values.map { Float(Float16($0)) }, "float16")
    }

    @Test("a folder written as a whole holds the files that its summary lists")
    func pendingFolder() throws {
        let set = try AdapterFile.read(golden("flat-bf16", "published"), config: config("flat-bf16"))
        let folder = try TemporaryFolder()
        let pending = try PendingFolder(destination: folder.path("step-1"))
        let files = try AdapterFile.writePublished(
            set.tasks, .init(dropout: 0, initialization: .gaussian, base: "m"), as: .float32, into: pending)
        try pending.commit()
        #expect(files.map(\.name).sorted() == ["adapter_config.json", "adapter_model.safetensors"])
        for (name, summary) in files {
            let bytes = try folder.bytes("step-1/" + name)
            #expect(summary.size == bytes.count && summary.sha256 == SHA256.hex(SHA256.hash(of: bytes)))
        }
        let read = try AdapterFile.read(folder.path("step-1"), config: config("flat-bf16"))
        expectSameBits(read.tasks[2].values, set.tasks[2].values, set.tasks[2].task)
    }

    @Test("some linears of some layers: written and read as they are")
    func partialLayouts() throws {
        let config = try config("nested-f32")
        for targets in [["q_proj"], ["layers.1.mlp.up_proj", "layers.0.mlp.up_proj"], ["v_proj", "multi_vector_projector"]] {
            let layout = AdapterLayout(config, rank: 2, alpha: 3.5) { module in targets.contains { module.hasSuffix($0) } }
            let adapter = Adapter(task: "code", layout: layout, values: (0..<layout.count).map { Float($0) })
            let folder = try TemporaryFolder()
            try AdapterFile.writePublished(
                [adapter], .init(dropout: 0, initialization: .gaussian, base: "m"), as: .float32, to: folder.path)
            let set = try AdapterFile.read(folder.path, config: config)
            #expect(set.layout == layout && set.tasks.map(\.task) == ["code"])
            expectSameBits(set.tasks[0].values, adapter.values, "\(targets)")
        }
    }

    @Test("output that cannot be written")
    func unwritable() throws {
        let set = try AdapterFile.read(golden("flat-bf16", "peft"), config: config("flat-bf16"))
        let folder = try TemporaryFolder()
        try folder.write("file", "")
        expectUserError(.output, folder.path("file/run")) {
            try AdapterFile.writePEFT(
                set.tasks[0], .init(dropout: 0, initialization: .gaussian, base: "m"), as: .bfloat16, to: folder.path("file/run"))
        }
    }

    /// A copy of nested-f32's adapter with changed tensors.
    private func edited(_ part: String, tensors change: (inout [TinyCheckpoint.StoredTensor]) throws -> Void) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        var tensors = try TinyCheckpoint.tensors(of: golden("nested-f32", part) + "/adapter_model.safetensors")
        try change(&tensors)
        try TinyCheckpoint.write(tensors, to: folder.path("adapter_model.safetensors"))
        try FileManager.default.copyItem(
            atPath: golden("nested-f32", part) + "/adapter_config.json", toPath: folder.path("adapter_config.json"))
        return folder
    }
}
