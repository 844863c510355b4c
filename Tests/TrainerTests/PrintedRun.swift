// The output of `RankProgram train`, by name.

import Files
import Support
import Tensor
import Testing

@testable import Trainer

/// What a run of some steps has printed: a JSON line for its rows, one a step, and one for what was trained.
struct PrintedRun {
    /// The numbers of a step.
    struct Step: Equatable {
        let loss: Double
        let gradientNorm: Double
        let candidates: Int
        let maskedPairs: Int
    }

    let droppedNegatives: Int
    let truncatedTexts: Int
    let steps: [Step]

    init(_ output: String) throws {
        let lines = try output.split(separator: "\n").map { try JSONValue.parse(Array($0.utf8), path: "output") }
        let (rows, end) = try (#require(lines.first), #require(lines.last))
        droppedNegatives = try Self.whole(rows, "dropped")
        truncatedTexts = try Self.whole(rows, "truncated")
        steps = try lines.dropFirst().dropLast().map { line in
            Step(
                loss: try #require(line["loss"]?.numberValue), gradientNorm: try #require(line["grad_norm"]?.numberValue),
                candidates: try Self.whole(line, "candidates"), maskedPairs: try Self.whole(line, "masked_pairs"))
        }
        _ = try #require(end["sha256"]?.stringValue)
    }

    private static func whole(_ line: JSONValue, _ key: String) throws -> Int { Int(try #require(line[key]?.integerValue)) }
}
