// A whole run under every instruction set that this processor has, the lesser ones by force: the same bytes where the arithmetic is
// the same. And what the environment of the libraries does to it: nothing.

import Foundation
import Support
import Tensor
import Testing

extension RunTests {
    @Suite struct InstructionSetTests {
        private static let files = ["adapters/adapter_model.safetensors", "checkpoints/step-6/optimizer.safetensors"]

        @Test(arguments: [MatrixEngine.Kind.float32, .bfloat16]) func setsOfOneArithmeticWriteTheSameBytes(kind: MatrixEngine.Kind) throws {
            let engines = MatrixEngines.own(kind)
            for arithmetic in Set(engines.map(\.arithmetic)) {
                var first: [Data]?
                for (number, engine) in engines.filter({ $0.arithmetic == arithmetic }).enumerated() {
                    let bytes = try run(kind, [InstructionSet.variable: engine.instructions.rawValue], ranks: number % 2 + 1)
                    expectSame(bytes, first ?? bytes, "\(engine.testDescription)")
                    first = first ?? bytes
                }
                // On as many ranks as the first set did not have.
                let alone = try run(
                    kind, [InstructionSet.variable: engines.last { $0.arithmetic == arithmetic }!.instructions.rawValue], ranks: 4)
                expectSame(alone, first!, "\(arithmetic) on four ranks")
            }
        }

        @Test(arguments: ["Prescott", "Haswell"]) func kernelsOfOpenBLASDoNotMatter(name: String) throws {
            expectSame(try run(.float32, ["OPENBLAS_CORETYPE": name], ranks: 2), try run(.float32, [:], ranks: 1), name)
        }

        @Test func bfloat16DoesNotNeedOneDNN() throws {
            expectSame(try run(.bfloat16, ["ONEDNN_MAX_CPU_ISA": "AVX2"], ranks: 1), try run(.bfloat16, [:], ranks: 2), "oneDNN for AVX2")
        }

        @Test(arguments: [MatrixEngine.Kind.float32, .bfloat16]) func packedWeightsGiveTheSameBytes(kind: MatrixEngine.Kind) throws {
            let stored = try run(kind, [:], ranks: 1)
            expectSame(try run(kind, [:], ranks: 2, ["--set", "system.packed_weights=on"]), stored, "packed weights")
        }

        @Test func unknownSetsAreRefused() throws {
            var project = try RunProject()
            project.variables = [InstructionSet.variable: "mmx"]
            let result = try project.train(["--set", "training.max_steps=1"], ranks: 2)
            result.expect(78)
            #expect(result.standardError.contains("the environment has SHOAL_INSTRUCTION_SET=mmx; this processor can do avx2"))
        }

        @Test func withoutTheProofBitsAreNotPromised() throws {
            let project = try RunProject()
            let result = try project.train([
                "--set", "training.max_steps=1", "--set", "system.exact=false", "--set", "system.matrix_library=openblas",
            ])
            result.expect(0)
            #expect(result.standardError.contains("bits not promised, system.exact is false"))
        }

        @Test func librariesServeTheirOwnTypeAlone() throws {
            let project = try RunProject()
            let result = try project.train(["--set", "system.compute_dtype=bfloat16", "--set", "system.matrix_library=openblas"])
            result.expect(78)
            #expect(result.standardError.contains("OpenBLAS multiplies float32 alone"))
        }

        private func run(_ kind: MatrixEngine.Kind, _ variables: [String: String], ranks: Int, _ more: [String] = []) throws -> [Data] {
            var project = try RunProject()
            project.variables = variables
            let settings = ["--set", "system.compute_dtype=\(kind.rawValue)", "--set", "training.max_steps=6"]
            try project.train(settings + more, ranks: ranks).expect(0)
            return try Self.files.map { try project.files().bytes($0) }
        }

        private func expectSame(_ one: [Data], _ other: [Data], _ what: String) {
            for (name, (a, b)) in zip(Self.files, zip(one, other)) {
                let difference = zip(a, b).enumerated().first { $0.element.0 != $0.element.1 }?.offset
                #expect(!a.isEmpty && a.count == b.count && difference == nil, "\(what): \(name) of \(a.count) and \(b.count) bytes")
            }
        }
    }
}
