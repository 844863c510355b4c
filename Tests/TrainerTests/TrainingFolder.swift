// A run of a few kilobytes: a random model, rows of every kind, and the configuration that joins them.

import Files
import Foundation
import Support
import Tensor

@testable import Trainer

/// Everything that `RankProgram train` reads.
struct TrainingFolder {
    let config: String
    private let folder: TemporaryFolder

    /// Rows with texts of 1 to 70 tokens, the longest of which are cut; hard negatives, duplicates between rows, negatives that
    /// equal their positive. With scores: pairs alone.
    /// - Parameter teaches: whether a teacher has scored the candidates of a row, by its number
    init(rows count: Int = 40, haveScores: Bool = false, teaches: (Int) -> Bool = { _ in false }) throws {
        folder = try TemporaryFolder()
        let model = folder.path("model")
        try Self.checkpoint().write(to: model)
        _ = try NumberedTokens.writeTokenizer(count: 30, to: model)
        let rows = try folder.write("rows.jsonl", (0..<count).map { Self.row($0, hasScore: haveScores, isTaught: teaches($0)) }.joined())
        config = try folder.write(
            "project_config.yaml",
            """
            base_model_path: \(model)
            data:
              train:
                - {path: \(rows), task: retrieval, query_prompt: "<1>", positive_prompt: "<2>"}
              cache_dir: \(folder.path("cache"))
            training:
              output_dir: \(folder.path("run"))
              global_batch_size: 12
              max_steps: 20
              learning_rate: 0.005
              warmup_steps: 2
              seed: 9
            lora: {r: 4, alpha: 8, dropout: 0.1}
            loss: {temperature: 0.05}
            system: {compute_dtype: float32, threads: 1, chunk_tokens: 48, microbatch_tokens: 96, max_seq_length: 64}

            """)
    }

    private static let stream = RandomStream(11)

    /// A text of its own for each name.
    private static func text(_ name: String) -> JSONValue {
        let stream = stream.stream(name)
        let length = 1 + stream.integer(below: 70, at: 0)
        return .string(NumberedTokens.text((1...length).map { Int32(3 + stream.integer(below: 27, at: $0)) }))
    }

    private static func row(_ row: Int, hasScore: Bool, isTaught: Bool) -> String {
        // Every fifth row shares its positive with the row before, every seventh its anchor.
        let positive = text("p\(row % 5 == 4 ? row - 1 : row)")
        let anchor = text("q\(row % 7 == 6 ? row - 1 : row)")
        if hasScore { return line(["sentence1": anchor, "sentence2": positive, "score": .integer(Int64(row % 4))]) }
        var negatives = (0..<row % 4).map { text("n\(row).\($0)") }
        if row % 6 == 5 { negatives.append(positive) }
        if row % 8 == 3 { negatives.append(text("p\(row + 1)")) }
        guard isTaught else { return line(["query": anchor, "positive": positive, "negatives": .array(negatives)]) }
        let stream = stream.stream("teacher").stream(UInt64(row))
        let scores = (0...negatives.count).map { JSONValue.number(3 * stream.gaussian(at: $0) + ($0 == 0 ? 2 : 0)) }
        return line(["query": anchor, "positive": positive, "negatives": .array(negatives), "scores": .array(scores)])
    }

    private static func line(_ value: JSONValue) -> String { String(decoding: value.serialized(), as: UTF8.self) + "\n" }

    /// A vocabulary of 286: the 30 numbered tokens and the 256 bytes behind them.
    private static func checkpoint() -> TinyCheckpoint {
        let (vocabulary, hidden) = (286, TinyCheckpoint.hidden)
        return TinyCheckpoint().setting("text_config.vocab_size", .integer(Int64(vocabulary))).changing { tensors in
            let place = tensors.firstIndex { $0.name == "model.embed_tokens.weight" }!
            let values = (0..<vocabulary * hidden).map { BFloat16(rounding: Float(stream.gaussian(at: $0))) }
            tensors[place].shape = [vocabulary, hidden]
            tensors[place].bytes = values.withUnsafeBytes { Array($0) }
        }
    }
}
