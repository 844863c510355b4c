// What an evaluation writes: TREC runs and results.

import Evaluation
import Files
import Foundation
import Support
import Testing

private func dataset(documentID: String) throws -> BeirDataset {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.path("qrels"), withIntermediateDirectories: true)
    try folder.write("corpus.jsonl", "{\"_id\": \"d0\", \"text\": \"a\"}\n{\"_id\": \"\(documentID)\", \"text\": \"b\"}")
    try folder.write("queries.jsonl", "{\"_id\": \"q0\", \"text\": \"a\"}\n{\"_id\": \"q1\", \"text\": \"b\"}")
    try folder.write("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq0\td0\t1\nq1\t\(documentID)\t1\n")
    return try withExtendedLifetime(folder) { try BeirDataset(folder: folder.path) }
}

@Suite struct EvaluationFilesTests {
    /// Lives as long as the test.
    private let folder = try! TemporaryFolder()

    @Test func writesATRECRun() throws {
        let first = RankedList([RankedList.Entry(document: 1, score: 0.5), RankedList.Entry(document: 0, score: -0.25)])
        let second = RankedList([RankedList.Entry(document: 0, score: 0.1)])
        try RunFile(for: dataset(documentID: "d1")).write([first, second], tag: "shoal-32", to: folder.path("run.txt"))
        let expected = "q0 Q0 d1 1 0.5 shoal-32\nq0 Q0 d0 2 -0.25 shoal-32\nq1 Q0 d0 1 0.1 shoal-32\n"
        #expect(try String(decoding: folder.bytes("run.txt"), as: UTF8.self) == expected)
    }

    @Test func refusesIdsThatARunCannotHold() throws {
        let error = try #require(throws: UserError.self) { try RunFile(for: dataset(documentID: "d 1")) }
        #expect(error.message.contains("\"d 1\""))
    }

    @Test func resultsReadBackWithTheirMode() throws {
        let metrics = Dictionary(uniqueKeysWithValues: RetrievalMetric.allCases.map { ($0, 0.5) })
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
        let metrics = Dictionary(uniqueKeysWithValues: zip(RetrievalMetric.allCases, [0.5, 0.25, 1, 0.125, 0]))
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
