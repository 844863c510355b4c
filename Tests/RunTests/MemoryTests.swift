// What a run says of its memory before it starts, against what it takes; and a run that only says.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct MemoryTests {
        /// Wide batches of the embedded model, so that activations outweigh the program.
        private let wide = [
            "training.global_batch_size=40", "training.max_steps=1", "system.max_seq_length=400", "lora.tasks=[code]",
            "training.save_steps=0",
        ]

        @Test(arguments: ["keep", "recompute"]) func theEstimateIsWhatIsTaken(memory: String) throws {
            let project = try RunProject(.embedded, rows: Self.longRows)
            let settings = wide + ["system.activation_memory=\(memory)"]
            let result = try project.train(settings.flatMap { ["--set", $0] })
            result.expect(0)
            #expect(result.standardError.contains("activations: \(memory), "))
            let estimate = try Self.bytes(atPeakIn: result.standardError)
            let end = try #require(project.files().events("end").last)
            let measured = Double(try #require(end["peak_resident_bytes"]?.integerValue))
            #expect(abs(estimate / measured - 1) < 0.15, "estimate \(estimate), measured \(measured)")
        }

        @Test(arguments: [nil, 2]) func aDryRunWritesNothing(ranks: Int?) throws {
            let project = try RunProject()
            let result = try project.train(["--dry-run"], ranks: ranks)
            result.expect(0)
            #expect(result.standardError.contains("at the peak ") && result.standardError.contains("20 = "))
            #expect(!FileManager.default.fileExists(atPath: project.path("run")))
            try project.train(["--dry-run", "--set", "data.train=none.jsonl"], ranks: ranks).expect(66)
            try project.train(["--dry-run", "--resume"]).expect(64)
        }

        /// Packed once a host or at every product.
        @Test(arguments: [nil, 2]) func packedWeightsGiveTheSameBits(ranks: Int?) throws {
            let project = try RunProject(.embedded)
            var adapters: [Data] = []
            for packing in ["on", "off"] {
                let settings = ["system.packed_weights=\(packing)", "training.max_steps=2", "training.output_dir=\(packing)"]
                let result = try project.train(settings.flatMap { ["--set", $0] }, ranks: ranks)
                result.expect(0)
                #expect(result.standardError.contains("packed once a host") == (packing == "on"))
                adapters.append(try project.files(of: packing).bytes("adapters/adapter_model.safetensors"))
            }
            expectSameBytes(adapters[1], adapters[0], "adapter")
        }

        /// Of one rank, model included: what stands behind "at the peak" a host.
        private static func bytes(atPeakIn table: String) throws -> Double {
            let line = try #require(table.split(separator: "\n").first { $0.contains("at the peak ") })
            let words = try #require(line.components(separatedBy: " · ").last).split(separator: " ")
            let units = ["kB": 1e3, "MB": 1e6, "GB": 1e9]
            return try #require(Double(words[0])) * #require(units[String(words[1])])
        }

        private static let longRows = (0..<40).map { row in
            let text = (0..<150).map { "word\((row * 31 + $0 * 7) % 97)" }.joined(separator: " ")
            return #"{"query": "\#(row) \#(text)", "positive": "passage \#(row) \#(text)"}"#
        }
    }
}
