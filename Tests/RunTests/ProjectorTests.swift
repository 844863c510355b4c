// A backbone without a projector: where late vectors are trained, a random one is made once, and stays with the run.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct ProjectorTests {
        private static let file = "multi_vector_projector.safetensors"

        /// Stopped on one number of ranks and resumed on another, the run keeps the projector that it began with.
        @Test func aResumedRunKeepsItsProjector() throws {
            let project = try RunProject(.absent)
            let model = project.path("model")
            try TinyCheckpoint(vocabulary: 8256).changing { $0.removeAll { $0.name.hasPrefix("multi_vector_projector") } }.write(to: model)
            try project.link("model/tokenizer.json", to: PackagePath.example("jina-tiny/tokenizer.json"))
            func train(_ folder: String, _ arguments: [String], ranks: Int?) throws -> JobResult {
                let settings = ["loss.name=joint", "training.save_steps=10", "training.output_dir=\(folder)"]
                return try project.train(settings.flatMap { ["--set", $0] } + arguments, ranks: ranks)
            }

            let unbroken = try train("unbroken", [], ranks: nil)
            unbroken.expect(0)
            #expect(unbroken.standardError.contains("a random one is made"))
            try train("resumed", ["--stop-after", "10"], ranks: 2).expect(75)
            let resumed = try train("resumed", ["--resume"], ranks: 3)
            resumed.expect(0)
            #expect(!resumed.standardError.contains("a random one is made"))
            let names = [
                "adapters/adapter_model.safetensors", "adapters/\(Self.file)", "checkpoints/step-20/optimizer.safetensors",
                "checkpoints/step-20/\(Self.file)",
            ]
            for name in names {
                try expectSameBytes(project.files(of: "resumed").bytes(name), project.files(of: "unbroken").bytes(name), name)
            }

            let inspected = try project.shoal(["inspect", "resumed/checkpoints/step-20", "--model", "model", "--verify"])
            inspected.expect(0)
            #expect(inspected.standardOutput.contains("own projector") && inspected.standardOutput.contains(Self.file))
            #expect(
                try String(decoding: project.files(of: "resumed").bytes("README.md"), as: UTF8.self).contains("`\(Self.file)` makes them"))
        }
    }
}
