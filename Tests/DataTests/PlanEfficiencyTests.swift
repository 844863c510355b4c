// How evenly the plan spreads real lengths, and how long planning takes where there are many ranks.

import Files
import Foundation
import Model
import Support
import Testing

@testable import Data

@Suite struct PlanEfficiencyTests {
    /// 8 pairs a rank of MedQuAD, cut at 512 tokens, costs of the 3B model.
    @Test(.enabled(if: TestData.available, "set SHOAL_TEST_DATA"), arguments: [32, 1024])
    func ranksFinishTogether(worldSize: Int) throws {
        let rows = try Self.medQuAD.get()
        let cost = InputCost(perToken: 2 * 2048 * 2048 + 2 * 2048 * 256 + 3 * 2048 * 11008, perTokenSquared: 2048)
        let sampler = BatchSampler(tasks: rows.rows.map(\.task), batchRows: 8 * worldSize, shuffles: true, seed: 42)
        var efficiencies: [Double] = []
        var slowest = 0.0
        for batch in (0..<3).flatMap({ sampler.batches(epoch: $0).prefix(8) }) {
            let start = ContinuousClock.now
            let plan = rows.plan(batch: batch, worldSize: worldSize, cost: cost)
            slowest = max(slowest, start.duration(to: .now) / .seconds(1))
            efficiencies.append(plan.efficiency(worldSize: worldSize, cost: cost))
        }
        let mean = efficiencies.reduce(0, +) / Double(efficiencies.count)
        print(
            String(
                format: "plan of 8 MedQuAD pairs a rank on %d ranks: efficiency %.4f, lowest %.4f of %d batches, slowest plan %.1f ms",
                worldSize, mean, efficiencies.min()!, efficiencies.count, slowest * 1000))
        #expect(mean >= 0.99)
        #expect(slowest < 2)
    }

    /// Lengths in the published tokenizer's tokens; without the hard negatives.
    private static let medQuAD = Result {
        let folder = try TemporaryFolder()
        let published = try TextFile(path: TestData.url("qwen2.5-tokenizer/tokenizer.json.gz").path)
        let path = try withExtendedLifetime(published) { try folder.write("tokenizer.json", published.bytes) }
        let tokenizer = try Tokenizer(path: path)
        let processor = TextProcessor(tokenizer, maxTokens: 512)
        let file = try PairFile(
            path: TestData.url("retrieval/medquad-train.jsonl.gz").path, task: "retrieval", knownTasks: ["retrieval"])
        var rows = PlannedRows()
        for row in 0..<file.count {
            let row = try file.row(row)
            let (anchor, positive) = (row.anchor.text!, row.positive.text!)
            rows.add(
                InputSummary(content: ContentHash(of: anchor), tokens: Int32(processor.encode(anchor, prefix: "Query: ").ids.count)),
                InputSummary(content: ContentHash(of: positive), tokens: Int32(processor.encode(positive, prefix: "Passage: ").ids.count)))
        }
        return rows
    }
}
