// Reading backbones: real ones against numbers read from the same files with Python's safetensors, small ones for every layout
// that must be read alike, and every fault that must be named.

import Files
import Foundation
import Model
import Support
import Tensor
import Testing

struct CheckpointTests {
    // Numbers: safetensors.torch.load_file(...)[name][row, columns].tolist(), safetensors 0.8.0.
    @Test("jina-tiny: parameters and values, as Python reads them")
    func jinaTiny() throws {
        let checkpoint = try Checkpoint.read(folder: PackagePath.example("jina-tiny"))
        #expect(checkpoint.parameterCount == 8_212_928 && checkpoint.byteCount == 16_439_520)
        #expect(checkpoint.layers.count == 6 && checkpoint.files.count == 1)
        #expect(Array(checkpoint.embedding.widened()[5 * 256..<5 * 256 + 3]) == [0.0101318359375, -0.0242919921875, 0.03955078125])
        #expect(Array(checkpoint.finalNorm.prefix(3)) == [1.0, 1.0078125, 1.0078125])
        #expect(Array(checkpoint.layers[3].kBias.prefix(3)) == [-0.0206298828125, 0.0072021484375, -0.0137939453125])
        #expect(Array(checkpoint.layers[5].down.widened().suffix(3)) == [0.046142578125, -0.072265625, -0.05810546875])
        let projector = try #require(checkpoint.projector)
        #expect(Array(projector.weight.widened()[256..<258]) == [0.00579833984375, -0.0185546875] && projector.bias.count == 128)
        #expect(checkpoint.embedding.element == .bfloat16)
        let vision = try #require(checkpoint.vision)
        #expect(vision.patchEmbedding.rows == 128 && vision.patchEmbedding.columns == 1176)
        #expect(Array(vision.patchEmbedding.widened()[3 * 1176 + 500..<3 * 1176 + 502]) == [-0.002685546875, -0.0157470703125])
        #expect(Array(vision.blocks[2].qkv.bias.prefix(2)) == [0.0076904296875, 0.00457763671875])
        #expect(Array(vision.blocks[3].down.weight.widened().suffix(2)) == [-0.01190185546875, 0.0081787109375])
        #expect(Array(vision.mergerOutput.weight.widened()[512..<514]) == [0.0257568359375, -0.024658203125])
    }

    @Test("golden checkpoints: one bfloat16 file with old names, two float32 shards with new names")
    func golden() throws {
        let flat = try Checkpoint.read(folder: PackagePath.golden("text/flat-bf16/model"))
        #expect(flat.parameterCount == 153_264 && flat.embedding.element == .bfloat16)
        #expect(Array(flat.embedding.widened()[64..<67]) == [-1.7265625, 0.4765625, 0.1103515625])
        #expect(Array(flat.layers[1].up.widened()[2 * 64 + 62..<3 * 64]) == [-0.050537109375, 0.10400390625])
        let nested = try Checkpoint.read(folder: PackagePath.golden("text/nested-f32/model"))
        #expect(nested.parameterCount == 238_608 && nested.embedding.element == .float32 && nested.files.count == 2)
        #expect(Array(nested.embedding.widened()[96..<99]) == [-0.9931855201721191, -0.06932896375656128, -0.18846382200717926])
        #expect(Array(nested.finalNorm.prefix(3)) == [1.4134336709976196, 0.6478180289268494, 1.025726079940796])
        #expect(Array(nested.layers[1].vBias.prefix(2)) == [-0.05212324857711792, 0.30177727341651917])
    }

    @Test("matrices lie in the mapped file")
    func mapped() throws {
        let folder = try TemporaryFolder()
        try TinyCheckpoint().write(to: folder.path)
        let checkpoint = try Checkpoint.read(folder: folder.path)
        let file = checkpoint.files[0].file.bytes
        let range = file.baseAddress!..<file.baseAddress! + file.count
        let vision = try #require(checkpoint.vision)
        let tower = vision.blocks.flatMap { [$0.qkv, $0.output, $0.gate, $0.up, $0.down] } + [vision.mergerInput, vision.mergerOutput]
        let matrices = [checkpoint.embedding, vision.patchEmbedding] + checkpoint.layers.flatMap(\.matrices) + tower.map(\.weight)
        for matrix in matrices { #expect(range.contains(matrix.address)) }
    }

    @Test("shards, new names, wider types, an output head: the same weights")
    func layouts() throws {
        let plain = TinyCheckpoint()
        let expected = try values(plain)
        try expectSameBits(values(plain, shards: 3), expected, "shards")
        try expectSameBits(values(plain.renaming(newName)), expected, "new names")
        try expectSameBits(values(plain.renaming(newName), shards: 2), expected, "new names in shards")
        try expectSameBits(values(plain.converted(to: .f32)), expected, "float32")
        let generating = plain.changing { $0.append(outputHead(rows: TinyCheckpoint.vocabulary)) }
        try expectSameBits(values(generating), expected, "an output head")
        let half = try values(plain.converted(to: .f16))
        #expect(zip(half, expected).allSatisfy { abs($0 - $1) < 1e-3 } && half.count == expected.count)
    }

    @Test(
        "names by the class that saved them",
        arguments: [
            ["model.": "model.language_model.", "visual.": "model.visual."], ["model.": "language_model."],
            ["model.": "language_model.model."], ["model.embed": "embed", "model.layers.": "layers.", "model.norm": "norm"],
            ["model.": "language_model.", "visual.": "model.visual."], ["visual.": "model.visual."],
        ])
    func spellings(_ prefixes: [String: String]) throws {
        let renamed = TinyCheckpoint().renaming { name in
            prefixes.first { name.hasPrefix($0.key) }.map { $0.value + name.dropFirst($0.key.count) } ?? name
        }
        #expect(renamed.tensors.map(\.name) != TinyCheckpoint().tensors.map(\.name))
        try expectSameBits(values(renamed), values(TinyCheckpoint()), "\(prefixes)")
        try expectSameBits(values(renamed, shards: 2), values(TinyCheckpoint()), "\(prefixes) in shards")
        let head = TinyCheckpoint().changing { $0.append(outputHead(rows: TinyCheckpoint.vocabulary)) }
        try expectSameBits(values(head.renaming { "language_model." + $0 }.keepingTower), values(TinyCheckpoint()), "with a head")
    }

    @Test(
        "weights that are quantised, without a word in config.json",
        arguments: [
            ("self_attn.q_proj.qweight", "GPTQ or AWQ"), ("mlp.up_proj.qzeros", "GPTQ or AWQ"), ("mlp.up_proj.g_idx", "GPTQ"),
            ("self_attn.o_proj.weight_scale_inv", "FP8"), ("mlp.down_proj.weight_scale", "FP8"),
            ("mlp.gate_proj.weight_packed", "compressed-tensors"), ("mlp.gate_proj.weight.absmax", "bitsandbytes"),
        ])
    func quantised(_ name: String, _ format: String) throws {
        let tensor = TinyCheckpoint.StoredTensor(name: "model.layers.0." + name, dtype: .bf16, shape: [1], bytes: [0, 0])
        expectUserError(.content, "model.safetensors", "tensor \"model.layers.0.\(name)\" is of quantised weights (\(format)") {
            try read(TinyCheckpoint().changing { $0.append(tensor) })
        }
    }

    @Test("data at an odd address is copied to an even one")
    func misaligned() throws {
        let folder = try TemporaryFolder()
        try TinyCheckpoint().write(to: folder.path)
        let aligned = try Checkpoint.read(folder: folder.path).layers[1].gate.widened()
        // One more blank at the end of the header moves all data by a byte.
        var bytes = try folder.bytes("model.safetensors")
        let length = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
        bytes.insert(0x20, at: 8 + length)
        bytes.replaceSubrange(0..<8, with: withUnsafeBytes(of: UInt64(length + 1)) { Array($0) })
        try folder.write("model.safetensors", bytes)
        let gate = try Checkpoint.read(folder: folder.path).layers[1].gate
        #expect(Int(bitPattern: gate.address) % 2 == 0)
        expectSameBits(gate.widened(), aligned, "gate")
    }

    @Test("a text-only checkpoint, and one without a projector")
    func parts() throws {
        let textOnly = TinyCheckpoint().setting("vision_config", nil).changing { $0.removeAll { $0.name.hasPrefix("visual.") } }
        try expectSameBits(values(textOnly), values(TinyCheckpoint()), "text only")
        let text = try TemporaryFolder()
        try textOnly.write(to: text.path)
        #expect(try Checkpoint.read(folder: text.path).vision == nil)
        let merged = TinyCheckpoint().changing { $0.removeAll { $0.name.hasPrefix("multi_vector") } }
        let folder = try TemporaryFolder()
        for (checkpoint, dimension) in [(merged, 8), (merged.setting("multi_vector_projector_dim", nil), 128)] {
            try checkpoint.write(to: folder.path)
            let read = try Checkpoint.read(folder: folder.path)
            #expect(read.projector == nil && read.config.projectorDimension == dimension)
        }
    }

    @Test("every tensor is needed", arguments: TinyCheckpoint().tensors.map(\.name))
    func missingTensor(_ name: String) throws {
        expectUserError(.content, "model.safetensors", "holds no tensor \"\(name)\"") {
            try read(TinyCheckpoint().changing { $0.removeAll { $0.name == name } })
        }
    }

    @Test("every shape is checked", arguments: TinyCheckpoint().tensors.map(\.name))
    func wrongShape(_ name: String) throws {
        expectUserError(.content, "model.safetensors", "tensor \"\(name)\" has the shape") {
            try read(
                TinyCheckpoint().changing { tensors in
                    let i = tensors.firstIndex { $0.name == name }!
                    tensors[i].shape.append(1)
                })
        }
    }

    @Test("tensors that have no place, stand twice, or are of another type")
    func strangeTensors() throws {
        let tiny = TinyCheckpoint()
        func adding(_ name: String) -> TinyCheckpoint {
            tiny.changing { $0.append(.init(name: name, dtype: .bf16, shape: [1], bytes: [0, 0])) }
        }
        for name in [
            "model.layers.2.input_layernorm.weight", "model.layers.0.self_attn.o_proj.bias", "visual.blocks.2.norm1.weight", "x\u{A}y",
        ] {
            expectUserError(.content, "model.safetensors", "tensor \(quoted(name)) has no place in this model") { try read(adding(name)) }
        }
        expectUserError(.content, "tensor \"visual.", "has no place") { try read(tiny.setting("vision_config", nil)) }
        expectUserError(.content, "\"model.norm.weight\"", "\"model.language_model.norm.weight\"", "remove one") {
            try read(adding("model.language_model.norm.weight"))
        }
        expectUserError(.content, "tensor \"lm_head.weight\" has the shape [39, 32]") {
            try read(tiny.changing { $0.append(outputHead(rows: 39)) })
        }
        for dtype in [SafetensorsDType.i16, .f8e4m3] {
            expectUserError(.content, "tensor \"visual.blocks.0.attn.proj.bias\" is of type \(dtype.rawValue)", "BF16, F16 or F32") {
                try read(
                    tiny.changing { tensors in
                        let i = tensors.firstIndex { $0.name == "visual.blocks.0.attn.proj.bias" }!
                        tensors[i].dtype = dtype
                        tensors[i].bytes = Array(tensors[i].bytes.prefix(16 * dtype.byteWidth))
                    })
            }
        }
    }

    @Test("an index that does not agree with the shards")
    func index() throws {
        let second = "model-00002-of-00003.safetensors"
        func read(_ change: (inout JSONObject) -> Void, removing file: String? = nil) throws {
            let folder = try TemporaryFolder()
            try TinyCheckpoint().write(to: folder.path, shards: 3)
            if let file { try FileManager.default.removeItem(atPath: folder.path(file)) }
            let path = folder.path("model.safetensors.index.json")
            var map = try #require(try JSONValue.parse(file: path)["weight_map"]?.objectValue)
            change(&map)
            try folder.write("model.safetensors.index.json", (["weight_map": .object(map)] as JSONValue).serialized())
            _ = try Checkpoint.read(folder: folder.path)
        }
        try read { _ in }
        expectUserError(.missing, second, "no such file, though", "index.json lists it") { try read({ _ in }, removing: second) }
        expectUserError(.content, "index.json", "puts tensor \"model.norm.weight\" into \(second), which does not hold it") {
            try read { $0["model.norm.weight"] = .string(second) }
        }
        expectUserError(.content, "model-00001-of-00003.safetensors", "tensor \"model.norm.weight\" is not listed in the index") {
            try read { $0["model.norm.weight"] = nil }
        }
        for name: JSONValue in ["../model.safetensors", "/etc/passwd", "model.bin", 3, ""] {
            expectUserError(.content, "index.json", "does not give tensor \"model.norm.weight\" the plain name") {
                try read { $0["model.norm.weight"] = name }
            }
        }
        expectUserError(.content, "index.json", "lists no tensors") { try read { $0 = JSONObject() } }
    }

    @Test("the same tensor in two shards")
    func tensorInTwoShards() throws {
        let folder = try TemporaryFolder()
        try TinyCheckpoint().write(to: folder.path, shards: 2)
        let norm = try #require(TinyCheckpoint().tensors.first { $0.name == "model.norm.weight" })
        let second = folder.path("model-00002-of-00002.safetensors")
        let tensors = TinyCheckpoint().tensors
        try TinyCheckpoint.write(Array(tensors[(tensors.count / 2)...]) + [norm], to: second)
        expectUserError(.content, second, "tensor \"model.norm.weight\" is put into model-00001-of-00002.safetensors by the index") {
            _ = try Checkpoint.read(folder: folder.path)
        }
    }

    @Test("a folder without weights, with a pickle, with a file cut short")
    func noWeights() throws {
        let folder = try TemporaryFolder()
        try TinyCheckpoint().write(to: folder.path)
        let bytes = try folder.bytes("model.safetensors")
        try folder.write("model.safetensors", bytes.dropLast(5))
        expectUserError(.content, "model.safetensors", "cut short") { _ = try Checkpoint.read(folder: folder.path) }
        try FileManager.default.removeItem(atPath: folder.path("model.safetensors"))
        expectUserError(.missing, folder.path, "holds neither model.safetensors nor") { _ = try Checkpoint.read(folder: folder.path) }
        try folder.write("pytorch_model.bin", "PK")
        expectUserError(.missing, "convert it to safetensors") { _ = try Checkpoint.read(folder: folder.path) }
        for (name, sentence) in [
            ("q4.gguf", "q4.gguf holds weights in another format"), ("adapter_model.safetensors", "it holds an adapter"),
        ] {
            let other = try TemporaryFolder()
            try other.write("config.json", folder.bytes("config.json"))
            try other.write(name, "x")
            expectUserError(.missing, sentence) { _ = try Checkpoint.read(folder: other.path) }
        }
    }

    @Test("the fingerprint follows the content, not the folder")
    func fingerprint() throws {
        let (here, there) = (try TemporaryFolder(), try TemporaryFolder())
        try TinyCheckpoint().write(to: here.path, shards: 2)
        try TinyCheckpoint().write(to: there.path, shards: 2)
        let first = try Checkpoint.read(folder: here.path).fingerprint()
        #expect(try Checkpoint.read(folder: there.path).fingerprint() == first)
        var bytes = try there.bytes("model-00002-of-00002.safetensors")
        bytes[bytes.count - 1] ^= 1
        try there.write("model-00002-of-00002.safetensors", bytes)
        #expect(try Checkpoint.read(folder: there.path).fingerprint() != first)
        try TinyCheckpoint().setting("text_config.rms_norm_eps", 1e-5).write(to: there.path, shards: 2)
        #expect(try Checkpoint.read(folder: there.path).fingerprint() != first)
        try TinyCheckpoint().write(to: there.path, shards: 2)
        #expect(try Checkpoint.read(folder: there.path).fingerprint() == first)
        try there.write("tokenizer.json", "{}")
        #expect(try Checkpoint.read(folder: there.path).fingerprint() != first)
        withExtendedLifetime((here, there)) {}
    }

    private func read(_ checkpoint: TinyCheckpoint) throws {
        let folder = try TemporaryFolder()
        try checkpoint.write(to: folder.path)
        _ = try Checkpoint.read(folder: folder.path)
    }

    /// All weights of the decoder in one list.
    private func values(_ checkpoint: TinyCheckpoint, shards: Int = 1) throws -> [Float] {
        let folder = try TemporaryFolder()
        try checkpoint.write(to: folder.path, shards: shards)
        let read = try Checkpoint.read(folder: folder.path)
        return read.embedding.widened() + read.finalNorm
            + read.layers.flatMap { layer in
                [layer.q, layer.k, layer.v, layer.o, layer.gate, layer.up, layer.down].flatMap { $0.widened() }
                    + [layer.inputNorm, layer.postAttentionNorm, layer.qBias, layer.kBias, layer.vBias].flatMap { $0 }
            }
    }

    /// As transformers 4.52 and later write names.
    private func newName(_ name: String) -> String {
        if name.hasPrefix("model.") { return "model.language_model." + name.dropFirst("model.".count) }
        return name.hasPrefix("visual.") ? "model." + name : name
    }

    private func outputHead(rows: Int) -> TinyCheckpoint.StoredTensor {
        .init(name: "lm_head.weight", dtype: .bf16, shape: [rows, 32], bytes: [UInt8](repeating: 0, count: rows * 64))
    }
}

extension TinyCheckpoint {
    /// The tower's names and the projector's without what a renaming put before them.
    fileprivate var keepingTower: TinyCheckpoint {
        renaming { name in
            ["visual.", "multi_vector_projector."].first { name.hasPrefix("language_model." + $0) } == nil
                ? name : String(name.dropFirst("language_model.".count))
        }
    }
}

extension WeightMatrix {
    /// Where the first element lies.
    fileprivate var address: UnsafeRawPointer { bytes.withUnsafeBytes { $0.baseAddress! } }
}
