// What a resumed run accepts, what it refuses, and which checkpoint it takes.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct ResumeTests {
        @Test(arguments: smallWorlds) func changedSettingsAreRefused(ranks: Int?) throws {
            let project = try stopped()
            let before = try project.files().everything()
            for (setting, words) in [
                ("training.learning_rate=0.5", "training.learning_rate: 0.001 in the run, 0.5 now"),
                ("training.seed=43", "training.seed: 42 in the run, 43 now"),
                ("loss.temperature=0.1", "loss.temperature: 0.05 in the run, 0.1 now"),
                ("loss.memory_bank_steps=2", "loss.memory_bank_steps: 0 in the run, 2 now"),
                ("training.global_batch_size=5", "global batch: 6 rows in the run, 5 now"),
                ("training.max_steps=30", "training.max_steps: 20 in the run, 30 now"), ("lora.dropout=0", "lora.dropout: 0.1 in the run"),
            ] {
                let result = try project.train(["--resume", "--set", setting], ranks: ranks, limit: refusalLimit)
                result.expectRefusal(78, ["run/checkpoints/step-6: ", words, "set them as in the run"], isAlone: ranks == nil)
            }
            try expectSameFiles(project.files().everything(), before)
        }

        @Test(arguments: smallWorlds) func changedDataAreRefused(ranks: Int?) throws {
            let project = try stopped()
            let before = try project.files().everything()
            try project.folder.write("train.jsonl", TrainingRows.usual.reversed().joined(separator: "\n"))
            let changed = try project.train(["--resume"], ranks: ranks, limit: refusalLimit)
            changed.expectRefusal(78, ["train.jsonl: ", "restore it"], isAlone: ranks == nil)
            let moved = try project.train(["--resume", "--set", "data.train=[{path: ./train.jsonl, task: code}]"], limit: refusalLimit)
            moved.expectRefusal(78, ["run/checkpoints/step-6: ", "data.train"], isAlone: true)
            try expectSameFiles(project.files().everything(), before)
        }

        @Test(arguments: smallWorlds) func anotherBackboneIsRefused(ranks: Int?) throws {
            let project = try stopped()
            let weights = try FileManager.default.contentsOfDirectory(atPath: project.path("model")).first { $0.hasSuffix(".safetensors") }!
            var bytes = try project.folder.bytes("model/\(weights)")
            for place in stride(from: bytes.count - 2, to: bytes.count - 2000, by: -2) { bytes[place] ^= 1 }
            try project.folder.write("model/\(weights)", bytes)
            let result = try project.train(["--resume"], ranks: ranks, limit: refusalLimit)
            result.expectRefusal(78, ["model: ", "is not what the run was started with"], isAlone: ranks == nil)
        }

        @Test func cadenceAndThreadsMayChange() throws {
            let project = try stopped()
            let settings = ["training.save_steps=9", "training.logging_steps=1", "system.threads=2", "system.microbatch_tokens=100"]
            try project.train(["--resume"] + settings.flatMap { ["--set", $0] }).expect(0)
            #expect(try project.files().steps().map(\.step) == Array(1...20))
        }

        @Test(arguments: smallWorlds, ["optimizer.safetensors", "adapter_model.safetensors", "state.json", "MANIFEST.json"])
        func aDamagedCheckpointIsPassedOver(ranks: Int?, name: String) throws {
            let project = try stopped()
            let path = "run/checkpoints/step-6/\(name)"
            var bytes = try project.folder.bytes(path)
            bytes[bytes.count / 2] ^= 4
            try project.folder.write(path, bytes)
            let result = try project.train(["--resume"], ranks: ranks)
            result.expect(0)
            #expect(result.standardError.contains("the run goes on from the older step-3"))
            #expect(result.standardError.contains("run/checkpoints/step-6: is damaged"))
            #expect(project.files().checkpoints.contains { $0.hasPrefix(".bad-step-6") })
            try expectUnbroken(project.files())
        }

        @Test(arguments: smallWorlds) func withoutAWholeCheckpointItIsRefused(ranks: Int?) throws {
            let project = try stopped()
            for name in project.files().checkpoints {
                try FileManager.default.removeItem(atPath: project.path("run/checkpoints/\(name)/state.json"))
            }
            let before = try project.files().everything()
            let result = try project.train(["--resume"], ranks: ranks, limit: refusalLimit)
            result.expectRefusal(65, ["run/checkpoints: holds no whole checkpoint", "step-6", "step-3"], isAlone: ranks == nil)
            try expectSameFiles(project.files().everything(), before)
        }

        @Test(arguments: smallWorlds) func withoutACheckpointTheRunStarts(ranks: Int?) throws {
            let project = try RunProject()
            let result = try project.train(["--resume"], ranks: ranks)
            result.expect(0)
            #expect(result.standardError.contains("notice: run holds no checkpoint; the run starts at step 1"))
            try expectUnbroken(project.files())
        }

        /// The global batch stays that of the run.
        @Test func rowsARankFollowTheRun() throws {
            let project = try RunProject()
            try project.folder.write(
                "project_config.yaml", RunProject.configuration.replacingOccurrences(of: "global_batch_size: 6", with: "batch_size: 6"))
            try project.train(["--stop-after", "5"]).expect(75)
            let result = try project.train(["--resume"], ranks: 3)
            result.expect(0)
            #expect(result.standardError.contains("notice: the run keeps its global batch of 6 rows"))
            try expectUnbroken(project.files())
        }

        @Test func aFinishedRunStaysAsItIs() throws {
            let project = try RunProject()
            try project.train().expect(0)
            let before = try project.files().bytes("adapters/adapter_model.safetensors")
            try project.train(["--resume"], ranks: 2).expect(0)
            try expectSameBytes(project.files().bytes("adapters/adapter_model.safetensors"), before, "adapter")
            #expect(try project.files().steps().map(\.step) == Array(1...20))
        }

        private static let unbroken = Result {
            let project = try RunProject()
            try project.train().expect(0)
            return (try project.files().bytes("adapters/adapter_model.safetensors"), try project.files().steps())
        }

        private func expectUnbroken(_ files: RunFiles, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let (adapter, steps) = try Self.unbroken.get()
            try expectSameBytes(files.bytes("adapters/adapter_model.safetensors"), adapter, "adapter", sourceLocation: sourceLocation)
            #expect(try files.steps() == steps, sourceLocation: sourceLocation)
        }

        /// A run with the checkpoints of steps 3 and 6.
        private func stopped() throws -> RunProject {
            let project = try RunProject()
            try project.folder.write(
                "project_config.yaml",
                RunProject.configuration.replacingOccurrences(of: "max_steps: 20", with: "max_steps: 20\n  save_steps: 3"))
            try project.train(["--stop-after", "6"]).expect(75)
            #expect(project.files().checkpoints == ["step-3", "step-6"])
            return project
        }
    }
}
