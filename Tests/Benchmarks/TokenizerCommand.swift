// Text to tokens a second, over passages of real text.

import ArgumentParser
import Data
import Files
import Foundation
import Model
import Tensor
import Trainer

struct TokenizerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenizer", abstract: "Times the tokenizer over the positives of a file of pairs, on one thread and on more.",
        discussion: """
            By default the passages of MedQuAD with the tokenizer of Qwen2.5, where the folder of test data is (SHOAL_TEST_DATA, \
            or ../shared/data); else the embedded example with the embedded tokenizer. Text is read before the clock starts. \
            Tests/Benchmarks/peer/tokenizer.py times Hugging Face's tokenizers over the same text.
            """)

    @Option(help: ArgumentHelp("tokenizer.json, plain or .gz.", valueName: "file"), completion: .file())
    var tokenizer: String?

    @Option(help: ArgumentHelp("JSON lines with a text under \"positive\".", valueName: "file"), completion: .file())
    var rows: String?

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Threads to time.", valueName: "count"))
    var threads = [1, 2]

    @Option(help: ArgumentHelp("Where the figures go, JSON.", valueName: "file"), completion: .file())
    var output: String?

    func validate() throws {
        if threads.contains(where: { $0 < 1 }) { throw ValidationError("--threads must be 1 at least") }
    }

    func run() throws {
        if let output { try AtomicWrite.requireWritable(output) }
        let material = try material()
        let texts = try passages(material.rows)
        let bytes = texts.reduce(0) { $0 + $1.count }
        print("\(Machine.summary)\n\(Figures.count(texts.count, "text")) of \(material.rows), \(Figures.bytes(bytes)), ", terminator: "")
        print("tokenizer \(material.tokenizer)\n")
        var table = TextTable([.right, .right, .right, .right])
        table.add(["threads", "MB/s, first pass", "best of five more", "median"])
        var rates = JSONObject()
        for count in threads {
            Threads.count = count
            let (first, best, median) = try self.rates(texts, bytes, tokenizer: material.tokenizer)
            table.add(["\(Threads.count)", Figures.fixed(first * 1e-6, 1), Figures.fixed(best * 1e-6, 1), Figures.fixed(median * 1e-6, 1)])
            rates["\(count)"] = ["first": .number(first), "best": .number(best), "median": .number(median)]
        }
        print(table.text, terminator: "")
        guard let output else { return }
        var figures = Machine.json
        figures["bytes"] = .integer(Int64(bytes))
        figures["bytes_per_second"] = .object(rates)
        try AtomicWrite.write(JSONValue.object(figures).serialized(pretty: true), to: output)
    }

    /// Bytes a second of a new tokenizer: while it meets every word for the first time, and afterwards.
    private func rates(_ texts: [[UInt8]], _ bytes: Int, tokenizer path: String) throws -> (first: Double, best: Double, median: Double) {
        let tokenizer = try Self.tokenizer(path)
        func pass() -> Double {
            let seconds = Stopwatch.seconds {
                Threads.run(texts.count, grain: 16) { block in
                    for text in block { texts[text].withUnsafeBufferPointer { _ = tokenizer.encode($0) } }
                }
            }
            return Double(bytes) / seconds
        }
        let (first, others) = (pass(), (0..<5).map { _ in pass() })
        return (first, others.max()!, Stopwatch.median(others))
    }

    private func passages(_ path: String) throws(UserError) -> [[UInt8]] {
        let file = try RowFile(path: path)
        var texts: [[UInt8]] = []
        for row in 0..<file.count {
            if let text = try file.row(row).text("positive") { texts.append(Array(text.utf8)) }
        }
        guard !texts.isEmpty else { throw UserError(.content, path, "has no text under \"positive\"; name a file of pairs") }
        return texts
    }

    private func material() throws(UserError) -> (tokenizer: String, rows: String) {
        let folder = ProcessInfo.processInfo.environment["SHOAL_TEST_DATA"] ?? "../shared/data"
        let real = (folder + "/qwen2.5-tokenizer/tokenizer.json.gz", folder + "/retrieval/medquad-train.jsonl.gz")
        let isThere = FileManager.default.fileExists(atPath: real.0) && FileManager.default.fileExists(atPath: real.1)
        let usual = isThere ? real : ("examples/jina-tiny/tokenizer.json", "examples/python-stdlib/train.jsonl.gz")
        return (tokenizer ?? usual.0, rows ?? usual.1)
    }

    /// Inflated into a temporary file where it is compressed.
    private static func tokenizer(_ path: String) throws -> Tokenizer {
        guard path.hasSuffix(".gz") else { return try Tokenizer(path: path) }
        let plain = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizer-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: plain) }
        let file = try TextFile(path: path)
        try withExtendedLifetime(file) { try Data($0.bytes).write(to: plain) }
        return try Tokenizer(path: plain.path)
    }
}
