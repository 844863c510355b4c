// A run that remembers candidates of earlier steps: the same bytes on any number of ranks, in one go and in two.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct MemoryBankTests {
        private static let settings = ["loss.memory_bank_steps=3", "training.max_steps=14", "training.save_steps=7"]
        private static let files = [
            "adapters/adapter_model.safetensors", "checkpoints/step-7/memory_bank.safetensors",
            "checkpoints/step-14/memory_bank.safetensors",
            "checkpoints/step-14/optimizer.safetensors",
        ]

        /// Each time with another part of the bank on each rank before and after the stop.
        @Test(arguments: ["infonce", "joint"]) func aResumedRunRemembers(loss: String) throws {
            let project = try RunProject()
            let settings = Self.settings + ["loss.name=\(loss)"]
            let unbroken = try run(project, "unbroken", settings)
            for (before, after) in [(("stream", 3), ("gather", 2)), (("gather", nil), ("stream", 4)), (("stream", 2), ("stream", nil))]
                as [((String, Int?), (String, Int?))]
            {
                let folder = "\(before)-\(after)".filter { !" (),\"".contains($0) }
                let output = ["training.output_dir=\(folder)"]
                try project.train(
                    (settings + output + ["loss.pool=\(before.0)"]).flatMap { ["--set", $0] } + ["--stop-after", "7"], ranks: before.1
                ).expect(75)
                try project.train(
                    (settings + output + ["loss.pool=\(after.0)"]).flatMap { ["--set", $0] } + ["--resume"], ranks: after.1
                ).expect(0)
                for name in Self.files {
                    try expectSameBytes(project.files(of: folder).bytes(name), unbroken.bytes(name), "\(folder): \(name)")
                }
                #expect(try project.files(of: folder).steps() == unbroken.steps(), "\(folder)")
            }
        }

        @Test func whatRowsSawIsRecorded() throws {
            let project = try RunProject()
            let with = try run(project, "with", Self.settings)
            let without = try run(project, "without", Self.settings.dropFirst() + [])
            #expect(!without.exists("checkpoints/step-14/memory_bank.safetensors"))
            let (seen, own) = try (candidates(with), candidates(without))
            var steps: [String: [Int]] = [:]
            for (step, (task, count)) in own.enumerated() {
                #expect(seen[step].count == count + steps[task, default: []].suffix(3).reduce(0, +), "step \(step + 1)")
                steps[task, default: []].append(count)
            }
            #expect(steps.count == 2, "each task has a bank of its own")
        }

        @Test func theStartTells() throws {
            let result = try RunProject().train((Self.settings + ["loss.pool=stream"]).flatMap { ["--set", $0] } + ["--dry-run"], ranks: 2)
            result.expect(0)
            #expect(result.standardError.contains(" candidates a step and up to "))
            #expect(result.standardError.contains(" · memory bank "))
        }

        private func candidates(_ files: RunFiles) throws -> [(task: String, count: Int)] {
            try files.events("step").map {
                (try #require($0["task"]?.stringValue), Int(try #require($0["candidates"]?.integerValue)))
            }
        }

        private func run(_ project: RunProject, _ folder: String, _ settings: [String]) throws -> RunFiles {
            try project.train((settings + ["training.output_dir=\(folder)"]).flatMap { ["--set", $0] }).expect(0)
            return project.files(of: folder)
        }
    }
}
