// Faults in project_config.yaml and on the command line.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct ConfigurationRefusalTests {
        static let faults = [
            Refusal("unknown key", 78, "project_config.yaml:18:3: ", "temprature", "did you mean \"temperature\"?") { project in
                try project.addSetting("  temprature: 0.1", below: "  temperature: 0.05")
                return []
            },
            Refusal("wrong type", 78, "project_config.yaml:10:18: ", "training.learning_rate", "number") { project in
                let text = RunProject.configuration.replacingOccurrences(of: "learning_rate: 1.0e-3", with: "learning_rate: fast")
                try project.folder.write("project_config.yaml", text)
                return []
            },
            Refusal("out of range", 78, "--set lora.dropout: ", "1.5") { _ in ["--set", "lora.dropout=1.5"] },
            Refusal("no YAML", 78, "project_config.yaml:7:1: ", "indent with spaces") { project in
                try project.addSetting("\tseed: 1", below: "training:")
                return []
            },
            Refusal("bad value of --set", 78, "--set training.learning_rate: ", "number") { _ in ["--set", "training.learning_rate=fast"] },
            Refusal("unknown key of --set", 78, "--set training.lerning_rate: ", "did you mean \"learning_rate\"?") { _ in
                ["--set", "training.lerning_rate=1"]
            },
            Refusal("--set without a value", 78, "--set training.seed: ", "key=value") { _ in ["--set", "training.seed"] },
            Refusal("missing configuration", 66, "project_config.yaml: ", "no such file") { project in
                try FileManager.default.removeItem(atPath: project.path("project_config.yaml"))
                return []
            },
            Refusal("evaluation steps without a dataset", 78, "--set training.eval_steps: ", "data.evaluation") { _ in
                ["--set", "training.eval_steps=5"]
            },
            Refusal("task that the model lacks, of the adapters", 78, "--set lora.tasks: ", "retrieval, text-matching, code") { _ in
                ["--set", "lora.tasks=[code, poetry]"]
            },
            Refusal("task that the model lacks, of a file", 78, "--set data.train: ", "poetry", "retrieval, text-matching, code") { _ in
                ["--set", "data.train=[{path: train.jsonl, task: poetry}]"]
            },
            Refusal("task without an adapter in this run", 65, "train.jsonl:3:", "\"task\" is \"retrieval\"", "the tasks code") { _ in
                ["--set", "lora.tasks=[code]"]
            },
            Refusal("task that the run lacks, of weights", 78, "--set loss.task_weights: ", "\"retrieva\"", "did you mean retrieval?") {
                _ in
                ["--set", "loss.task_weights={code: 1, retrieva: 0.5}"]
            },
            Refusal("task that the run lacks, of rates", 78, "project_config.yaml:11:25: ", "\"poetry\"", "there are retrieval") {
                project in
                try project.addSetting("  task_learning_rates: {poetry: 1}", below: "  learning_rate: 1.0e-3")
                return []
            },
            Refusal("weights that train nothing", 78, "--set loss.task_weights: ", "nothing would be trained") { _ in
                ["--set", "loss.task_weights={code: 0, retrieval: 0}"]
            },
            Refusal(
                "data set without a row in an epoch", 78, "--set data.train: ", "data.train[1].weight 0.01", "train.jsonl, which has 24"
            ) { _ in
                ["--set", "data.train=[{path: train.jsonl, task: code}, {path: train.jsonl, task: code, weight: 0.01}]"]
            },
            Refusal("target module that the model lacks", 78, "--set lora.target_modules: ", "query_proj", "q_proj") { _ in
                ["--set", "lora.target_modules=[query_proj]"]
            },
            Refusal("fewer rows than a batch", 78, "--set training.global_batch_size: ", "17", "16", "train.jsonl") { _ in
                ["--set", "training.global_batch_size=17"]
            },
            Refusal("prefix wider than the vectors", 78, "--set loss.matryoshka_dims: ", "has 33", "32 values") { _ in
                ["--set", "loss.matryoshka_dims=[8,33]"]
            },
            Refusal("width that the model lacks", 78, "--set training.metric_for_best_model: ", "8, 16, 32") { _ in
                ["--set", "data.evaluation=train.jsonl", "--set", "training.metric_for_best_model=ndcg@10@12"]
            },
        ]

        @Test(arguments: faults, smallWorlds) func isRefused(fault: Refusal, ranks: Int?) throws {
            try fault.check(ranks: ranks)
        }

        @Test(arguments: [2, 4]) func moreRanksThanRowsAreRefused(ranks: Int) throws {
            let fault = Refusal("", 78, "--set training.global_batch_size: ", "\(ranks - 1) rows", "\(ranks) ranks", "start fewer ranks") {
                _ in
                ["--set", "training.global_batch_size=\(ranks - 1)"]
            }
            try fault.check(ranks: ranks)
        }

        @Test(arguments: [2, 4]) func aCommandLineThatIsNoneIsSaidOnce(ranks: Int) throws {
            let result = try RunProject().train(["--resumee"], ranks: ranks, limit: refusalLimit)
            result.expect(64)
            let lines = result.standardError.split(separator: "\n").filter { $0.hasPrefix("shoal: ") }
            #expect(lines.count == 1, "\(result.standardError)")
            #expect(lines.first?.contains("--resumee") == true)
        }

        @Test func helpUnderMpirunIsShownOnce() throws {
            let result = try RunProject().shoal(["train", "--help"], ranks: 2, limit: refusalLimit)
            result.expect(0)
            #expect(result.standardOutput.components(separatedBy: "OVERVIEW:").count == 2)
        }
    }
}
