// The promise that an image's features are its own, whatever else is in the call.

import Files
import Images
import Model
import Support
import Synthetic
import Tensor
import Testing

@Suite(.serialized) struct VisionTowerTests {
    private static let grids = [
        ImageGrid(frames: 1, height: 8, width: 8), ImageGrid(frames: 1, height: 2, width: 2), ImageGrid(frames: 2, height: 6, width: 10),
        ImageGrid(frames: 1, height: 26, width: 28),
    ]

    private func images(_ config: ModelConfig.Vision) -> [ImagePatches] {
        let width = config.inChannels * config.temporalPatchSize * config.patchSize * config.patchSize
        return Self.grids.enumerated().map { index, grid in
            ImagePatches(grid: grid, values: Samples(seed: UInt64(index)).uniform(grid.count, width))
        }
    }

    @Test(arguments: ["jina-tiny", "tiny"]) func anImagesBitsAreItsOwn(_ name: String) throws {
        try expectOwnBits(name, MatrixEngine(.float32))
    }

    @Test(arguments: ["jina-tiny", "tiny"]) func anImagesBitsAreItsOwnInBFloat16(_ name: String) throws {
        try expectOwnBits(name, MatrixEngine(.bfloat16))
    }

    private func expectOwnBits(_ name: String, _ engine: MatrixEngine) throws {
        let folder = try TemporaryFolder()
        try TinyCheckpoint().write(to: folder.path)
        let weights = try #require(Checkpoint.read(folder: name == "tiny" ? folder.path : PackagePath.example(name)).vision)
        let images = images(weights.config)
        let tower = VisionTower(weights, engine)
        let together = withThreads(1) { tower.forward(images) }
        #expect(together.rows == 16 + 1 + 30 + 182 && together.columns == weights.config.outHiddenSize)
        #expect(!together.values.contains { !$0.isFinite })
        var start = 0
        for (image, threads) in zip(images, [2, 3, 1, 3]) {
            let alone = withThreads(threads) { tower.forward([image]) }
            expectSameBits(
                alone.values, together.rows(start..<start + alone.rows).values, "\(name), \(engine.kind), \(image.grid)",
                shape: alone.shape)
            start += alone.rows
        }
        withExtendedLifetime(folder) {}
    }

    @Test(arguments: [ComputeType.float32, .bfloat16]) func featuresHaveTheEnginesType(_ type: ComputeType) throws {
        let weights = try #require(Checkpoint.read(folder: PackagePath.example("jina-tiny")).vision)
        let images = images(weights.config)
        let engine = type == .float32 ? MatrixEngine(.float32) : MatrixEngine(.bfloat16)
        let tower = VisionTower(weights, engine)
        let (exact, kept) = (tower.forward(images), tower.features(images))
        #expect(kept.map(\.grid.count) == [16, 1, 30, 182] && kept.allSatisfy { $0.rows.element == engine.element })
        let expected = type == .float32 ? exact.values : exact.values.map { BFloat16(rounding: $0).float }
        expectSameBits(kept.flatMap(\.rows.asFloats), expected, "features", shape: exact.shape)
    }

    /// Matrices of other types than the engine's.
    @Test(arguments: [SafetensorsDType.f32, .f16]) func weightsOfOtherTypes(_ dtype: SafetensorsDType) throws {
        try expectTheSameFeatures(from: dtype, MatrixEngine(.float32))
    }

    @Test(arguments: [SafetensorsDType.f32, .f16])
    func weightsOfOtherTypesInBFloat16(_ dtype: SafetensorsDType) throws {
        try expectTheSameFeatures(from: dtype, MatrixEngine(.bfloat16))
    }

    private func expectTheSameFeatures(from dtype: SafetensorsDType, _ engine: MatrixEngine) throws {
        func features(_ checkpoint: TinyCheckpoint, _ engine: MatrixEngine) throws -> [Float] {
            let folder = try TemporaryFolder()
            try checkpoint.write(to: folder.path)
            let weights = try #require(Checkpoint.read(folder: folder.path).vision)
            return VisionTower(weights, engine).forward(images(weights.config)).values
        }
        let (plain, other) = (
            try features(TinyCheckpoint(), engine), try features(TinyCheckpoint().converted(to: dtype), engine)
        )
        if dtype == .f32 {
            expectSameBits(other, plain, "\(engine.kind) from \(dtype)")
        } else {
            expectClose(other, plain.map(Double.init), "\(engine.kind) from \(dtype)", .bfloat16)
        }
    }
}
