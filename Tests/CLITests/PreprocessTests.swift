// `shoal preprocess` as a user starts it: any number of ranks, stopping, the configuration of the Python project.

import Files
import Foundation
import Support
import Testing

@Suite(.serialized) struct PreprocessTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Rows with duplicates far apart, bad ones, and long ones, in three files of unlike formats.
    private func rawFiles() throws -> [String] {
        let lines = (0..<9000).map { number in
            switch number % 1000 {
            case 17: return "{\"query\": \"only\"}"
            case 18: return ""
            case 500: return "{\"query\": \"question \(number)\", \"positive\": \"\(String(repeating: "long ", count: 30_000))\"}"
            default: return "{\"query\": \"Question \(number % 7000)\", \"positive\": \"answer \(number % 7000 / 2)\"}"
            }
        }
        let csv = "query,positive\n" + (6000..<8000).map { "question \($0),\"answer \($0 / 2)\"\n" }.joined()
        return [
            try folder.write("a.jsonl", lines.joined(separator: "\n")), try folder.write("b.csv", csv),
            try folder.write("c.jsonl.gz", GzipMember.packed(Array(lines.suffix(3000).joined(separator: "\n").utf8))),
        ]
    }

    private func arguments(_ inputs: [String], _ output: String, _ more: String...) -> [String] {
        ["preprocess"] + inputs + ["--output", folder.path(output), "--threads", "2"] + more
    }

    @Test func anyWorldWritesTheSameBytes() throws {
        let inputs = try rawFiles()
        let set = try folder.write("test.jsonl", "{\"text\": \"question 123\"}\n{\"text\": \"answer 1700\"}\n")
        var files: [[[UInt8]]] = []
        for (name, ranks) in [("0", nil), ("1", 1), ("2", 2), ("3", 3)] as [(String, Int?)] {
            try expectSuccess(
                arguments(
                    inputs, "train.jsonl.gz", "--dev-output", folder.path("dev.jsonl"), "--dev-share", "0.1", "--report",
                    folder.path("report.json"), "--on-bad-row", "skip", "--against", set, "--model", ShoalProgram.model), ranks: ranks)
            files.append(try ["train.jsonl.gz", "dev.jsonl", "report.json"].map(folder.bytes))
            for (place, file) in files[files.count - 1].enumerated() { expectSameBytes(file, files[0][place], "\(name) \(place)") }
        }
        let rows = try JSONValue.parse(file: folder.path("report.json"))["rows"]
        // 9,000 lines and 3,000 of them again without 12 blank ones, and 2,000 of the table.
        #expect(rows?["read"]?.integerValue == 13_988 && rows?["bad"]?.integerValue == 12)
        // The question and both rows with the answer, each as often as its number occurs.
        #expect(rows?["leaked"]?.integerValue ?? 0 >= 3)
        // The table's 6,000 to 6,999 are those of the first file, its 7,000 and more are new.
        #expect(rows?["written"]?.integerValue ?? 0 > 7000)
    }

    @Test(arguments: [nil, 2, 3]) func theFirstBadRowIsTheSameInAnyWorld(ranks: Int?) throws {
        let inputs = try rawFiles()
        try expectFailure(65, arguments(inputs, "train.jsonl"), ranks: ranks, "a.jsonl:18: the row has no positive")
        let later = try folder.write("0.jsonl", String(repeating: "{}\n", count: 3))
        try expectFailure(65, arguments([inputs[1], inputs[0], later], "train.jsonl"), ranks: ranks, "a.jsonl:18: the row")
        #expect(try folder.names.filter { $0.hasPrefix("train") }.isEmpty)
    }

    @Test func aHugeLineIsRefusedInBoundedMemory() throws {
        let line = Array(repeating: UInt8(ascii: "a"), count: 300 << 20)
        let path = try folder.write("huge.jsonl.gz", GzipMember.packed(Array(#"{"query": "a", "positive": "b"}"#.utf8) + [0x0A] + line))
        try expectFailure(65, arguments([path], "train.jsonl", "--on-bad-row", "skip"), "huge.jsonl.gz:2: is longer than 268435456 bytes")
    }

    @Test func controlCLeavesNoFile() throws {
        let lines = (0..<200_000).map { "{\"query\": \"question \($0)\", \"positive\": \"\(String(repeating: "word ", count: 60))\"}\n" }
        let path = try folder.write("rows.jsonl", lines.joined())
        let result = try MPILauncher.run(
            "shoal", arguments([path, path], "train.jsonl.gz", "--model", ShoalProgram.model), ranks: nil
        ) { job in
            while try !folder.names.contains(where: { $0.hasPrefix("train.jsonl.gz.tmp-") }) { usleep(5000) }
            kill(job.processID, SIGINT)
        }
        #expect(result.exitCode == 75 && result.standardError.contains("stopped on request after"), "\(result.standardError)")
        #expect(try folder.names == ["rows.jsonl"])
    }

    @Test func theConfigurationOfThePythonProject() throws {
        for name in ["raw", "processed"] {
            try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
        }
        try folder.write("raw/a.jsonl", #"{"query": "q", "positive": "p", "negative": "n"}"# + "\n")
        try folder.write("raw/b.json", #"[{"image": "page.png", "text": "a caption"}]"#)
        try folder.write("raw/c.tsv", "query\tpositive\nr\ts\n")
        try folder.write("raw/page.png", [1])
        let config = try folder.write(
            "config.yaml",
            """
            base_model_path: \(ShoalProgram.model)
            data: {raw_dir: \(folder.path("raw")), processed_dir: \(folder.path("processed")), examples_dir: data/examples}
            training: {output_dir: \(folder.path("run"))}
            """)
        let text = try expectSuccess(["preprocess", "--config", config]).standardOutput
        #expect(text.contains("tokens with the prompt") && text.contains("and 1 image"))
        #expect(
            String(decoding: try folder.bytes("processed/train.jsonl"), as: UTF8.self) == """
                {"query":"q","positive":"p","negatives":["n"]}
                {"query_image":"../raw/page.png","positive":"a caption"}
                {"query":"r","positive":"s"}

                """)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path("processed")).sorted() == ["preprocess.json", "train.jsonl"])
        try expectSuccess(["preprocess", "--config", config, "--dev-share", "0.9"])
        #expect(try !folder.bytes("processed/eval.jsonl").isEmpty)
        try expectFailure(78, ["preprocess", "--config", config, "--set", "data.raw_dir=null"], "data.raw_dir is missing")
        try expectFailure(64, ["preprocess", "rows.jsonl"], "add --output FILE")
        try expectFailure(64, ["preprocess", "rows.jsonl", "--output", "a.jsonl", "--leak-share", "2"], "--leak-share is 2.0")
    }

    @Test(.enabled(if: TestData.available, "set SHOAL_TEST_DATA")) func realDataHaveNoRowOfTheirTest() throws {
        let text = try expectSuccess(
            arguments(
                [TestData.url("code/python-stdlib-train.jsonl.gz").path], "train.jsonl.gz", "--against",
                TestData.url("code/python-stdlib-test").path)
        ).standardOutput
        #expect(text.contains("rows read   4,266") && text.contains("Latin"), "\(text)")
    }
}
