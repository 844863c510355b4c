// `shoal evaluate` on a small part of the embedded dataset.

import Files
import Foundation
import Support
import Testing

@Suite(.serialized) struct EvaluateTests {
    private let folder: TemporaryFolder
    private let dataset: String

    /// The first 30 queries and their documents, which stand in the same order.
    init() throws {
        folder = try TemporaryFolder()
        dataset = folder.path("small")
        try FileManager.default.createDirectory(atPath: dataset + "/qrels", withIntermediateDirectories: true)
        let source = PackagePath.example("python-stdlib/test")
        for (name, lines) in [("corpus.jsonl.gz", 30), ("queries.jsonl.gz", 30), ("qrels/test.tsv", 31)] {
            let text = try TextFile(path: "\(source)/\(name)")
            let rows = try (0..<lines).map { try text.string($0) + "\n" }.joined()
            try folder.write("small/" + name.replacing(".gz", with: ""), rows)
        }
    }

    private func arguments(_ more: [String]) -> [String] {
        ["evaluate", "--model", ShoalProgram.model, "--task", "code", "--retrieval", dataset] + more
    }

    @Test func ranksDoNotChangeAFigure() throws {
        let files = ["--output", folder.path("one.json"), "--save-run", folder.path("one.trec")]
        let alone = try expectSuccess(arguments(files))
        let launched = try expectSuccess(
            arguments(["--threads", "1", "--output", folder.path("two.json"), "--save-run", folder.path("two.trec")]), ranks: 2)
        try expectSameBytes(folder.bytes("two.json"), folder.bytes("one.json"), "results")
        try expectSameBytes(folder.bytes("two-small-32.trec"), folder.bytes("one-small-32.trec"), "rankings")
        #expect(alone.standardOutput == launched.standardOutput)
        let wide = ["--threads", "1", "--output", folder.path("four.json"), "--save-run", folder.path("four.trec")]
        try expectSuccess(arguments(wide), ranks: 4)
        try expectSameBytes(folder.bytes("four.json"), folder.bytes("one.json"), "results")
        try expectSameBytes(folder.bytes("four-small-256.trec"), folder.bytes("one-small-256.trec"), "rankings")
        #expect(alone.standardOutput.contains("small · code · 30 queries") && alone.standardOutput.contains("nDCG@10"))

        let results = try #require(JSONValue.parse(file: folder.path("one.json"))["results"]?.arrayValue)
        #expect(results.map { $0["dimension"]?.integerValue } == [32, 64, 128, 256])
        for result in results {
            #expect(result["dataset"]?.stringValue == "small" && result["task"]?.stringValue == "code")
            #expect(result["mode"]?.stringValue == "dense" && result["queries"]?.integerValue == 30)
            let names = try #require(result["metrics"]?.objectValue?.entries.map(\.key))
            #expect(names.count == 21 && names.prefix(6) == ["ndcg@1", "ndcg@3", "ndcg@5", "ndcg@10", "ndcg@100", "map@100"])
            // A tenth of 30 random documents would hold a third of the answers.
            #expect(try #require(result["metrics"]?["recall@10"]?.numberValue) > 0.4)
        }
    }

    /// MaxSim of the vectors that `embed` writes, by a plain loop; a document that is there twice stands where its id says.
    @Test func tokenVectorsAreComparedByMaxSim() throws {
        let corpus = try String(decoding: folder.bytes("small/corpus.jsonl"), as: UTF8.self)
        let first = try #require(corpus.split(separator: "\n").first)
        try folder.write("small/corpus.jsonl", corpus + first.replacing(/"_id": "[^"]*"/, with: #""_id": "copy""#) + "\n")
        let files = ["--output", folder.path("late.json"), "--save-run", folder.path("late.trec")]
        try expectSuccess(arguments(["--multi-vector"] + files))
        try expectSuccess(
            arguments(["--multi-vector", "--threads", "1", "--output", folder.path("two.json"), "--save-run", folder.path("two.trec")]),
            ranks: 3)
        for kind in ["json", "trec"] { try expectSameBytes(folder.bytes("two.\(kind)"), folder.bytes("late.\(kind)"), kind) }
        let results = try #require(JSONValue.parse(file: folder.path("late.json"))["results"]?.arrayValue)
        #expect(results.count == 1 && results[0]["mode"]?.stringValue == "late" && results[0]["dimension"]?.integerValue == 128)
        #expect(try #require(results[0]["metrics"]?["recall@10"]?.numberValue) > 0.3)

        let (queries, documents) = try (vectors("queries", "query"), vectors("corpus", "passage"))
        let lines = String(decoding: try folder.bytes("late.trec"), as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
        let ids = try (0..<31).map { try TextFile(path: folder.path("small/corpus.jsonl")).string($0) }.map { line in
            try JSONValue.parse(Array(line.utf8), path: nil)["_id"]!.stringValue!
        }
        #expect(lines.count == 30 * 31)
        for (query, vectors) in queries.enumerated() {
            let ranking = lines[query * 31..<(query + 1) * 31]
            let scores = Dictionary(uniqueKeysWithValues: ranking.map { (String($0[2]), Double($0[4])!) })
            for (document, id) in ids.enumerated() {
                #expect(abs(scores[id]! - maxSim(vectors, documents[document])) < 1e-4, "query \(query), document \(id)")
            }
            let order = ranking.map { String($0[2]) }
            #expect(order.map { scores[$0]! } == order.map { scores[$0]! }.sorted(by: >))
            // The copy has the lower id, and its score is written as the next number below.
            #expect(order.firstIndex(of: "copy")! == order.firstIndex(of: ids[0])! + 1)
            #expect(Float(scores["copy"]!) == Float(scores[ids[0]]!).nextDown)
        }
    }

    /// Token vectors of each text of a file.
    private func vectors(_ name: String, _ prompt: String) throws -> [[[Float]]] {
        let output = folder.path("\(name).safetensors")
        try expectSuccess([
            "embed", "--model", ShoalProgram.model, "--task", "code", "--prompt", prompt, "--multi-vector", "--text-file",
            dataset + "/\(name).jsonl", "--output", output,
        ])
        let file = try SafetensorsFile(path: output)
        return try (0..<file.entries.count).map { text in
            let values = file.bytes(of: try #require(file["\(text)"])).withMemoryRebound(to: Float.self) { Array($0) }
            return stride(from: 0, to: values.count, by: 128).map { Array(values[$0..<$0 + 128]) }
        }
    }

    private func maxSim(_ query: [[Float]], _ document: [[Float]]) -> Double {
        query.reduce(0) { sum, token in
            sum + document.map { zip(token, $0).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } }.max()!
        }
    }

    @Test func oneWidthWritesItsRunWhereItWasTold() throws {
        try expectSuccess(arguments(["--dims", "64", "--save-run", folder.path("run.trec")]))
        let lines = String(decoding: try folder.bytes("run.trec"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 30 * 30)
        #expect(lines[0].wholeMatch(of: /q0 Q0 f\d+ 1 \S+ shoal/) != nil, "\(lines[0])")
    }

    @Test func comparisonShowsTheDifference() throws {
        try expectSuccess(arguments(["--dims", "256", "--output", folder.path("before.json")]))
        let table = try expectSuccess(arguments(["--dims", "256", "--max-length", "8", "--compare", folder.path("before.json")]))
        for word in ["before", "after", "difference"] { #expect(table.standardOutput.contains(word)) }
        let same = try expectSuccess(arguments(["--dims", "256", "--compare", folder.path("before.json")]), ranks: 2)
        #expect(same.standardOutput.contains("+0.0000"))
    }

    @Test func datasetsOfOneNameAreToldApart() throws {
        try FileManager.default.createDirectory(atPath: folder.path("other"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: dataset, toPath: folder.path("other/small"))
        let text = try expectSuccess(arguments([folder.path("other/small"), "--dims", "32"])).standardOutput
        #expect(text.contains("other/small · code"))
        try expectFailure(64, arguments([dataset, "--dims", "32"]), "--retrieval: one dataset is named twice")
    }

    @Test(arguments: [nil, 2]) func flagsThatCannotBeMeant(ranks: Int?) throws {
        try expectFailure(64, arguments(["--dims", "32,100"]), ranks: ranks, "--dims: the model has no width 100")
    }

    @Test func faultsOfFlagsAndFiles() throws {
        try expectFailure(64, arguments(["--dims", "wide"]), "'wide'", "--dims")
        try expectFailure(64, arguments(["--dims", "64", "--multi-vector"]), "have one width; leave one out")
        try expectFailure(64, arguments(["--task", "poetry"]), "--task: the model has no task \"poetry\"")
        try expectFailure(64, ["evaluate", "--model", ShoalProgram.model], "add --retrieval FOLDER")
        try expectFailure(64, arguments(["--output", "a", "--save-run", "a"]), "name the same file")
        try expectFailure(66, arguments([folder.path("absent")]), "absent: no such folder")
        try expectFailure(66, arguments(["--compare", folder.path("absent.json")]), "absent.json: no such file")
        try expectFailure(65, arguments(["--compare", try folder.write("odd.json", "{}")]), "odd.json: has no list \"results\"")
        try expectFailure(73, arguments(["--output", folder.path("absent/out.json")]), "absent/out.json: cannot be created")
        try folder.write("small/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq0\tnone\t1\n")
        try expectFailure(65, arguments([]), "test.tsv: none of the judged documents, such as \"none\", is in")
    }
}
