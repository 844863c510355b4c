// The same rows from any format give the same adapter.

import Files
import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct TableTests {
        /// As `Tests/Golden/tables/rows/make.py` wrote them.
        private static let rows = (0..<12).map { i in
            let negatives = i % 3 == 0 ? #", "negatives": ["no answer \#(i)", "another \#(i)"]"# : ""
            return
                #"{"query": "how many words has line \#(i)", "positive": "line \#(i) has five words, \"quoted\", and\na break"\#(negatives)}"#
        }

        @Test func linesArrayAndParquetGiveTheSameBytes() throws {
            let project = try RunProject()
            let folder = project.folder
            try folder.write("rows.jsonl", Self.rows.map { $0 + "\n" }.joined())
            try folder.write("rows.json", "[" + Self.rows.joined(separator: ",\n") + "]")
            try FileManager.default.copyItem(
                atPath: PackagePath.golden("tables/rows/rows.parquet"), toPath: folder.path("rows.parquet"))
            var adapters: [Data] = []
            for name in ["rows.jsonl", "rows.json", "rows.parquet"] {
                let settings = [
                    "data.train=\(name)", "training.output_dir=from-\(name)", "training.max_steps=4", "training.warmup_steps=1",
                ]
                let result = try project.train(settings.flatMap { ["--set", $0] })
                #expect(result.exitCode == 0, "\(result.standardError)")
                adapters.append(try Data(contentsOf: URL(fileURLWithPath: folder.path("from-\(name)/adapters/adapter_model.safetensors"))))
            }
            expectSameBytes(adapters[1], adapters[0], "a JSON array")
            expectSameBytes(adapters[2], adapters[0], "Parquet")
        }
    }
}
