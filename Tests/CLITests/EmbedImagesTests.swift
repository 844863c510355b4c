// `shoal embed` with images: their order, their bits on any number of ranks, and every fault of theirs.

import Files
import Foundation
import Support
import Testing

@Suite(.serialized) struct EmbedImagesTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("pages/inner"), withIntermediateDirectories: true)
        for (name, file) in [("b.png", "rgb-8.png"), ("a", "gray.jpg"), ("B.jpg", "lossy.webp"), ("inner/c.png", "rgb-16.png")] {
            try FileManager.default.copyItem(atPath: Self.image(file), toPath: folder.path("pages/\(name)"))
        }
        try folder.write("pages/notes.png", "no image")
        try folder.write("pages/empty.jpg", "")
    }

    private static func image(_ name: String) -> String { PackagePath.golden("images/files/\(name)") }

    private func arguments(_ more: [String], output: String = "out.npy") -> [String] {
        ["embed", "--model", ShoalProgram.model, "--adapter", "none", "--task", "retrieval"] + more + ["--output", folder.path(output)]
    }

    private func rows(_ name: String) throws -> [JSONValue] {
        try folder.bytes(name).split(separator: UInt8(ascii: "\n")).map { try JSONValue.parse(Array($0), path: name) }
    }

    /// Texts, a file's texts, images as they are named, a folder's by the bytes of their names.
    @Test func imagesComeAfterTexts() throws {
        let file = try folder.write("texts.txt", "second\n")
        let inputs = ["--image-dir", folder.path("pages"), "--images", Self.image("lossy.webp"), "--texts", "first", "--text-file", file]
        let result = try expectSuccess(arguments(inputs, output: "out.jsonl"))
        let rows = try rows("out.jsonl")
        #expect(rows.prefix(2).map { $0["text"]?.stringValue } == ["first", "second"])
        #expect(
            rows.dropFirst(2).map { $0["image"]?.stringValue }
                == [Self.image("lossy.webp")] + ["B.jpg", "a", "b.png"].map { folder.path("pages/\($0)") })
        #expect(rows.dropFirst(2).allSatisfy { $0["prompt"] == nil && $0["task"]?.stringValue == "retrieval" })
        // The same picture twice.
        let embeddings = rows.map { $0["embedding"]?.arrayValue?.map { $0.numberValue! } }
        #expect(embeddings[2]?.count == 256 && embeddings[2] == embeddings[3] && embeddings[3] != embeddings[4])
        #expect(result.standardError.contains("notice: 2 files of --image-dir are no image: empty.jpg, notes.png"))
    }

    @Test func neitherRanksNorCompanyChangeABit() throws {
        let inputs = ["--texts", "a text", "a longer text than that", "--image-dir", folder.path("pages")]
        for (name, more) in [("dense.npy", []), ("late.safetensors", ["--multi-vector"])] {
            try expectSuccess(arguments(inputs + more, output: "one-\(name)"))
            for ranks in [2, 3] {
                try expectSuccess(arguments(inputs + more + ["--threads", "1"], output: "\(ranks)-\(name)"), ranks: ranks)
                try expectSameBytes(folder.bytes("\(ranks)-\(name)"), folder.bytes("one-\(name)"), "\(ranks) ranks, \(name)")
            }
        }
        try expectSuccess(arguments(["--images", folder.path("pages/a")], output: "alone.npy"))
        let (alone, all) = (try folder.bytes("alone.npy"), try folder.bytes("one-dense.npy"))
        expectSameBytes(alone.dropFirst(128), all[(128 + 3 * 1024)..<(128 + 4 * 1024)], "one page")
    }

    /// Fifteen tokens of the prompt, and one for every 28 × 28 pixels of the scaled picture.
    @Test(arguments: [(784, 1), (4 * 784, 4), (64 * 784, 64)]) func pixelsDecideTheTokens(_ pixels: Int, _ tokens: Int) throws {
        let limits = ["--multi-vector", "--min-pixels", "\(pixels)", "--max-pixels", "\(pixels)"]
        try expectSuccess(arguments(["--images", Self.image("shape-56x56.png")] + limits, output: "out.safetensors"))
        let file = try SafetensorsFile(path: folder.path("out.safetensors"))
        #expect(try #require(file["0"]).shape == [tokens + 15, 128])
    }

    @Test(arguments: [nil, 2]) func badImagesAreNamed(ranks: Int?) throws {
        let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: Self.image("rgb-8.png"))))
        let cut = try folder.write("cut.png", whole.prefix(whole.count / 2))
        let text = try folder.write("text.png", "no image")
        let good = Self.image("gray.jpg")
        try expectFailure(65, arguments(["--images", good, cut]), ranks: ranks, "cut.png: is cut short or damaged")
        try expectFailure(65, arguments(["--images", good, text, good]), ranks: ranks, "text.png: is neither JPEG nor PNG nor WebP")
        try expectFailure(66, arguments(["--images", folder.path("absent.png")]), ranks: ranks, "absent.png: no such file")
        try expectFailure(66, arguments(["--image-dir", folder.path("absent")]), ranks: ranks, "absent: no such folder of images")
        try FileManager.default.removeItem(atPath: folder.path("pages/inner/c.png"))
        try expectFailure(65, arguments(["--image-dir", folder.path("pages/inner")]), "pages/inner: holds no image")
        try expectFailure(
            65, arguments(["--images", good, "--max-length", "12"]), ranks: ranks, "gray.jpg: the image becomes", "lower --max-pixels")
        #expect(try !folder.names.contains { $0.hasPrefix("out") })
    }

    /// Pictures that a camera turned or that are transparent have the vectors of their mended copies; by flags, those of their pixels.
    @Test func picturesAreSeenAsServersSeeThem() throws {
        func vectors(_ more: [String]) throws -> [[Double]] {
            let names = ["orientation6.jpg", "upright.png", "rgba.png", "rgba-on-white.png", "ptrns.png", "ptrns-on-white.png"]
            let images = names.map { PackagePath.golden("images/turned/\($0)") }
            try expectSuccess(arguments(["--images"] + images + more, output: "out.jsonl"))
            return try rows("out.jsonl").map { $0["embedding"]?.arrayValue?.compactMap(\.numberValue) ?? [] }
        }
        func cosine(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let (seen, stored) = (try vectors([]), try vectors(["--image-orientation", "ignore", "--image-background", "drop"]))
        for pair in 0..<3 {
            #expect(seen[2 * pair] == seen[2 * pair + 1] && seen[2 * pair].count == 256)
            #expect(stored[2 * pair + 1] == seen[2 * pair + 1] && cosine(stored[2 * pair], seen[2 * pair]) < 0.9)
        }
        let result = try ShoalProgram.run(arguments(["--images", Self.image("gray.jpg"), "--image-background", "black"]))
        #expect(result.exitCode == 64 && result.standardError.contains("white"))
    }

    @Test func whatIsNoPathIsRefusedInOneSentence() throws {
        let long = String(repeating: "QUJD", count: 25_000)
        for (image, words) in [
            ("https://example.org/\(long).png", "is a URL, and Shoal opens no network connection"), ("s3://bucket/a.png", "is a URL, and"),
            ("data:image/png;base64,\(long)", "is a data: URL; write the path"), ("file:///a.png", "write the path of the file by itself"),
            (long, "is too long for a path"),
        ] {
            let result = try ShoalProgram.run(arguments(["--images", image]))
            #expect(result.exitCode == 64 && result.standardError.contains(words), "\(result.standardError.prefix(300))")
            #expect(result.standardError.utf8.count < 300)
        }
    }

    @Test func aBackboneWithoutTowerTakesNoImages() throws {
        let model = folder.path("model")
        try TinyCheckpoint(vocabulary: 8256).setting("vision_config", nil)
            .changing { $0.removeAll { $0.name.hasPrefix("visual.") } }.write(to: model)
        try FileManager.default.copyItem(atPath: ShoalProgram.model + "/tokenizer.json", toPath: model + "/tokenizer.json")
        func arguments(_ more: String...) -> [String] {
            ["embed", "--model", model, "--adapter", "none", "--task", "code"] + more + ["--output", folder.path("out.npy")]
        }
        try expectSuccess(arguments("--texts", "a"))
        try expectFailure(65, arguments("--images", Self.image("gray.jpg")), "model/config.json: has no vision_config")
    }

    @Test func limitsThatCannotBeMeant() throws {
        let image = ["--images", Self.image("gray.jpg")]
        try expectFailure(64, arguments(image + ["--max-pixels", "0"]), "--max-pixels is 0")
        try expectFailure(64, arguments(image + ["--min-pixels", "9", "--max-pixels", "8"]), "--min-pixels 9 is above --max-pixels 8")
        try expectFailure(78, arguments(image + ["--max-pixels", "100"]), "min_pixels 3136 is above its max_pixels 100")
    }
}
