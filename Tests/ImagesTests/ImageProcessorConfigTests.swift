// preprocessor_config.json: both spellings, the backend, and every value that must be refused.

import Images
import Support
import Testing

@Suite struct ImageProcessorConfigTests {
    private func read(_ text: String) throws -> ImageProcessorConfig {
        let folder = try TemporaryFolder()
        try folder.write("preprocessor_config.json", text)
        return try ImageProcessorConfig.read(folder: folder.path)
    }

    @Test("absent, empty and published files are the same")
    func published() throws {
        let config = try ImageProcessorConfig.read(folder: try TemporaryFolder().path)
        #expect((config.minPixels, config.maxPixels) == (3136, 602_112))
        #expect([config.patchSize, config.temporalPatchSize, config.mergeSize, config.factor, config.patchValues] == [14, 2, 2, 28, 1176])
        #expect(config.backend == .torchvision)
        #expect(try read("{}") == config)
        #expect(
            try read(
                """
                {"do_convert_rgb": true, "do_normalize": true, "do_rescale": true, "do_resize": true,
                 "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
                 "image_processor_type": "Qwen2VLImageProcessor", "max_pixels": 602112, "merge_size": 2, "min_pixels": 3136,
                 "patch_size": 14, "processor_class": "JinaEmbeddingsV4Processor", "resample": 3,
                 "rescale_factor": 0.00392156862745098, "size": {"longest_edge": 602112, "shortest_edge": 3136},
                 "temporal_patch_size": 2}
                """) == config)
    }

    @Test("limits in size, by themselves, or both, when those by themselves win")
    func spellings() throws {
        for text in [
            #"{"size": {"shortest_edge": 784, "longest_edge": 7840}}"#, #"{"size": {"min_pixels": 784, "max_pixels": 7840}}"#,
            #"{"min_pixels": 784, "max_pixels": 7840}"#,
            #"{"min_pixels": 784, "max_pixels": 7840, "size": {"shortest_edge": 1, "longest_edge": 2}}"#,
        ] {
            let config = try read(text)
            #expect((config.minPixels, config.maxPixels) == (784, 7840), "\(text)")
        }
    }

    @Test(arguments: [
        (#"{"use_fast": false}"#, ImageProcessorConfig.Backend.pillow), (#"{"use_fast": true}"#, .torchvision),
        (#"{"image_processor_type": "Qwen2VLImageProcessorFast"}"#, .torchvision),
        (#"{"image_processor_type": "Qwen2VLImageProcessor", "use_fast": null}"#, .torchvision),
        (#"{"image_processor_type": "Qwen2VLImageProcessorPil"}"#, .pillow),
        (#"{"image_processor_type": "Qwen2VLImageProcessor", "use_fast": false}"#, .pillow),
    ]) func backend(_ text: String, _ backend: ImageProcessorConfig.Backend) throws { #expect(try read(text).backend == backend) }

    @Test(arguments: [
        (#"{"min_pixels": 0}"#, "min_pixels is 0"), (#"{"max_pixels": "many"}"#, "max_pixels is \"many\""),
        (#"{"max_pixels": 178956971}"#, "max_pixels"), (#"{"min_pixels": 700000}"#, "above max_pixels"),
        (#"{"size": {"shortest_edge": -1}}"#, "size.shortest_edge"), (#"{"size": 224}"#, "size is 224"),
        (#"{"patch_size": 0}"#, "patch_size"), (#"{"patch_size": 1e9}"#, "patch_size"),
        (#"{"temporal_patch_size": 0}"#, "temporal_patch_size"),
        (#"{"merge_size": 2.5}"#, "merge_size is 2.5"), (#"{"rescale_factor": 0}"#, "rescale_factor"),
        (#"{"image_mean": [0.5, 0.5]}"#, "image_mean"), (#"{"image_mean": [0.5, 0.5, "x"]}"#, "image_mean"),
        (#"{"image_std": [0, 1, 1]}"#, "image_std"),
        (#"{"do_resize": false}"#, "do_resize is false"), (#"{"do_normalize": 1}"#, "do_normalize is 1"),
        (#"{"resample": 2}"#, "resample is 2"),
        (#"{"image_processor_type": "CLIPImageProcessor"}"#, "image_processor_type"), (#"{"use_fast": "no"}"#, "use_fast"),
        ("[]", "no JSON object"),
    ]) func refused(_ text: String, _ part: String) {
        expectUserError(.content, "preprocessor_config.json", part) { _ = try read(text) }
    }

    @Test("limits of a caller")
    func limited() throws {
        let config = try ImageProcessorConfig().choosing(ImageOptions(maxPixels: 40_000))
        #expect((config.minPixels, config.maxPixels) == (3136, 40_000))
        expectUserError(.configuration, "min_pixels 0") { _ = try config.choosing(ImageOptions(minPixels: 0)) }
        expectUserError(.configuration, "max_pixels 178956971") { _ = try config.choosing(ImageOptions(maxPixels: 178_956_971)) }
        expectUserError(.configuration, "min_pixels 3136 is above its max_pixels 3135") {
            _ = try config.choosing(ImageOptions(maxPixels: 3135))
        }
    }
}
