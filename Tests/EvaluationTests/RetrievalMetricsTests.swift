// Rankings and metrics: by hand, against a full sort, and against figures that trec_eval confirmed.

import Evaluation
import Files
import Foundation
import Support
import Testing

private func list(_ documents: [Int]) -> RankedList {
    RankedList(documents.enumerated().map { RankedList.Entry(document: $1, score: Float(-$0)) })
}

private func topDocuments(_ scores: [Float], k: Int, excluding: Int? = nil) -> [Int] {
    topK(scores: scores.span, k: k, excluding: excluding).entries.map(\.document)
}

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
        let grades = [7: 3, 8: 2, 9: 1, 5: 0]
        let ranking = list([9, 5, 7, 0, 1, 2])
        #expect(abs(ranking.ndcg(grades: grades, at: 10) - 2.5 / 4.761859507142915) < 1e-15)
        #expect(ranking.ndcg(grades: grades, at: 1) == 1.0 / 3)
        #expect(ranking.recall(grades: grades, at: 1) == 1.0 / 3)
        #expect(ranking.recall(grades: grades, at: 5) == 2.0 / 3)
        #expect(ranking.reciprocalRank(grades: grades, at: 10) == 1)
        #expect(ranking.reciprocalRank(grades: [7: 1], at: 10) == 1.0 / 3)
        #expect(ranking.reciprocalRank(grades: [7: 1], at: 2) == 0)
    }

    @Test func anIdealRankingIsOneAndAMissIsZero() {
        for metric in RetrievalMetric.allCases {
            #expect(metric.value(of: list([4, 0, 1]), grades: [4: 2]) == 1)
            #expect(metric.value(of: list([0, 1, 2]), grades: [4: 2]) == 0)
            #expect(metric.value(of: list([4, 0, 1]), grades: [4: 0]) == 0)
            #expect(metric.value(of: list([4, 0, 1]), grades: [4: -1]) == 0)
            #expect(metric.value(of: list([]), grades: [4: 1]) == 0)
        }
    }

    @Test func meansAreOverQueries() {
        let means = RetrievalMetric.means(of: [list([1, 0]), list([0, 1])], grades: [[1: 1], [1: 1]])
        #expect(means[.mrrAt10] == 0.75)
        #expect(means[.recallAt1] == 0.5)
        #expect(means.count == RetrievalMetric.allCases.count)
    }

    @Test func agreesWithTheGoldenRankings() throws {
        let path = PackagePath.root.appendingPathComponent("Tests/Golden/metrics/metrics.json").path
        let golden = try JSONValue.parse(file: path)
        let cases = try #require(golden["cases"]?.arrayValue)
        var rankings: [RankedList] = []
        var grades: [[Int: Int]] = []
        for (index, item) in cases.enumerated() {
            let scores = try #require(item["scores"]?.arrayValue).map { Float($0.numberValue!) }
            let own = item["own"]?.integerValue.map(Int.init)
            let ranking = topK(scores: scores.span, k: RetrievalMetric.depth, excluding: own)
            #expect(ranking.entries.map { Int64($0.document) } == item["top"]?.arrayValue?.map { $0.integerValue! }, "case \(index)")
            #expect(ranking.entries.allSatisfy { $0.score == scores[$0.document] })
            let judged = try #require(item["grades"]?.objectValue).entries.map { (Int($0.key)!, Int($0.value.integerValue!)) }
            rankings.append(ranking)
            grades.append(Dictionary(uniqueKeysWithValues: judged))
            for metric in RetrievalMetric.allCases {
                let expected = try #require(item["metrics"]?[metric.rawValue]?.numberValue)
                let found = metric.value(of: ranking, grades: grades[index])
                #expect(abs(found - expected) < 1e-12, "case \(index) \(metric.rawValue): \(found) ≠ \(expected)")
            }
        }
        #expect(cases.count == 24)
        for (metric, mean) in RetrievalMetric.means(of: rankings, grades: grades) {
            #expect(abs(mean - (try #require(golden["means"]?[metric.rawValue]?.numberValue))) < 1e-12, "\(metric.rawValue)")
        }
    }
}
