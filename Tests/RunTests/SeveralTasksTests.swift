// Several tasks and data sets in one run: code, retrieval and graded pairs of real data, each with a share of its own.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct SeveralTasksTests {
        private static let tasks = ["retrieval", "text-matching", "code"]

        /// 32 batches an epoch: 10 of code, 11 of retrieval, 11 of graded pairs.
        private static let configuration = RunProject.configuration.replacingOccurrences(
            of: "    - path: train.jsonl\n      task: code\n",
            with: """
                    - {path: stdlib.jsonl.gz, task: code, weight: 0.02}
                    - {path: medquad.jsonl.gz, weight: 0.01}
                    - {path: sts.jsonl, task: text-matching, weight: 0.03, score_range: [0, 5]}

                """
        ).replacingOccurrences(
            of: "  max_steps: 20\n  global_batch_size: 6\n", with: "  max_steps: 40\n  global_batch_size: 8\n  save_steps: 16\n"
        ).replacingOccurrences(
            of: "  warmup_steps: 4\n", with: "  warmup_steps: 4\n  task_learning_rates: {code: 4.0e-3}\n"
        ).replacingOccurrences(of: "loss:\n", with: "loss:\n  task_weights: {text-matching: 0.5}\n")

        private func project() throws -> RunProject {
            let project = try RunProject(configuration: Self.configuration)
            try project.link("stdlib.jsonl.gz", to: PackagePath.example("python-stdlib/train.jsonl.gz"))
            try project.link("medquad.jsonl.gz", to: TestData.url("retrieval/medquad-train.jsonl.gz").path)
            try project.link("sts.jsonl", to: TestData.url("sts/stsb-free-train.jsonl").path)
            return project
        }

        @Test(.enabled(if: TestData.available, "set SHOAL_TEST_DATA")) func stopsWorldsAndTasksDoNotMatter() throws {
            let project = try project()
            let alone = try project.train(["--set", "training.output_dir=alone"])
            alone.expect(0)
            expectTable(alone.standardError)
            try expectThreeTasks(project.files(of: "alone"))

            try project.train(["--set", "training.output_dir=ranks"], ranks: 2).expect(0)
            try expectSame(project.files(of: "alone"), project.files(of: "ranks"))

            try project.train(["--set", "training.output_dir=resumed", "--stop-after", "19"]).expect(75)
            try project.train(["--set", "training.output_dir=resumed", "--resume"], ranks: 2).expect(0)
            try expectSame(project.files(of: "alone"), project.files(of: "resumed"))
        }

        /// The weight scales the gradient and leaves the loss as it is; a weight of 0 still makes its steps on all ranks.
        @Test(arguments: smallWorlds) func weightsScaleTheGradient(ranks: Int?) throws {
            let project = try RunProject()
            let steps = try [1.0, 0.5, 0].map { weight in
                let settings = [
                    "training.output_dir=run-\(weight)", "training.max_steps=1",
                    "loss.task_weights={code: \(weight), retrieval: \(weight / 4 + 1)}",
                    "data.train=[{path: train.jsonl, task: code, weight: 1}]",
                ]
                try project.train(settings.flatMap { ["--set", $0] }, ranks: ranks).expect(0)
                #expect(try project.files(of: "run-\(weight)").events("step")[0]["task"]?.stringValue == "code")
                return try project.files(of: "run-\(weight)").steps()[0]
            }
            #expect(Set(steps.map(\.loss)).count == 1 && steps[0].gradientNorm > 0)
            #expect(abs(steps[1].gradientNorm / steps[0].gradientNorm - 0.5) < 1e-5)
            #expect(steps[2].gradientNorm == 0)
        }

        /// Rows of a kind that fills no batch are told of, and their task gets no adapter of its own.
        @Test func aTaskThatFillsNoBatchIsSaid() throws {
            let project = try RunProject()
            let result = try project.train(["--set", "training.global_batch_size=10", "--set", "training.max_steps=2"])
            result.expect(0)
            #expect(result.standardError.contains("notice: an epoch has 8 rows of retrieval, fewer than a global batch of 10"))
            #expect(project.files().exists("peft/code/adapter_model.safetensors") && !project.files().exists("peft/retrieval"))
            #expect(try String(decoding: project.files().bytes("README.md"), as: UTF8.self).contains("trained for code\n"))
        }

        private func expectTable(_ text: String) {
            for line in [
                "stdlib.jsonl.gz · 4,266 rows · 85 taken in an epoch", "medquad.jsonl.gz · 9,331 rows · 93 taken in an epoch",
                "sts.jsonl · 2,999 rows · 90 taken in an epoch", "text-matching 2,999 (2,999 with scores)", "12 left over each epoch",
                "40 = 1.25 epochs of 32 batches",
            ] {
                #expect(text.contains(line), "\(line): \(text)")
            }
            #expect(text.contains(#/step 20\/40 · .* mean loss retrieval [\d.]+, text-matching [\d.]+, code [\d.]+ · lr/#), "\(text)")
        }

        private func expectThreeTasks(_ files: RunFiles) throws {
            let steps = try files.events("step")
            #expect(Set(steps.compactMap { $0["task"]?.stringValue }) == Set(Self.tasks))
            // Past the warm-up of four steps the rate falls from its peak to 0.
            for step in steps.dropFirst(4) {
                let course = (41 - Double(step["step"]!.integerValue!)) / 36
                let peak = step["task"]?.stringValue == "code" ? 4e-3 : 1e-3
                #expect(abs(step["learning_rate"]!.numberValue! / (peak * course) - 1) < 1e-12)
            }
            let end = try #require(try files.events("end").first?["mean_loss_by_task"]?.objectValue)
            #expect(end.entries.map(\.key) == Self.tasks && end.entries.allSatisfy { ($0.value.numberValue ?? 0) > 0 })
            let card = String(decoding: try files.bytes("README.md"), as: UTF8.self)
            #expect(card.contains("trained for retrieval, text-matching and code") && card.contains("Mean loss at the end: retrieval "))
            for task in Self.tasks { #expect(files.exists("peft/\(task)/adapter_config.json"), "\(task)") }
        }

        private func expectSame(_ one: RunFiles, _ other: RunFiles) throws {
            let checkpoint = ["checkpoints/step-40/adapter_model.safetensors", "checkpoints/step-40/optimizer.safetensors"]
            for name in ["adapters/adapter_model.safetensors"] + Self.tasks.map({ "peft/\($0)/adapter_model.safetensors" }) + checkpoint {
                try expectSameBytes(other.bytes(name), one.bytes(name), "\(other.path)/\(name)")
            }
            #expect(try one.steps() == other.steps(), "\(other.path)")
        }
    }
}
