// The projector of a backbone that brings none: made from the seed, saved with the adapter, and read back from its folder.

import Files
import Foundation
import Model
import Support
import Tensor
import Testing

@Suite struct ProjectorTests {
    private let folder: TemporaryFolder
    /// Without a projector.
    private let plain: Checkpoint

    init() throws {
        folder = try TemporaryFolder()
        try TinyCheckpoint().changing { $0.removeAll { $0.name.hasPrefix("multi_vector_projector") } }.write(to: folder.path("plain"))
        plain = try Checkpoint.read(folder: folder.path("plain"))
    }

    private var adapter: Adapter {
        Adapter(task: "code", layout: AdapterLayout(plain.config, rank: 2, alpha: 4) { _ in true }, seed: 1, .gaussian)
    }

    private func description(_ projector: Projector?) -> AdapterFile.Description {
        .init(dropout: 0, initialization: .gaussian, base: "m", projector: projector)
    }

    private func values(_ projector: Projector?) throws -> [Float] {
        let projector = try #require(projector)
        return projector.weight.widened() + projector.bias
    }

    /// As torch begins a linear: uniform within ±1/√inputs, mean 0, deviation 1/√(3·inputs).
    @Test func aRandomProjectorIsAFunctionOfTheSeed() throws {
        let config = try ModelConfig.read(folder: PackagePath.example("jina-tiny"))
        let projector = Projector(config, seed: 42)
        #expect(projector.weight.rows == 128 && projector.weight.columns == 256 && projector.bias.count == 128)
        let weights = projector.weight.widened()
        #expect(weights.allSatisfy { abs($0) <= 1 / 16 } && projector.bias.allSatisfy { abs($0) <= 1 / 16 })
        let mean = weights.reduce(0.0) { $0 + Double($1) } / Double(weights.count)
        let deviation = (weights.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(weights.count)).squareRoot()
        #expect(abs(mean) < 1e-3 && abs(deviation - 1 / (16 * 3.0.squareRoot())) < 3e-4, "mean \(mean), deviation \(deviation)")
        #expect(Set(weights).count > 30_000 && projector.bias != Array(weights.prefix(128)))
        try expectSameBits(values(Projector(config, seed: 42)), values(projector), "the same seed")
        #expect(try values(Projector(config, seed: 43)) != values(projector))
    }

    @Test func itLiesBesideTheAdapterBitForBit() throws {
        let projector = Projector(plain.config, seed: 1)
        try AdapterFile.writePublished([adapter], description(projector), as: .bfloat16, to: folder.path("run"))
        try AdapterFile.writePEFT(adapter, description(projector), as: .bfloat16, to: folder.path("run/peft/code"))
        let pending = try PendingFolder(destination: folder.path("step-1"))
        let files = try AdapterFile.writePublished([adapter], description(projector), as: .float32, into: pending)
        try pending.commit()
        #expect(files.map(\.name).contains("multi_vector_projector.safetensors"))
        for name in ["run", "run/peft/code", "step-1"] {
            let set = try AdapterFile.read(folder.path(name), config: plain.config)
            try expectSameBits(values(set.projector(on: plain)), values(projector), name)
        }
        let file = try SafetensorsFile(path: folder.path("run/multi_vector_projector.safetensors"))
        #expect(Set(file.entries.map(\.name)) == ["multi_vector_projector.weight", "multi_vector_projector.bias"])
        #expect(file["multi_vector_projector.weight"]?.shape == [8, 32] && file["multi_vector_projector.weight"]?.dtype == .f32)

        try AdapterFile.writePublished([adapter], description(nil), as: .bfloat16, to: folder.path("dense"))
        #expect(try AdapterFile.read(folder.path("dense"), config: plain.config).projector == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("dense")).count == 2)
    }

    @Test func aBackboneWithItsOwnRefusesAnother() throws {
        try TinyCheckpoint().write(to: folder.path("whole"))
        let whole = try Checkpoint.read(folder: folder.path("whole"))
        try AdapterFile.writePublished([adapter], description(Projector(plain.config, seed: 1)), as: .bfloat16, to: folder.path("run"))
        let set = try AdapterFile.read(folder.path("run"), config: whole.config)
        expectUserError(.configuration, "run/multi_vector_projector.safetensors: ", "whole has one of its own") {
            _ = try set.projector(on: whole)
        }
    }

    @Test func damageIsNamed() throws {
        try AdapterFile.writePublished([adapter], description(Projector(plain.config, seed: 1)), as: .bfloat16, to: folder.path("run"))
        let path = folder.path("run/multi_vector_projector.safetensors")
        let whole = try TinyCheckpoint.tensors(of: path)
        func read(_ change: (inout [TinyCheckpoint.StoredTensor]) -> Void) throws {
            var tensors = whole
            change(&tensors)
            try TinyCheckpoint.write(tensors, to: path)
            _ = try AdapterFile.read(folder.path("run"), config: plain.config)
        }
        try read { _ in }
        let weight = try #require(whole.firstIndex { $0.name.hasSuffix("weight") })
        expectUserError(.content, path, "holds no tensor \"multi_vector_projector.weight\"") { try read { $0.remove(at: weight) } }
        expectUserError(.content, path, "has the shape [32, 8]") { try read { $0[weight].shape = [32, 8] } }
        expectUserError(.content, path, "not finite") { try read { $0[weight].bytes.replaceSubrange(0..<4, with: [0, 0, 192, 127]) } }
        expectUserError(.content, path, "\"other\" has no place") {
            try read { $0.append(.init(name: "other", dtype: .f32, shape: [1], bytes: [0, 0, 0, 0])) }
        }
    }

    /// Late vectors from a projector that was added are those of a backbone that has it.
    @Test func anAddedProjectorIsAsGoodAsTheBackbones() throws {
        try TinyCheckpoint().write(to: folder.path("whole"))
        let whole = try Checkpoint.read(folder: folder.path("whole"))
        let tokens = PackedTokens([[3, 4, 5, 6], [7, 8]])
        let engine = MatrixEngine(.float32)
        let model = JinaEmbeddingsV4(plain, engine, maxTokens: 16).adding(try #require(whole.projector))
        let expected = JinaEmbeddingsV4(whole, engine, maxTokens: 16).embed(tokens, nil, heads: .late).late!
        expectSameBits(model.embed(tokens, nil, heads: .late).late!.values, expected.values, "late vectors", shape: expected.shape)
    }
}
