// Rankings and metrics: by hand, against a full sort, and against trec_eval's figures.

import Data
import Files
import Foundation
import Support
import Testing

@testable import Evaluation

private func list(_ documents: [Int]) -> RankedList {
    RankedList(documents.enumerated().map { RankedList.Entry(document: $1, score: Float(-$0)) })
}

private func topDocuments(_ scores: [Float], k: Int, excluding: Int? = nil) -> [Int] {
    topK(scores: scores.span, k: k, excluding: excluding).entries.map(\.document)
}

private func metric(_ name: String) -> RetrievalMetric { RetrievalMetric(name)! }

@Suite struct TopKTests {
    @Test func ordersByScoreAndTiesByCorpusOrder() {
        #expect(topDocuments([1, 3, 2, 3, 3, 0], k: 4) == [1, 3, 4, 2])
        #expect(topDocuments([1, 1, 1, 1, 1, 1, 1], k: 2) == [0, 1])
        #expect(topDocuments([0, 1, 2, 3, 4, 5, 6, 7], k: 3) == [7, 6, 5])
    }

    @Test func leavesOutTheExcluded() {
        #expect(topDocuments([1, 3, 2], k: 2, excluding: 1) == [2, 0])
        #expect(topDocuments([1], k: 2, excluding: 0).isEmpty)
    }

    @Test func givesFewerFromASmallCorpus() {
        #expect(topDocuments([1, 2], k: 10) == [1, 0])
        #expect(topDocuments([], k: 10).isEmpty)
    }

    @Test func ranksNaNLast() {
        #expect(topDocuments([.nan, 1, .nan, -.infinity, 2], k: 5) == [4, 1, 0, 2, 3])
        #expect(topDocuments([.nan, .nan, .nan, .nan, .nan, 1], k: 1) == [5])
    }

    /// Against sorting everything, with many equal scores and every length around the places where the list is cut.
    @Test(arguments: [1, 2, 10, 33]) func agreesWithAFullSort(_ k: Int) {
        for count in 0..<150 {
            let scores = (0..<count).map { _ in Float(Int.random(in: 0..<12)) }
            let sorted = scores.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
            #expect(topDocuments(scores, k: k) == Array(sorted.prefix(k)))
        }
    }
}

@Suite struct RetrievalMetricsTests {
    /// Grades 3, 2, 1 for documents 7, 8, 9; the ranking has 9 first, 7 third, 8 not at all.
    /// DCG = 1/log2(2) + 3/log2(4) = 2.5; ideal = 3/1 + 2/log2(3) + 1/2 = 4.761859507142915.
    @Test func byHand() {
        let judgements = Judgements([7: 3, 8: 2, 9: 1, 5: 0])
        let ranking = list([9, 5, 7, 0, 1, 2])
        let expected: [String: Double] = [
            "ndcg@10": 2.5 / 4.761859507142915, "ndcg@1": 1.0 / 3, "recall@1": 1.0 / 3, "recall@5": 2.0 / 3, "precision@5": 0.4,
            "precision@100": 0.02, "map@100": 5.0 / 9, "mrr@10": 1,
        ]
        for (name, value) in expected {
            let found = metric(name).value(of: ranking, judgements)
            #expect(abs(found - value) < 1e-15, "\(name)")
        }
        #expect(metric("mrr@10").value(of: ranking, Judgements([7: 1])) == 1.0 / 3)
        #expect(metric("mrr@1").value(of: ranking, Judgements([7: 1])) == 0)
    }

    /// As trec_eval: nobody can find it, and an ideal ranking would show it.
    @Test func aDocumentThatTheCorpusLacksCountsInTheIdeal() {
        let judgements = Judgements([7: 1], absent: [3, 0])
        #expect(judgements.relevant == 2 && judgements.count == 3)
        #expect(metric("recall@5").value(of: list([7]), judgements) == 0.5)
        #expect(metric("map@100").value(of: list([7]), judgements) == 0.5)
        #expect(abs(metric("ndcg@5").value(of: list([7]), judgements) - 1 / (3 + 1 / log2(3.0))) < 1e-15)
        #expect(metric("ndcg@1").value(of: list([7]), judgements) == 1.0 / 3)
        #expect(metric("mrr@5").value(of: list([7]), Judgements([:], absent: [1])) == 0)
    }

    @Test func anIdealRankingIsOneAndAMissIsZero() {
        for metric in RetrievalMetric.all {
            let best = metric.measure == .precision ? 1 / Double(metric.cutoff) : 1
            #expect(metric.value(of: list([4, 0, 1]), Judgements([4: 2])) == best)
            #expect(metric.value(of: list([0, 1, 2]), Judgements([4: 2])) == 0)
            #expect(metric.value(of: list([4, 0, 1]), Judgements([4: 0])) == 0)
            #expect(metric.value(of: list([4, 0, 1]), Judgements([4: -1])) == 0)
            #expect(metric.value(of: list([]), Judgements([4: 1])) == 0)
        }
    }

    @Test func meansAreOverQueriesInAnyOrder() {
        let means = RetrievalMetric.means(of: [list([1, 0]), list([0, 1])], [Judgements([1: 1]), Judgements([1: 1])])
        #expect(means[metric("mrr@10")] == 0.75)
        #expect(means[metric("recall@1")] == 0.5)
        #expect(means.count == RetrievalMetric.all.count)
        let rankings = (0..<50).map { list(Array(0..<$0 % 7) + [9]) }
        let judgements = (0..<50).map { Judgements([9: 1, 10 + $0 % 3: 2, 20 + $0 % 5: 1]) }
        let order = Array(rankings.indices).shuffled()
        #expect(
            RetrievalMetric.means(of: rankings, judgements)
                == RetrievalMetric.means(of: order.map { rankings[$0] }, order.map { judgements[$0] }))
    }

    @Test func namesStandForThemselves() {
        #expect(RetrievalMetric.all.map(\.name).prefix(6) == ["ndcg@1", "ndcg@3", "ndcg@5", "ndcg@10", "ndcg@100", "map@100"])
        #expect(RetrievalMetric.all.count == 21 && RetrievalMetric.depth == 100)
        #expect(RetrievalMetric.usual.map(\.title) == ["nDCG@10", "Recall@1", "Recall@5", "Recall@10", "MRR@10"])
        for metric in RetrievalMetric.all { #expect(RetrievalMetric(metric.name) == metric) }
        for name in ["ndcg", "ndcg@2", "nDCG@10", "map@10", "ndcg@10@10", "", "@10"] { #expect(RetrievalMetric(name) == nil, "\(name)") }
    }

    /// Random scores with ties, absent documents and grades, as folders: order and figures are trec_eval's.
    @Test func figuresAreTrecEvals() throws {
        let golden = try #require(JSONValue.parse(file: PackagePath.golden("metrics/metrics.json")).arrayValue)
        for (number, set) in golden.enumerated() {
            let corpus = try #require(set["corpus"]?.arrayValue).map { $0.stringValue! }
            let queries = try #require(set["queries"]?.arrayValue)
            var lines: [String] = []
            for query in queries {
                for (document, grade) in query["grades"]!.objectValue!.entries {
                    lines.append("\(query["id"]!.stringValue!)\t\(document)\t\(grade.integerValue!)")
                }
            }
            func row(_ id: String) -> String { #"{"_id": "\#(id)", "text": "t"}"# + "\n" }
            let dataset = try DatasetFolder(files: [
                "corpus.jsonl": corpus.map(row).joined(), "queries.jsonl": queries.map { row($0["id"]!.stringValue!) }.joined(),
                "qrels/test.tsv": lines.joined(separator: "\n"),
            ]).read()
            let places = Dictionary(uniqueKeysWithValues: corpus.enumerated().map { (ExactString($1), $0) })
            var rankings: [RankedList] = []
            for (query, item) in zip(dataset.queries, queries) {
                let scores = item["scores"]!.arrayValue!.map { Float($0.numberValue!) }
                let ranked = dataset.documents.map { scores[places[ExactString($0.id)]!] }
                let ranking = topK(scores: ranked.span, k: RetrievalMetric.depth)
                #expect(ranking.entries.map { dataset.documents[$0.document].id } == item["top"]!.arrayValue!.map { $0.stringValue! })
                for metric in RetrievalMetric.all {
                    let expected = try #require(item["metrics"]?[metric.name]?.numberValue)
                    let found = metric.value(of: ranking, query.judgements)
                    #expect(abs(found - expected) < 1e-6, "set \(number), \(query.id), \(metric.name): \(found) ≠ \(expected)")
                }
                rankings.append(ranking)
            }
            #expect(rankings.count == queries.count)
            for (metric, mean) in RetrievalMetric.means(of: rankings, dataset.queries.map(\.judgements)) {
                #expect(abs(mean - (try #require(set["means"]?[metric.name]?.numberValue))) < 1e-6, "\(metric.name)")
            }
        }
        #expect(golden.count == 2)
    }
}
