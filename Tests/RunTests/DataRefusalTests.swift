// Faults in training rows, and what is no fault: texts above the limit.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct DataRefusalTests {
        static let faults = [
            Refusal("missing file", 66, "rows.jsonl: ", "no such file") { _ in ["--set", "data.train=rows.jsonl"] },
            Refusal("file without rows", 65, "train.jsonl: ", "no rows") { project in
                try project.folder.write("train.jsonl", "\n\n")
                return []
            },
            line("malformed row", 20, #"{"query": "a", "positive": "b""#, "train.jsonl:20:"),
            line("row that is no object", 2, #"["a", "b"]"#, "train.jsonl:2:1: "),
            line(
                "empty positive", 7, #"{"query": "a", "positive": "  "}"#, "train.jsonl:7:28: ", "\"positive\" is empty", "remove the row"),
            line(
                "empty negative", 7, #"{"query": "a", "positive": "b", "negatives": ["c", ""]}"#, "train.jsonl:7:", "entry 2", "remove it"),
            line("row without a positive", 24, #"{"query": "a"}"#, "train.jsonl:24:1: ", "no positive"),
            line("wrong type", 9, #"{"query": 3, "positive": "b"}"#, "train.jsonl:9:11: ", "must be a string"),
            line(
                "task of the row that the model lacks", 13, #"{"query": "a", "positive": "b", "task": "poetry"}"#, "train.jsonl:13:",
                "poetry"),
            line("image on no side", 3, #"{"image": "a.png", "positive": "b"}"#, "train.jsonl:3:11: ", "which side"),
            line(
                "score that is none", 4, #"{"sentence1": "a", "sentence2": "b", "score": "high"}"#, "train.jsonl:4:47: ", "\"score\"",
                "a number"),
            line("score beside negatives", 5, #"{"query": "a", "pos": "b", "neg": "c", "score": 1}"#, "train.jsonl:5:", "no negatives"),
            Refusal("score out of its range", 65, "train.jsonl:2:", "\"score\" is 5.5", "[0, 5]") { project in
                try project.folder.write("train.jsonl", graded(scores: ["5", "5.5", "1"]))
                return ["--set", "data.train=[{path: train.jsonl, score_range: [0, 5]}]"]
            },
            Refusal("row without a score", 65, "train.jsonl:4:", "no \"score\"", "loss.name: cosent") { project in
                try project.folder.write("train.jsonl", "\n" + graded(scores: ["5", "0", "null", "2", "null"]))
                return ["--set", "loss.name=cosent", "--set", "loss.temperature=0.02"]
            },
            Refusal("scores, and no weight but the divergence's", 78, "loss.kl_weight", "3 rows with scores") { project in
                try project.folder.write("train.jsonl", graded(scores: ["5", "0", "2"]))
                return ["--set", "loss.name=joint", "--set", "loss.dense_weight=0", "--set", "loss.late_weight=0"]
            },
            Refusal("scores in every row, and a setting of the pool", 78, "--set loss.pool_limit: ", "CoSENT", "remove it") { project in
                try project.folder.write("train.jsonl", graded(scores: ["5", "0", "2"]))
                return ["--set", "loss.pool_limit=8"]
            },
            Refusal("triplets of a task without negatives", 78, "--set loss.name: ", "task retrieval", "\"negatives\"") { _ in
                ["--set", "loss.name=triplet", "--set", "loss.temperature=0.02"]
            },
            Refusal("row without a teacher", 65, "train.jsonl:3:", "no teacher's scores", "\"scores\"", "loss.distill_weight") { project in
                try project.folder.write("train.jsonl", taught(["[1, 2]", "[2.5, 0]", nil, "[3, 1]", nil]))
                return ["--set", "loss.name=distill"]
            },
            Refusal("a weight for a teacher that no row has", 78, "--set loss.distill_weight: ", "no row has a teacher's") { _ in
                ["--set", "loss.distill_weight=1"]
            },
            Refusal("a teacher of pairs alone", 78, "--set loss.name: ", "task code", "\"negatives\"") { project in
                let row = #"{"query": "a", "positive": "b", "scores": [1]}"# + "\n"
                try project.folder.write("train.jsonl", String(repeating: row, count: 8))
                return ["--set", "loss.name=distill"]
            },
            Refusal("teacher of too few candidates", 65, "train.jsonl:2:", "\"scores\" has 1 number where the row needs 2") { project in
                let row = #"{"query": "a", "positive": "b", "negatives": ["c"], "scores": [1]}"#
                try project.folder.write("train.jsonl", TrainingRows.usual[0] + "\n" + row + "\n")
                return ["--set", "loss.name=distill"]
            },
            Refusal("evaluation on pairs with scores", 65, "eval.jsonl:2: ", "\"score\"", "ranks positives") { project in
                try project.folder.write("eval.jsonl", TrainingRows.usual[0] + "\n" + graded(scores: ["1"]))
                return ["--set", "data.evaluation=eval.jsonl"]
            },
            Refusal("gzip cut short", 65, "train.jsonl.gz: ") { project in
                let gzip = try Data(contentsOf: URL(fileURLWithPath: PackagePath.example("python-stdlib/train.jsonl.gz")))
                try project.folder.write("train.jsonl.gz", gzip.prefix(5000))
                return ["--set", "data.train=train.jsonl.gz"]
            },
            Refusal("faults on several ranks", 65, "train.jsonl:5:", "\"positive\" is empty") { project in
                var rows = TrainingRows.usual
                rows[4] = #"{"query": "a", "positive": ""}"#
                rows[22] = "{"
                try project.folder.write("train.jsonl", rows.joined(separator: "\n"))
                return []
            },
            Refusal("missing evaluation", 66, "missing: ") { _ in ["--set", "data.evaluation=missing"] },
            Refusal("several tasks in order", 78, "--set training.shuffle: ", "train.jsonl", "training.shuffle: true") { _ in
                ["--set", "training.shuffle=false"]
            },
        ]

        @Test(arguments: faults, smallWorlds) func isRefused(fault: Refusal, ranks: Int?) throws {
            try fault.check(ranks: ranks)
        }

        @Test(arguments: smallWorlds) func longTextsAreCutAndCounted(ranks: Int?) throws {
            let project = try RunProject()
            let result = try project.train(["--set", "system.max_seq_length=8", "--set", "training.max_steps=2"], ranks: ranks)
            result.expect(0)
            let table = try #require(result.standardError.split(separator: "\n").first { $0.contains("cut at 8 tokens") })
            let count = try #require(table.firstMatch(of: #/(\d+) texts cut/#).flatMap { Int($0.1) })
            // Every positive but those of three words at most, and the longer queries: no word is less than a token.
            #expect(count >= 20)
            #expect(try project.files().steps().count == 2)
        }

        private static func graded(scores: [String]) -> String {
            scores.map { "{\"sentence1\": \"read a file\", \"sentence2\": \"file \($0)\", \"score\": \($0)}\n" }.joined()
        }

        /// Rows with a negative, and what a teacher says of the two candidates.
        private static func taught(_ scores: [String?]) -> String {
            scores.enumerated().map { row, scores in
                let end = scores.map { ", \"scores\": \($0)" } ?? ""
                return "{\"query\": \"read \(row)\", \"positive\": \"file \(row)\", \"negatives\": [\"path \(row)\"]\(end)}\n"
            }.joined()
        }

        private static func line(_ name: String, _ line: Int, _ text: String, _ parts: String...) -> Refusal {
            Refusal(name, 65, parts) { project in
                var rows = TrainingRows.usual
                rows[line - 1] = text
                try project.folder.write("train.jsonl", rows.map { $0 + "\n" }.joined())
                return []
            }
        }
    }
}
