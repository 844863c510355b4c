// Where an input's tokens stand, which are features, and which are pooled.

import Images
import Model
import Support
import Tensor
import Testing

@Suite struct TokenSequenceTests {
    private let markers = ImageMarkers(image: 90, start: 91, end: 92)

    private func features(_ height: Int, _ width: Int, hidden: Int = 32) -> ImageFeatures {
        let grid = TokenGrid(frames: 1, height: height, width: width)
        return ImageFeatures(grid: grid, rows: Samples(seed: 1).tensor(grid.count, hidden))
    }

    /// The image prompt of a grid of 4 × 4 patches: 4 tokens among 15.
    @Test func positionsOfTheImagePrompt() {
        let row = TokenSequence([1, 2, 3, 91, 90, 90, 90, 90, 92, 4, 5, 6, 7, 8, 9], images: [features(2, 2)], markers)
        let tokens = PackedTokens([row])
        #expect(tokens.positions.streams[0] == [0, 1, 2, 3, 4, 4, 4, 4, 6, 7, 8, 9, 10, 11, 12])
        #expect(tokens.positions.streams[1] == [0, 1, 2, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 11, 12])
        #expect(tokens.positions.streams[2] == [0, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        #expect(tokens.pooled == [3..<9] && tokens.images.map(\.tokens) == [4..<8])
    }

    @Test func packedBehindAText() {
        let row = TokenSequence([91, 90, 90, 90, 92, 91, 90, 90, 92, 7], images: [features(1, 3), features(2, 1)], markers)
        let tokens = PackedTokens([TokenSequence(text: [5, 6]), row])
        #expect(tokens.segments == [0..<2, 2..<12] && tokens.pooled == [0..<2, 2..<11])
        #expect(tokens.images.map(\.tokens) == [3..<6, 8..<10])
        #expect(tokens.positions.streams[0] == [0, 1, 0, 1, 1, 1, 4, 5, 6, 6, 8, 9])
        #expect(tokens.positions.streams[1] == [0, 1, 0, 1, 1, 1, 4, 5, 6, 7, 8, 9])
        #expect(tokens.positions.streams[2] == [0, 1, 0, 1, 2, 3, 4, 5, 6, 6, 8, 9])
    }

    /// A text that happens to name the markers is a text.
    @Test func markersInATextAreTokens() {
        let tokens = PackedTokens([[91, 90, 90, 92, 3]])
        #expect(tokens.images.isEmpty && tokens.pooled == [0..<5])
        #expect(tokens.positions.streams == Array(repeating: [0, 1, 2, 3, 4], count: 3))
    }

    /// Rows with images embed alike in any company, from features of either type; and the features matter.
    @Test func anInputsBitsAreItsOwn() throws {
        let folder = try TemporaryFolder()
        try TinyCheckpoint().write(to: folder.path)
        let model = JinaEmbeddingsV4(try Checkpoint.read(folder: folder.path), MatrixEngine(.float32), maxTokens: 64)
        let markers = ImageMarkers(image: 30, start: 32, end: 33)
        let rounded = converted(features(2, 3).rows, to: .bfloat16)
        func row(_ rows: Tensor) -> TokenSequence {
            let image = ImageFeatures(grid: TokenGrid(frames: 1, height: 2, width: 3), rows: rows)
            return TokenSequence([1, 32, 30, 30, 30, 30, 30, 30, 33, 2], images: [image], markers)
        }
        let alone = model.embed(PackedTokens([row(rounded)]), nil)
        let packed = model.embed(PackedTokens([TokenSequence(text: [3, 4, 5]), row(converted(rounded, to: .float32))]), nil)
        expectSameBits(packed.rows(1..<2).values, alone.values, "embedding", shape: alone.shape)
        #expect(model.embed(PackedTokens([row(Samples(seed: 2).tensor(6, 32))]), nil).values != alone.values)
        #expect(model.embed(PackedTokens([row(rounded).ids]), nil).values != alone.values)
        withExtendedLifetime(folder) {}
    }
}
