// The configuration file of the Python project that Shoal follows, unchanged but for the path of the model.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct SeedConfigurationTests {
        private static let configuration = """
            base_model_path: "model"
            data:
              raw_dir: "data/raw"
              processed_dir: "data/processed"
              examples_dir: "data/examples"
            training:
              output_dir: "outputs/models"
              log_dir: "outputs/logs"
              batch_size: 2
              learning_rate: 1e-4
              epochs: 3
              use_lora: true
            lora:
              r: 16
              alpha: 16
              dropout: 0.1
            system:
              cuda_visible_devices: 0
              bf16: true
              max_seq_length: 256

            """

        @Test(arguments: smallWorlds) func itTrainsAndHoldsRowsOut(ranks: Int?) throws {
            let project = try project(rows: 20)
            let result = try project.train(["--set", "system.threads=1"], ranks: ranks)
            result.expect(0)
            for key in ["data.examples_dir", "training.log_dir", "training.use_lora", "system.cuda_visible_devices"] {
                let notices = result.standardError.split(separator: "\n").filter { $0.hasPrefix("notice: ") && $0.contains(key) }
                #expect(notices.count == 1, "\(key): \(result.standardError)")
            }
            // Of "question 1" to "question 20" the SHA-256 of 9 and 18 is divisible by 5 (Python's hashlib).
            #expect(result.standardError.contains("rows by task: retrieval 18"))
            let files = project.files(of: "outputs/models")
            #expect(try files.steps().count == (ranks == nil ? 3 * 9 : 3 * 4))
            let evaluations = try files.events("evaluation")
            #expect(evaluations.count == 1)
            #expect(evaluations.first?["results"]?.arrayValue?.allSatisfy { $0["queries"]?.integerValue == 2 } == true)
            for name in [
                "adapters/adapter_model.safetensors", "adapters/adapter_config.json", "peft/retrieval/adapter_model.safetensors",
                "README.md",
            ] {
                #expect(files.exists(name), "\(name)")
            }
        }

        @Test func anEvaluationFileIsTakenInstead() throws {
            let project = try project(rows: 20)
            try project.folder.write(
                "data/processed/eval.jsonl", TrainingRows.plain(anchors: ["one", "two", "three"]).joined(separator: "\n"))
            let result = try project.train(["--set", "system.threads=1"])
            result.expect(0)
            #expect(result.standardError.contains("rows by task: retrieval 20"))
            let results = try project.files(of: "outputs/models").events("evaluation").first?["results"]?.arrayValue
            #expect(results?.first?["queries"]?.integerValue == 3)
        }

        /// Ten rows are trained on whole, and "question 1" to "question 8" with ten other rows hold none that is divisible.
        @Test(arguments: [10, 8]) func aSmallFileIsTrainedOnWhole(rows: Int) throws {
            let project = try project(rows: rows)
            if rows == 8 {
                let anchors = (1...8).map { "question \($0)" } + (10...17).map { "question \($0)" }
                try project.folder.write("data/processed/train.jsonl", TrainingRows.plain(anchors: anchors).joined(separator: "\n"))
            }
            let result = try project.train(["--set", "system.threads=1"])
            result.expect(0)
            #expect(result.standardError.contains("evaluation: none"))
            #expect(try project.files(of: "outputs/models").events("evaluation").isEmpty)
        }

        @Test func withoutATrainingFileItIsRefused() throws {
            let project = try project(rows: 20)
            try FileManager.default.removeItem(atPath: project.path("data/processed/train.jsonl"))
            let result = try project.train(ranks: 2, limit: refusalLimit)
            result.expectRefusal(66, ["data/processed/train.jsonl: "])
        }

        private func project(rows: Int) throws -> RunProject {
            let project = try RunProject(configuration: Self.configuration)
            try FileManager.default.createDirectory(atPath: project.path("data/processed"), withIntermediateDirectories: true)
            let anchors = (1...rows).map { "question \($0)" }
            try project.folder.write("data/processed/train.jsonl", TrainingRows.plain(anchors: anchors).joined(separator: "\n"))
            return project
        }
    }
}
