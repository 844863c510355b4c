// Rankings of a corpus of several groups, by single vectors and by token vectors, against plain loops over all embeddings.

import Comm
import Data
import Foundation
import Model
import Support
import Tensor
import Testing

@testable import Embedding
@testable import Evaluation

@Suite(.serialized) struct RetrievalEvaluatorTests {
    private static let depth = 25

    /// 5000 short documents, many of them equal, and 20 queries, the first of which is a document.
    private func dataset(in folder: TemporaryFolder) throws -> BeirDataset {
        let stream = RandomStream(3)
        func text(_ name: String, _ index: Int, of lengths: Int) -> String {
            let stream = stream.stream(name).stream(UInt64(index))
            return NumberedTokens.text((0...stream.integer(below: lengths, at: 0)).map { Int32(stream.integer(below: 30, at: 1 + $0)) })
        }
        func rows(_ name: String, _ count: Int, of lengths: Int) -> String {
            (0..<count).map { #"{"_id": "\#(name)\#($0)", "text": "\#(text(name, $0, of: lengths))"}"# + "\n" }.joined()
        }
        try FileManager.default.createDirectory(atPath: folder.path("set/qrels"), withIntermediateDirectories: true)
        try folder.write("set/corpus.jsonl", rows("d", 5000, of: 30))
        try folder.write("set/queries.jsonl", rows("q", 19, of: 12) + #"{"_id": "d7", "text": "<4><5>"}"# + "\n")
        let judged = (0..<19).map { "q\($0)\td\($0 * 11)\t1\n" }.joined() + "d7\td8\t1\n"
        try folder.write("set/qrels/test.tsv", "query-id\tcorpus-id\tscore\n" + judged)
        return try BeirDataset(folder: folder.path("set"), own: .drop)
    }

    @Test func groupsAndModesChangeNothing() throws {
        let folder = try TemporaryFolder()
        try TinyCheckpoint(vocabulary: 30 + 256).write(to: folder.path("model"))
        _ = try NumberedTokens.writeTokenizer(count: 30, to: folder.path("model"))
        let dataset = try dataset(in: folder)
        do {
            let world = Communicator.alone()
            let session = try ModelSession.open(
                world, folder: folder.path("model"), engine: EngineSettings(.float32), threads: 2, maximumTokens: 64)
            func report(_ heads: EmbeddingHeads) throws -> RetrievalEvaluator.Report {
                try RetrievalEvaluator(session, nil, task: "code", prefixes: ("<1>", "<2>"), heads: heads)
                    .run(dataset, dimensions: [8, 32], depth: Self.depth)
            }
            let both = try report(.both)
            #expect(both.results.map(\.mode) == [.dense, .dense, .late] && both.results.map(\.dimension) == [8, 32, 8])
            let (dense, late) = try (report(.dense), report(.late))
            #expect(both.rankings == dense.rankings + late.rankings && both.results == dense.results + late.results)
            #expect(dense.results.map(\.dimension) == [8, 32] && late.results.count == 1)

            let embedder = TextEmbedder(session, nil, heads: .both)
            let documents = try embedder.embed(dataset.documents.map { PromptedText(prefix: "<2>", text: $0.text) }).texts
            let queries = try embedder.embed(dataset.queries.map { PromptedText(prefix: "<1>", text: $0.text) }).texts
            for query in dataset.queries.indices {
                let own = dataset.queries[query].ownDocument
                let lateScores = documents.segments.map {
                    maxSim(queries.embeddings.late!, queries.segments[query], documents.embeddings.late!, $0)
                }
                #expect(both.rankings[2][query] == best(lateScores, without: own), "late, query \(query)")
                let denseScores = dataset.documents.indices.map {
                    dot(queries.embeddings.dense!, query, documents.embeddings.dense!, $0)
                }
                #expect(both.rankings[1][query].entries.map(\.document) == best(denseScores, without: own).entries.map(\.document))
            }
            #expect(dataset.queries[19].ownDocument.map { dataset.documents[$0].id } == "d7")
        }
    }

    /// In the order of tokens and dimensions, with fused multiply-adds: to the bit.
    private func maxSim(_ queries: Tensor, _ query: Range<Int>, _ documents: Tensor, _ document: Range<Int>) -> Float {
        query.reduce(0) { sum, token in sum + document.map { dot(queries, token, documents, $0) }.max()! }
    }

    private func dot(_ a: Tensor, _ row: Int, _ b: Tensor, _ other: Int) -> Float {
        var sum: Float = 0
        for k in 0..<a.columns { sum.addProduct(a.floats[row * a.columns + k], b.floats[other * a.columns + k]) }
        return sum
    }

    private func best(_ scores: [Float], without own: Int?) -> RankedList {
        let order = scores.indices.filter { $0 != own }.sorted { (scores[$1], $0) < (scores[$0], $1) }
        return RankedList(order.prefix(Self.depth).map { RankedList.Entry(document: $0, score: scores[$0]) })
    }
}
