// `shoal evaluate` on data sets as people have them: the figures are those of trec_eval on the same rankings.

import Files
import Foundation
import Support
import Testing

@Suite(.serialized) struct EvaluateSetsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let texts = [
        ("Otters", "Otters hold hands while they float asleep."), ("Bread", "Sourdough rises by wild yeast and lactic bacteria."),
        ("Tides", "The moon pulls the oceans and makes two high tides a day."), ("Chess", "A knight moves in the shape of an L."),
        ("Glass", "Glass is melted sand that cooled without crystals."), ("Bees", "A bee dances to tell where flowers are."),
        ("Steel", "Steel is iron with a little carbon."), ("Tea", "Green tea is not fermented, black tea is."),
        ("Snow", "Snow crystals have six arms."), ("Paper", "Paper was first made of mulberry bark."),
        ("Clocks", "A pendulum keeps the time of a clock."), ("Salt", "Salt pans let the sun dry sea water."),
    ]
    private static let questions = [
        "why do otters hold hands", "how does bread rise", "what causes the tides", "how does a knight move",
    ]

    /// The corpus with an id for each document, as it is written in JSON.
    private static func corpus(_ id: (Int) -> String) -> String {
        texts.enumerated().map { #"{"_id": \#(id($0)), "title": "\#($1.0)", "text": "\#($1.1)"}"# + "\n" }.joined()
    }

    private static func queries(_ id: (Int) -> String) -> String {
        questions.enumerated().map { #"{"_id": \#(id($0)), "text": "\#($1)"}"# + "\n" }.joined()
    }

    private static let usual = [
        "corpus.jsonl": corpus { "\"d\($0 + 1)\"" }, "queries.jsonl": queries { "\"q\($0 + 1)\"" },
        "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\nq3\td3\t1\nq4\td4\t1\n",
    ]

    /// Writes a set.
    /// - Parameter changes: to the usual one: a file's content, or nil for none
    private func write(_ name: String, _ changes: [String: String?] = [:]) throws -> String {
        var files = Self.usual
        for (file, content) in changes { files[file] = content }
        for (file, content) in files {
            let parent = URL(fileURLWithPath: folder.path("\(name)/\(file)")).deletingLastPathComponent().path
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            try folder.write("\(name)/\(file)", content)
        }
        return folder.path(name)
    }

    private func arguments(_ set: String, _ more: [String] = []) -> [String] {
        [
            "evaluate", "--model", ShoalProgram.model, "--adapter", "none", "--task", "retrieval", "--compute-dtype", "float32", "--dims",
            "256",
            "--retrieval", set,
        ] + more
    }

    /// What an evaluation says on stderr, and its figures.
    private func evaluate(_ set: String, _ more: [String] = [], ranks: Int? = nil) throws -> (notices: String, value: (String) -> Double) {
        let output = folder.path("results.json")
        let result = try expectSuccess(arguments(set, ["--output", output] + more), ranks: ranks)
        let metrics = try JSONValue.parse(file: output)["results"]?.arrayValue?.first?["metrics"]
        return (result.standardError, { metrics?[$0]?.numberValue ?? .nan })
    }

    private func expectFigure(
        _ set: String, _ expected: Double, _ metric: String = "ndcg@10", _ more: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let value = try evaluate(set, more).value(metric)
        #expect(abs(value - expected) < 5e-5, "\(metric) is \(value)", sourceLocation: sourceLocation)
    }

    @Test func idsAndColumnsInAnyFormGiveOneFigure() throws {
        try expectFigure(write("usual"), 0.8577)
        let numbers = ["corpus.jsonl": Self.corpus { "\($0)" }, "queries.jsonl": Self.queries { "\($0)" }]
        let judged = ["qrels/test.tsv": "query-id\tcorpus-id\tscore\n" + (0..<4).map { "\($0)\t\($0)\t1\n" }.joined()]
        try expectFigure(write("numbers", numbers.merging(judged) { $1 }), 0.8577)
        let texts = ["corpus.jsonl": Self.corpus { "\"\($0)\"" }, "queries.jsonl": Self.queries { "\"\($0)\"" }]
        try expectFigure(write("same-ids", texts.merging(judged) { $1 }), 0.8577)
        try expectFigure(write("trec", ["qrels/test.tsv": (1...4).map { "q\($0)\t0\td\($0)\t1\n" }.joined()]), 0.8577)
    }

    /// Query 5 and document 5 have nothing to do with one another: only a document that is the query itself is left out.
    @Test func equalIdsOfUnlikeTextsLeaveNothingOut() throws {
        let changes = [
            "queries.jsonl": "{\"_id\": \"5\", \"text\": \"how does bread rise\"}", "corpus.jsonl": Self.corpus { "\"\($0)\"" },
            "qrels/test.tsv": "query-id\tcorpus-id\tscore\n5\t1\t1\n",
        ]
        let shift = try write("shift", changes)
        try expectFigure(shift, 0.4307)
        try expectFigure(shift, 0.5, "ndcg@10", ["--drop-own-id"])
        try expectFigure(shift, 0.4307, "ndcg@10", ["--keep-own-id"])
        #expect(
            try evaluate(shift).notices.contains("shift: 1 query has the id of a document with another text, which stays in its ranking"))

        // As in ArguAna: the query is a document of the corpus, and looks for another.
        let own = try write(
            "own", changes.merging(["queries.jsonl": "{\"_id\": \"5\", \"text\": \"A bee dances to tell where flowers are.\"}"]) { $1 })
        let (notices, value) = try evaluate(own)
        #expect(notices.contains("own: 1 document with the id of a query is left out of its ranking"), "\(notices)")
        let kept = try evaluate(own, ["--keep-own-id"])
        #expect(kept.value("mrr@100") < value("mrr@100") && !kept.notices.contains("own-id"))
    }

    /// Ten documents of one text and the right one among them: the order of the file decides nothing.
    @Test(arguments: [[], ["--multi-vector"]]) func theOrderOfFilesChangesNoFigure(_ more: [String]) throws {
        let copies = (0..<12).map { #"{"_id": "s\#($0)", "title": "", "text": "The moon pulls the oceans and makes tides."}"# }
        let others = Self.corpus { "\"d\($0 + 1)\"" }.split(separator: "\n").prefix(2).map(String.init)
        let qrels = "query-id\tcorpus-id\tscore\nq3\ts0\t1\n"
        var figures: Set<[Double]> = []
        for (number, rows) in [others + copies, copies + others, copies.reversed() + others].enumerated() {
            let set = try write("ties\(number)", ["corpus.jsonl": rows.joined(separator: "\n"), "qrels/test.tsv": qrels])
            let arguments = arguments(set, ["--output", folder.path("results.json")] + more).filter {
                more.isEmpty || !["--dims", "256"].contains($0)
            }
            try expectSuccess(arguments)
            let metrics = try JSONValue.parse(file: folder.path("results.json"))["results"]!.arrayValue![0]["metrics"]!
            figures.insert(metrics.objectValue!.entries.map { $0.value.numberValue! })
            // s0 is the last of the copies in trec_eval's order: s9 ... s2, s11, s10, s1, s0.
            #expect(metrics["mrr@100"]?.numberValue == 1.0 / 12)
        }
        #expect(figures.count == 1)
    }

    @Test func absentDocumentsCountInTheIdeal() throws {
        let set = try write("unknown", ["qrels/test.tsv": Self.usual["qrels/test.tsv"]! + "q1\tzz9\t1\n"])
        let (notices, value) = try evaluate(set)
        #expect(
            abs(value("ndcg@10") - 0.7610) < 5e-5 && abs(value("recall@10") - 0.8750) < 5e-5, "\(value("ndcg@10")) \(value("recall@10"))")
        #expect(notices.contains("unknown: 1 judgement (of 1 query) is of a document that the corpus lacks, \"zz9\""), "\(notices)")
        let inspected = try expectSuccess(["inspect", set]).standardOutput
        #expect(
            inspected.contains("is of a document that the corpus lacks") && inspected.firstMatch(of: /judgements +5/) != nil, "\(inspected)"
        )
    }

    @Test func theOnlySplitIsTakenAndSaid() throws {
        let judged = Self.usual["qrels/test.tsv"]!
        let set = try write("dev-only", ["qrels/test.tsv": nil, "qrels/dev.tsv": judged])
        let (notices, value) = try evaluate(set, ranks: 2)
        #expect(abs(value("ndcg@10") - 0.8577) < 5e-5)
        #expect(notices.contains("qrels/dev.tsv, and they are used; --split dev asks for them by name"), "\(notices)")
        #expect(try !evaluate(set, ["--split", "dev"]).notices.contains("notice: dev-only"))
        try expectFailure(
            66, arguments(set, ["--split", "test"]), ranks: 2, "has no judgements for the split \"test\"; there are those for dev")
        let two = try write("two", ["qrels/test.tsv": nil, "qrels/dev.tsv": judged, "qrels/train.tsv": "q1\td1\t1\n"])
        try expectFailure(66, arguments(two), "has judgements for dev and train, and none for test; choose by --split")
        try expectFigure(two, 0.8577, "ndcg@10", ["--split", "dev"])
        #expect(try evaluate(two, ["--split", "train"]).value("recall@100") == 1)
    }

    /// An empty query has the vector of its prompt.
    @Test func emptyTextsAreRankedByTheirPrompt() throws {
        let set = try write(
            "empty",
            [
                "queries.jsonl": Self.usual["queries.jsonl"]! + "{\"_id\": \"q5\", \"text\": \"\"}\n",
                "corpus.jsonl": Self.usual["corpus.jsonl"]!
                    + "{\"_id\": \"d13\", \"title\": \"Only a title\"}\n{\"_id\": \"d14\", \"text\": \"\"}\n",
                "qrels/test.tsv": Self.usual["qrels/test.tsv"]! + "q5\td14\t1\n",
            ])
        let (notices, value) = try evaluate(set)
        #expect(notices.contains("empty: 1 judged query has no text") && notices.contains("empty: 1 document has neither title nor text"))
        #expect(value("recall@100") == 1)
    }

    /// Anchors look for their positives, those of each task by its own adapter, as in `data.evaluation`.
    @Test func pairsAreASet() throws {
        let rows = zip(Self.questions, Self.texts).map { #"{"query": "\#($0)", "positive": "\#($1.0) \#($1.1)"}"# }
        let others = Self.texts.dropFirst(4).map { #"{"query": "\#($0.0)", "positive": "\#($0.0) \#($0.1)"}"# }
        let pairs = try folder.write("pairs.jsonl", (rows + others).joined(separator: "\n"))
        let csv = try folder.write(
            "pairs.csv", "query,positive\n" + zip(Self.questions, Self.texts).map { "\"\($0)\",\"\($1.0) \($1.1)\"\n" }.joined())
        let run = folder.path("run.trec")
        let value = try evaluate(pairs, ["--save-run", run]).value
        #expect(value("recall@100") == 1 && value("ndcg@10") > 0.85)
        #expect(String(decoding: try folder.bytes("run.trec"), as: UTF8.self).firstMatch(of: /q0 Q0 p\d+ 1 \S+ shoal/) != nil)
        #expect(try evaluate(csv).value("recall@5") == 1)
        let shuffled = try folder.write("shuffled.jsonl", (rows + others).reversed().joined(separator: "\n"))
        #expect(try evaluate(shuffled, ranks: 2).value("map@100") == value("map@100"))

        // A row's own prompt stands before its anchor, and makes it another query.
        let prompts = ["Find the fact: ", "Say why: "].map {
            #"{"query": "\#(Self.questions[0])", "positive": "an otter", "prompt": "\#($0)"}"#
        }
        let prompted = try folder.write("prompted.jsonl", (rows + prompts).joined(separator: "\n"))
        #expect(try expectSuccess(arguments(prompted)).standardOutput.contains("prompted.jsonl · retrieval · 6 queries"))
        try folder.write("shard-0.jsonl", rows[..<2].joined(separator: "\n"))
        try folder.write("shard-1.jsonl", rows[2...].joined(separator: "\n"))
        #expect(try expectSuccess(arguments(folder.path("shard-*.jsonl"))).standardOutput.contains("shard-*.jsonl · retrieval · 4 queries"))

        let mixed = try folder.write("mixed.jsonl", (rows + others.map { $0.dropLast() + ", \"task\": \"code\"}" }).joined(separator: "\n"))
        let text = try expectSuccess(arguments(mixed, ["--save-run", run])).standardOutput
        #expect(text.contains("mixed.jsonl · retrieval · 4 queries") && text.contains("mixed.jsonl · code · 8 queries"), "\(text)")
        #expect(try folder.names.contains("run-mixed.jsonl-code-256.trec"))
        try expectFailure(64, arguments(pairs, ["--split", "dev"]), "--split: ", "is a file of pairs, which has no splits")
        let graded = try folder.write("graded.jsonl", "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"score\": 1}\n")
        try expectFailure(65, arguments(graded), "graded.jsonl:1: this row has a \"score\"")
        try expectFailure(66, arguments(folder.path("absent.jsonl")), "absent.jsonl: no such file")
    }

    @Test func metricsAreChosen() throws {
        let set = try write("usual")
        let table = try expectSuccess(arguments(set, ["--metrics", "ndcg@100,map@100,precision@1"])).standardOutput
        #expect(
            table.contains("nDCG@100") && table.contains("MAP@100") && table.contains("Precision@1") && !table.contains("MRR"), "\(table)")
        #expect(try expectSuccess(arguments(set, ["--metrics", "all"])).standardOutput.contains("MRR@100"))
        try expectFailure(64, arguments(set, ["--metrics", "ndcg@7"]), "'ndcg@7'", "--metrics")
    }

    /// Figures of pytrec_eval on the runs that were saved here (Golden/metrics/README.md).
    @Test(
        .enabled(if: TestData.available, "set SHOAL_TEST_DATA"),
        arguments: [("xquad-zh", nil), ("xquad-zh", 4), ("medquad-test", 2)] as [(String, Int?)])
    func figuresOfRealSetsAreTrecEvals(_ name: String, ranks: Int?) throws {
        let golden = try #require(JSONValue.parse(file: PackagePath.golden("metrics/figures.json"))[name])
        let (_, value) = try evaluate(
            TestData.url("retrieval/\(name)").path, ["--max-length", "128"] + (ranks == nil ? [] : ["--threads", "1"]), ranks: ranks)
        for (metric, figure) in try #require(golden["metrics"]?.objectValue).entries {
            #expect(abs(value(metric) - figure.numberValue!) < 1e-6, "\(metric): \(value(metric))")
        }
    }
}
