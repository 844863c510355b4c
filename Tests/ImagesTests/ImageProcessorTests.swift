// Scaled pictures and patches against torch, Pillow and transformers, byte for byte; and that threads change nothing.

import Files
import Images
import Support
import Tensor
import Testing

@Suite(.serialized) struct ImageProcessorTests {
    @Test("the committed pictures", arguments: [ImageProcessorConfig.Backend.torchvision, .pillow])
    func small(_ backend: ImageProcessorConfig.Backend) throws {
        for image in try GoldenImage.small() where image.name != "animated.webp" { try expectReference(image, backend) }
    }

    @Test(
        "pages, documents, photos, PngSuite", .enabled(if: TestData.available, "set SHOAL_TEST_DATA"),
        arguments: [ImageProcessorConfig.Backend.torchvision, .pillow])
    func real(_ backend: ImageProcessorConfig.Backend) throws {
        for image in try GoldenImage.real() where image.reference != nil { try expectReference(image, backend) }
    }

    private func expectReference(_ image: GoldenImage, _ backend: ImageProcessorConfig.Backend) throws {
        let reference = try #require(image.reference)
        let config = try ImageProcessorConfig.published(backend)
        let grid = try config.grid(height: reference.height, width: reference.width, path: image.name)
        #expect([grid.height, grid.width] == reference.grid, "\(image.name)")
        let size = try #require(config.smartResize(height: reference.height, width: reference.width))
        let decoded = try image.decode()
        let expected = reference.processed(backend)
        #expect(
            decoded.resized(height: size.height, width: size.width, backend: backend).sha256 == expected.resized, "\(image.name), resized")
        let patches = ImageProcessor(config).patches(decoded)
        #expect(patches.grid == grid && patches.sha256 == expected.patches, "\(image.name), patches")
    }

    @Test(
        "value by value", arguments: ["rgb-8.png", "420.jpg", "shape-56x61.png", "shape-1x3.png"],
        [ImageProcessorConfig.Backend.torchvision, .pillow])
    func values(_ name: String, _ backend: ImageProcessorConfig.Backend) throws {
        let golden = try SafetensorsFile(path: PackagePath.golden("images/small.safetensors"))
        let prefix = "\(name).\(backend == .torchvision ? "torchvision" : "pillow")"
        let resized = try #require(golden["\(prefix).resized"])
        let image = try #require(try GoldenImage.small().first { $0.name == name }).decode()
        let scaled = image.resized(height: resized.shape[0], width: resized.shape[1], backend: backend)
        for (place, (found, expected)) in zip(scaled.bytes, golden.bytes(of: resized)).enumerated() where found != expected {
            Issue.record("\(prefix).resized: \(found) instead of \(expected) at \(place) of \(scaled.count)")
            break
        }
        // The first four patches: one token.
        let patches = golden.bytes(of: try #require(golden["\(prefix).patches"])).assumingMemoryBound(to: Float.self)
        let values = ImageProcessor(try .published(backend)).patches(image).values.values
        for place in patches.indices where values[place] != patches[place] {
            Issue.record("\(prefix).patches: \(values[place]) instead of \(patches[place]) at patch \(place / 1176), value \(place % 1176)")
            break
        }
    }

    @Test("the same bytes with any number of threads, and within a task of theirs")
    func threads() throws {
        let image = RGBImage((0..<3 * 211 * 173).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }, width: 211, height: 173)
        for backend in [ImageProcessorConfig.Backend.torchvision, .pillow] {
            let processor = ImageProcessor(try .published(backend))
            let alone = withThreads(1) { processor.patches(image).sha256 }
            withThreads(4) {
                #expect(processor.patches(image).sha256 == alone)
                Threads.run(3) { _ in #expect(processor.patches(image).sha256 == alone) }
            }
        }
    }

    @Test("a file: its grid is that of its patches; a strip is refused before it is decoded")
    func files() throws {
        let processor = ImageProcessor(ImageProcessorConfig())
        let path = PackagePath.golden("images/files/lossy-alpha.webp")
        #expect(try processor.patches(path: path).grid == processor.grid(path: path))
        let folder = try TemporaryFolder()
        var strip = PNGFile(width: 201, height: 1)
        strip.add("IDAT", [])
        let strips = try folder.write("strip.png", strip.bytes)
        expectUserError(.content, strips, "200 times") { _ = try processor.patches(path: strips) }
    }
}
