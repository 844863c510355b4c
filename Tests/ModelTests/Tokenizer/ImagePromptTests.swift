// The words around an image as ids. Ids: Python's tokenizers on the tokenizer.json named.

import Images
import Model
import Support
import Tensor
import Testing

@Suite struct ImagePromptTests {
    private let folder = PackagePath.example("jina-tiny")
    private let grid = TokenGrid(frames: 1, height: 2, width: 3)

    @discardableResult
    private func prompt(_ change: (TinyCheckpoint) -> TinyCheckpoint) throws -> ImagePrompt {
        let model = try TemporaryFolder()
        try change(TinyCheckpoint(vocabulary: 8256)).write(to: model.path)
        return try ImagePrompt(
            TextProcessor.tokenizer(folder: folder, config: ModelConfig.read(folder: folder)), folder: model.path,
            ModelConfig.read(folder: model.path))
    }

    @Test func thePlaceholderBecomesTheImagesTokens() throws {
        let config = try ModelConfig.read(folder: folder)
        let prompt = try ImagePrompt(TextProcessor.tokenizer(folder: folder, config: config), folder: folder, config)
        let ids = prompt.ids(for: grid)
        let (before, after): ([Int32], [Int32]) = (
            [8193, 417, 266, 198, 8201], [8202, 35, 283, 1894, 68, 260, 4767, 13, 8194, 198]
        )
        #expect(ids == before + Array(repeating: 8204, count: 6) + after)
        let row = prompt.sequence(ImageFeatures(grid: grid, rows: Tensor.zeros(6, 256)))
        #expect(row.ids == ids && row.pooled == 4..<12)
    }

    /// The ids that the published model is given.
    @Test(.enabled(if: TestData.available, "set SHOAL_TEST_DATA")) func publishedTokenizer() throws {
        let model = try TemporaryFolder()
        try TinyCheckpoint().setting("text_config.vocab_size", 151_936).setting("image_token_id", 151_655)
            .setting("vision_start_token_id", 151_652).setting("vision_end_token_id", 151_653).write(to: model.path)
        let config = try ModelConfig.read(folder: model.path)
        let prompt = try ImagePrompt(TokenizerFiles.published(), folder: model.path, config)
        #expect(
            prompt.ids(for: TokenGrid(frames: 1, height: 1, width: 1))
                == [151_644, 872, 198, 151_652, 151_655, 151_653, 74785, 279, 2168, 13, 151_645, 198])
        #expect(prompt.ids(for: TokenGrid(frames: 1, height: 8, width: 8)).count == 75)
    }

    @Test func modelsThatTakeNoImages() {
        expectUserError(.content, "config.json: has no vision_config", "takes no images") {
            try prompt { $0.setting("vision_config", nil) }
        }
        expectUserError(.content, "config.json: image_token_id is missing") { try prompt { $0.setting("image_token_id", nil) } }
        expectUserError(.content, "image_token_id is 30, but tokenizer.json has the id 8204 for <|image_pad|>") { try prompt { $0 } }
        let markers = { (tiny: TinyCheckpoint) in tiny.setting("image_token_id", 8204).setting("vision_start_token_id", 8201) }
        expectUserError(.content, "vision_end_token_id is 33, but tokenizer.json has the id 8202") { try prompt(markers) }
    }
}
