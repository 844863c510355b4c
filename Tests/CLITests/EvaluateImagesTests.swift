// `shoal evaluate` and `shoal inspect` on datasets and rows with images.

import Files
import Foundation
import Support
import Testing

@Suite(.serialized) struct EvaluateImagesTests {
    private let folder: TemporaryFolder

    private static let pictures = ["gray.jpg", "lossless.webp", "palette-8.png", "rgb-8.png", "shape-56x61.png", "shape-59x84.png"]

    /// Six images and two texts; half of the images are looked for by a copy of theirs, a text by itself.
    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("set/qrels"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: folder.path("set/pages"), withIntermediateDirectories: true)
        for (number, name) in Self.pictures.enumerated() {
            for copy in ["d\(number)", "q\(number)"] {
                try FileManager.default.copyItem(
                    atPath: PackagePath.golden("images/files/\(name)"), toPath: folder.path("set/pages/\(copy)"))
            }
        }
        let images = Self.pictures.indices.map { "{\"_id\": \"d\($0)\", \"title\": \"not read\", \"image\": \"pages/d\($0)\"}" }
        let texts = ["{\"_id\": \"t0\", \"text\": \"how do whales sleep\"}", "{\"_id\": \"t1\", \"text\": \"a list of numbers\"}"]
        try folder.write("set/corpus.jsonl", (images + texts).joined(separator: "\n"))
        let queries = [1, 3, 5].map { "{\"_id\": \"q\($0)\", \"text\": \"\", \"image\": \"./pages/q\($0)\"}" }
        try folder.write("set/queries.jsonl", (queries + ["{\"_id\": \"w\", \"text\": \"how do whales sleep\"}"]).joined(separator: "\n"))
        try folder.write("set/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\nq3\td3\t1\nq5\td5\t1\nw\tt0\t1\n")
    }

    private func arguments(_ more: [String] = []) -> [String] {
        [
            "evaluate", "--model", ShoalProgram.model, "--adapter", "none", "--task", "text-matching", "--retrieval", folder.path("set"),
            "--max-pixels", "20000",
        ] + more
    }

    @Test(arguments: [[], ["--multi-vector"]]) func imagesAreFoundOnAnyNumberOfRanks(_ more: [String]) throws {
        try expectSuccess(arguments(more + ["--output", folder.path("one.json"), "--save-run", folder.path("one.trec")]))
        let files = ["--threads", "1", "--output", folder.path("two.json"), "--save-run", folder.path("two.trec")]
        try expectSuccess(arguments(more + files), ranks: 3)
        try expectSameBytes(folder.bytes("two.json"), folder.bytes("one.json"), "results")
        for name in try folder.names where name.hasPrefix("one") && name.hasSuffix(".trec") {
            try expectSameBytes(folder.bytes("two" + name.dropFirst(3)), folder.bytes(name), name)
        }
        let results = try #require(JSONValue.parse(file: folder.path("one.json"))["results"]?.arrayValue)
        // MaxSim of the queries adds up over their own tokens, and the largest product of a token is with itself.
        #expect(results.last?["metrics"]?["recall@1"]?.numberValue == 1)
        #expect(results.allSatisfy { $0["queries"]?.integerValue == 4 })
    }

    @Test(arguments: [1, 2]) func faultsNameTheRowOrTheFile(ranks: Int) throws {
        let corpus = try String(decoding: folder.bytes("set/corpus.jsonl"), as: UTF8.self)
        for (image, code, place) in [
            ("../one.json", Int32(65), "set/corpus.jsonl:3:"), ("/etc/passwd", 65, "set/corpus.jsonl:3:"),
            ("pages/absent", 66, "set/pages/absent: no such file"), ("corpus.jsonl", 65, "set/corpus.jsonl: is neither JPEG"),
        ] {
            try folder.write("set/corpus.jsonl", corpus.replacing("pages/d2", with: image))
            try expectFailure(code, arguments(), ranks: ranks, place)
        }
        try folder.write("set/corpus.jsonl", corpus.replacing(", \"image\": \"pages/d2\"", with: ""))
        try expectFailure(65, arguments(), ranks: ranks, "set/corpus.jsonl:3:1: the row has no \"text\" and no \"image\"")
    }

    @Test func whatIsThereIsTold() throws {
        let dataset = try expectSuccess(["inspect", folder.path("set"), "--model", ShoalProgram.model]).standardOutput
        #expect(dataset.contains("3 queries, 6 documents"))
        #expect(dataset.firstMatch(of: /image files +9: 1 JPEG, 6 PNG, 2 WebP/) != nil, "\(dataset)")
        #expect(dataset.firstMatch(of: /image files +9 +\d+/) != nil, "\(dataset)")

        let rows = try folder.write(
            "set/rows.jsonl", "{\"query\": \"a\", \"positive_image\": \"pages/d0\"}\n{\"query_image\": \"pages/q0\", \"positive\": \"b\"}\n"
        )
        let text = try expectSuccess(["inspect", rows], ranks: 2).standardOutput
        #expect(text.contains("1 positives, 1 anchors") && text.firstMatch(of: /image files +2: 2 JPEG/) != nil, "\(text)")
        try folder.write("set/pages/q0", "no image")
        let result = try ShoalProgram.run(["inspect", rows])
        #expect(result.exitCode == 65 && result.standardError.contains("rows.jsonl:2: the image "), "\(result.standardError)")
        #expect(result.standardError.contains("set/pages/q0: is neither JPEG nor PNG nor WebP"), "\(result.standardError)")
    }
}
