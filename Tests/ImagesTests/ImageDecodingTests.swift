// Pixels against Pillow's: every kind of JPEG, PNG and WebP.

import Images
import Support
import Testing

@Suite struct ImageDecodingTests {
    @Test("the committed pictures: Pillow's pixels, and a header of the same size")
    func small() throws {
        for image in try GoldenImage.small() where image.name != "animated.webp" { try expectPillowsPixels(image) }
    }

    @Test("pages, documents, photos, PngSuite", .enabled(if: TestData.available, "set SHOAL_TEST_DATA"))
    func real() throws {
        for image in try GoldenImage.real() where image.reference != nil { try expectPillowsPixels(image) }
    }

    private func expectPillowsPixels(_ image: GoldenImage) throws {
        let reference = try #require(image.reference)
        let header = try image.bytes.withUnsafeBytes { try ImageHeader($0, path: image.name) }
        #expect((header.width, header.height) == (reference.width, reference.height), "\(image.name)")
        let decoded = try image.decode()
        #expect((decoded.width, decoded.height) == (reference.width, reference.height), "\(image.name)")
        #expect(decoded.sha256 == reference.rgb, "\(image.name): other pixels than Pillow's")
    }

    @Test("the first bytes decide, not the name")
    func formats() throws {
        let files = Dictionary(uniqueKeysWithValues: try GoldenImage.small().map { ($0.name, $0.bytes) })
        let folder = try TemporaryFolder()
        for (file, format) in [("gray.jpg", ImageFormat.jpeg), ("rgb-8.png", .png), ("lossy.webp", .webP)] {
            let path = try folder.write("picture.gif", try #require(files[file]))
            #expect(try ImageHeader.read(path: path).format == format)
        }
        for bytes in [
            Array("GIF89a, with more behind it".utf8), Array("<svg xmlns=\"http://www.w3.org/2000/svg\"/>".utf8), [0x49, 0x49, 0x2A, 0],
        ] {
            let path = try folder.write("picture.png", bytes)
            expectUserError(.content, path, "neither JPEG nor PNG nor WebP") { _ = try RGBImage.read(path: path) }
        }
        let empty = try folder.write("empty.jpg", [])
        expectUserError(.content, empty, "is empty") { _ = try RGBImage.read(path: empty) }
        expectUserError(.missing, "absent.jpg") { _ = try RGBImage.read(path: folder.path("absent.jpg")) }
    }

    @Test("an animated picture is refused, in decoding as in the header")
    func animated() throws {
        let image = try #require(try GoldenImage.small().first { $0.name == "animated.webp" })
        expectUserError(.content, "animated.webp", "animated") { _ = try image.decode() }
        expectUserError(.content, "animated") { _ = try image.bytes.withUnsafeBytes { try ImageHeader($0, path: image.name) } }
    }
}
