import Data
import Support
import Testing

@testable import Trainer

@Suite struct EvaluationTableTests {
    @Test func oneEvaluation() {
        #expect(
            EvaluationTable(sampleEvaluationBefore).text == """
                python-stdlib · code · 1,200 queries
                width  nDCG@10  Recall@1  Recall@5  Recall@10  MRR@10
                  128   0.1720    0.1000    0.2200     0.2900  0.1500
                  256   0.2020    0.1200    0.2500     0.3100  0.1700

                """)
    }

    /// Below the widths of the single vectors, of which it may be one.
    @Test func tokenVectorsStandApart() {
        let late = sampleEvaluation(width: 128, [0.5, 0.4, 0.6, 0.7, 0.45], mode: .late)
        #expect(
            EvaluationTable([late] + sampleEvaluationBefore).text == """
                python-stdlib · code · 1,200 queries
                width  nDCG@10  Recall@1  Recall@5  Recall@10  MRR@10
                  128   0.1720    0.1000    0.2200     0.2900  0.1500
                  256   0.2020    0.1200    0.2500     0.3100  0.1700
                 late   0.5000    0.4000    0.6000     0.7000  0.4500

                """)
    }

    @Test func twoEvaluationsWithTheirDifferences() {
        #expect(
            EvaluationTable(before: sampleEvaluationBefore, after: sampleEvaluationAfter).text == """
                python-stdlib · code · 1,200 queries
                width              nDCG@10  Recall@1  Recall@5  Recall@10   MRR@10
                  128  before       0.1720    0.1000    0.2200     0.2900   0.1500
                       after        0.2670    0.1500    0.3000     0.3800   0.1400
                       difference  +0.0950   +0.0500   +0.0800    +0.0900  -0.0100
                  256  before       0.2020    0.1200    0.2500     0.3100   0.1700
                       after        0.3060    0.2100    0.3500     0.4200   0.2700
                       difference  +0.1040   +0.0900   +0.1000    +0.1100  +0.1000

                """)
    }

    @Test func resultsWithoutPartnerStandAlone() {
        let other = sampleEvaluation(width: 64, [0.5, 0.5, 0.5, 0.5, 0.5], dataset: "other")
        #expect(
            EvaluationTable(before: sampleEvaluationBefore, after: [sampleEvaluationAfter[1], other]).text == """
                python-stdlib · code · 1,200 queries
                width              nDCG@10  Recall@1  Recall@5  Recall@10   MRR@10
                  128  before       0.1720    0.1000    0.2200     0.2900   0.1500
                  256  before       0.2020    0.1200    0.2500     0.3100   0.1700
                       after        0.3060    0.2100    0.3500     0.4200   0.2700
                       difference  +0.1040   +0.0900   +0.1000    +0.1100  +0.1000

                other · code · 1,200 queries
                width  nDCG@10  Recall@1  Recall@5  Recall@10  MRR@10
                   64   0.5000    0.5000    0.5000     0.5000  0.5000

                """)
    }

    @Test func columnsAreChosen() {
        let metrics = ["mrr@10", "map@100", "ndcg@10"].map { RetrievalMetric($0)! }
        #expect(
            EvaluationTable(before: [], after: sampleEvaluationBefore, metrics: metrics).text == """
                python-stdlib · code · 1,200 queries
                width  MRR@10  MAP@100  nDCG@10
                  128  0.1500        -   0.1720
                  256  0.1700        -   0.2020

                """)
    }

    @Test func markdown() {
        #expect(
            EvaluationTable([sampleEvaluationBefore[0]]).markdown == """
                python-stdlib · code · 1,200 queries

                | width | nDCG@10 | Recall@1 | Recall@5 | Recall@10 | MRR@10 |
                | ---: | ---: | ---: | ---: | ---: | ---: |
                | 256 | 0.2020 | 0.1200 | 0.2500 | 0.3100 | 0.1700 |

                """)
    }

    @Test func barsInMarkdownCellsAreEscaped() {
        var table = TextTable([.left])
        table.add(["a|b"])
        #expect(table.markdown == "| a\\|b |\n| --- |\n")
    }
}
