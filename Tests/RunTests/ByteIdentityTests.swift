// N ranks are one big batch: every number a run computes has the same bits on one rank and on many, in one go and in two.

import Foundation
import Support
import Tensor
import Testing

extension RunTests {
    @Suite struct ByteIdentityTests {
        private static let files = [
            "adapters/adapter_model.safetensors", "peft/code/adapter_model.safetensors", "peft/retrieval/adapter_model.safetensors",
            "peft/code/adapter_config.json", "checkpoints/step-10/adapter_model.safetensors", "checkpoints/step-10/optimizer.safetensors",
            "checkpoints/step-20/adapter_model.safetensors", "checkpoints/step-20/optimizer.safetensors",
        ]

        /// The tiny model's products are the smallest, where a library may take another path from one row count to the next.
        private static let backbones = [RunProject.Backbone.tiny, .embedded]

        @Test(arguments: backbones) func everyWorldWritesTheSameBytes(backbone: RunProject.Backbone) throws {
            try expectTheSameBytes(backbone, type: "float32")
        }

        @Test(arguments: backbones)
        func everyWorldWritesTheSameBytesInBFloat16(backbone: RunProject.Backbone) throws {
            try expectTheSameBytes(backbone, type: "bfloat16")
        }

        private func expectTheSameBytes(_ backbone: RunProject.Backbone, type: String) throws {
            let project = try RunProject(backbone)
            let settings = ["--set", "system.compute_dtype=\(type)", "--set", "training.save_steps=10"]
            let alone = try run(project, "alone", settings)
            let text = try project.train(["--set", "training.output_dir=shown", "--set", "training.max_steps=1"]).standardError
            #expect(text.contains("1 text cut at 64 tokens"))
            #expect(text.contains("1 negative dropped as equal to their positive"))
            let steps = try alone.steps()
            #expect(steps.map(\.step) == Array(1...20))
            #expect(steps.reduce(0) { $0 + $1.maskedPairs } > 0)
            #expect(Set(steps.map(\.loss)).count == 20)

            try expectSame(alone, try run(project, "threads", settings + ["--set", "system.threads=2"]))
            for ranks in [1, 2, 4] {
                try expectSame(alone, try run(project, "ranks-\(ranks)", settings, ranks: ranks))
            }

            try project.train(settings + ["--set", "training.output_dir=resumed", "--stop-after", "10"]).expect(75)
            #expect(!project.files(of: "resumed").exists("adapters/adapter_model.safetensors"))
            try expectSame(alone, try run(project, "resumed", settings + ["--resume"], ranks: 2))
        }

        private func run(_ project: RunProject, _ name: String, _ settings: [String], ranks: Int? = nil) throws -> RunFiles {
            try project.train(settings + ["--set", "training.output_dir=\(name)"], ranks: ranks).expect(0)
            return project.files(of: name)
        }

        private func expectSame(_ one: RunFiles, _ other: RunFiles) throws {
            for name in Self.files {
                let (a, b) = (try one.bytes(name), try other.bytes(name))
                #expect(!a.isEmpty)
                expectSameBytes(b, a, "\(other.path)/\(name)")
            }
            #expect(try one.steps() == other.steps(), "\(other.path)")
        }
    }
}
