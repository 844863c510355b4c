// What an evaluation writes: TREC runs and results.

import Data
import Evaluation
import Files
import Foundation
import Support
import Testing

private func dataset(documentID: String) throws -> BeirDataset {
    try DatasetFolder(files: [
        "corpus.jsonl": "{\"_id\": \"d0\", \"text\": \"a\"}\n{\"_id\": \"\(documentID)\", \"text\": \"b\"}",
        "queries.jsonl": "{\"_id\": \"q0\", \"text\": \"a\"}\n{\"_id\": \"q1\", \"text\": \"b\"}",
        "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq0\td0\t1\nq1\t\(documentID)\t1\n",
    ]).read()
}

@Suite struct EvaluationFilesTests {
    /// Lives as long as the test.
    private let folder = try! TemporaryFolder()

    @Test func writesATRECRun() throws {
        // d1 is the first of the corpus, since its id is the higher.
        let first = RankedList([RankedList.Entry(document: 0, score: 0.5), RankedList.Entry(document: 1, score: -0.25)])
        let second = RankedList([RankedList.Entry(document: 1, score: 0.1)])
        try RunFile(for: dataset(documentID: "d1")).write([first, second], tag: "shoal-32", to: folder.path("run.txt"))
        let expected = "q0 Q0 d1 1 0.5 shoal-32\nq0 Q0 d0 2 -0.25 shoal-32\nq1 Q0 d0 1 0.1 shoal-32\n"
        #expect(try String(decoding: folder.bytes("run.txt"), as: UTF8.self) == expected)
    }

    @Test func equalScoresAreWrittenInTheirOrder() throws {
        let tied = RankedList([RankedList.Entry(document: 0, score: 1), RankedList.Entry(document: 1, score: 1)])
        try RunFile(for: dataset(documentID: "d1")).write([tied, RankedList([])], tag: "t", to: folder.path("run.txt"))
        #expect(try String(decoding: folder.bytes("run.txt"), as: UTF8.self) == "q0 Q0 d1 1 1.0 t\nq0 Q0 d0 2 0.99999994 t\n")
    }

    /// Scores, and what is written of them.
    @Test(
        arguments: [
            ([0.5, 0.25], [0.5, 0.25]), ([], []), ([1, 1, 1], [1, Float(1).nextDown, Float(1).nextDown.nextDown]),
            ([1, 1, Float(1).nextDown, 0.5], [1, Float(1).nextDown, Float(1).nextDown.nextDown, 0.5]),
            ([0, 0, -0.0], [0, -Float.leastNonzeroMagnitude, -2 * Float.leastNonzeroMagnitude]),
            ([-3, -3], [-3, Float(-3).nextDown]), ([1, -.infinity, -.infinity], [1, -1e30, Float(-1e30).nextDown]),
        ] as [([Float], [Float])])
    func tiedScoresAreTheNextNumbersBelow(_ scores: [Float], _ written: [Float]) {
        let found = RunFile.falling(scores)
        #expect(found == written)
        #expect(zip(found, found.dropFirst()).allSatisfy(>))
        // As every tool reads them: in float64, or rounded to float32.
        let texts = found.map { "\($0)" }
        #expect(zip(texts, texts.dropFirst()).allSatisfy { Double($0)! > Double($1)! && Float(Double($0)!) > Float(Double($1)!) })
    }

    @Test func refusesIdsThatARunCannotHold() throws {
        let error = try #require(throws: UserError.self) { try RunFile(for: dataset(documentID: "d 1")) }
        #expect(error.message.contains("\"d 1\""))
    }

    @Test func resultsReadBackWithTheirMode() throws {
        let metrics = Dictionary(uniqueKeysWithValues: RetrievalMetric.all.enumerated().map { ($1, 1 / Double(2 + $0)) })
        let results = [EvaluationResult.Mode.dense, .late].map {
            EvaluationResult(dataset: "test", task: "code", mode: $0, dimension: 128, queries: 3, metrics: metrics)
        }
        try EvaluationResult.write(results, to: folder.path("results.json"))
        #expect(try EvaluationResult.read(folder.path("results.json")) == results)
        let text = try String(decoding: folder.bytes("results.json"), as: UTF8.self)
        #expect(text.contains(#""mode": "late""#))
        try folder.write("odd.json", text.replacing("\"late\"", with: "\"odd\""))
        expectUserError(.content, "odd.json", "entry 2") { _ = try EvaluationResult.read(folder.path("odd.json")) }
    }

    @Test func writesResults() throws {
        let metrics = Dictionary(uniqueKeysWithValues: zip(RetrievalMetric.usual, [0.5, 0.25, 1, 0.125, 0]))
        let result = EvaluationResult(dataset: "test", task: "code", dimension: 64, queries: 809, metrics: metrics)
        try EvaluationResult.write([result], to: folder.path("results.json"))
        let document = try JSONSerialization.jsonObject(with: Data(folder.bytes("results.json"))) as? NSDictionary
        #expect(
            document == [
                "results": [
                    [
                        "dataset": "test", "task": "code", "mode": "dense", "dimension": 64, "queries": 809,
                        "metrics": ["ndcg@10": 0.5, "recall@1": 0.25, "recall@5": 1, "recall@10": 0.125, "mrr@10": 0],
                    ] as [String: Any]
                ]
            ])
    }
}
