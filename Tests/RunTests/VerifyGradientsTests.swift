// `shoal verify-gradients` on every kind of world, and that it notices a wrong gradient.

import Support
import Testing

extension RunTests {
    @Suite struct VerifyGradientsTests {
        @Test(arguments: [nil, 2, 4]) func gradientsAreThoseOfOneBigBatch(ranks: Int?) throws {
            let result = try verify([], ranks: ranks)
            result.expect(0)
            let lines = result.standardOutput.split(separator: "\n")
            let tensors = lines.filter { $0.contains(".lora_") }
            #expect(tensors.count == 28, "2 layers × 7 linears × A and B")
            #expect(tensors.allSatisfy { $0.contains("same bits") })
            let verdict = try #require(lines.last)
            #expect(verdict.hasPrefix("within tolerance: 28 tensors"), "\(result.standardOutput)")
            #expect(verdict.contains("\(ranks ?? 1) ranks against one: the same bits"))
        }

        @Test(arguments: smallWorlds) func aWrongScaleIsNoticed(ranks: Int?) throws {
            let result = try verify(["--gradient-scale", "1.05"], ranks: ranks)
            result.expect(70)
            #expect(result.standardOutput.contains("OUT OF TOLERANCE"))
        }

        private func verify(_ arguments: [String], ranks: Int?) throws -> JobResult {
            try RunProject().shoal(["verify-gradients", "--config", "project_config.yaml"] + arguments, ranks: ranks)
        }
    }
}
