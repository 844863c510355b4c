// Evaluation while training: when it happens, and that the best checkpoint outlives `training.save_total_limit`.

import Files
import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct EvaluationInRunTests {
        private static let settings = [
            "data.evaluation=eval.jsonl", "training.max_steps=8", "training.eval_steps=2", "training.save_steps=2",
            "training.save_total_limit=1", "training.warmup_steps=0",
        ].flatMap { ["--set", $0] }

        /// With a rate that changes nothing the first evaluation is the best; with a high one any may be.
        @Test(arguments: [nil, 2, 4], [1e-12, 0.05]) func theBestCheckpointIsKept(ranks: Int?, rate: Double) throws {
            let project = try project()
            try project.train(Self.settings + ["--set", "training.learning_rate=\(rate)"], ranks: ranks).expect(0)
            let files = project.files()

            let evaluations = try files.events("evaluation")
            #expect(evaluations.compactMap { $0["step"]?.integerValue } == [2, 4, 6, 8])
            let best = try #require(bestStep(evaluations))
            if rate < 1e-9 { #expect(best.step == 2) }
            let named = try #require(try files.record()["best_checkpoint"])
            #expect(named["name"]?.stringValue == "step-\(best.step)")
            #expect(named["value"]?.numberValue == best.value)
            #expect(named["metric"]?.stringValue == "ndcg@10@32")
            #expect(files.checkpoints == Set(["step-\(best.step)", "step-8"]).sorted())
            let marked = try files.events("checkpoint").filter { $0["best"]?.boolValue == true }.compactMap { $0["step"]?.integerValue }
            #expect(marked.last == best.step)
            #expect(try String(decoding: files.bytes("README.md"), as: UTF8.self).contains("nDCG@10"))
        }

        @Test func aResumedRunRemembersTheBest() throws {
            let project = try project()
            let settings = Self.settings + ["--set", "training.learning_rate=1e-12"]
            try project.train(settings + ["--stop-after", "4"], ranks: 2).expect(75)
            try project.train(settings + ["--resume"]).expect(0)
            #expect(project.files().checkpoints == ["step-2", "step-8"])
            #expect(try project.files().record()["best_checkpoint"]?["name"]?.stringValue == "step-2")
            #expect(try project.files().events("evaluation").count == 4)
        }

        /// As after a kill between the last checkpoint and the final files.
        @Test func aRunResumedAfterItsLastStepWritesTheSameCard() throws {
            let project = try project()
            try project.train(Self.settings + ["--set", "training.logging_steps=3"]).expect(0)
            let card = try project.files().bytes("README.md")
            let text = String(decoding: card, as: UTF8.self)
            #expect(text.contains("nDCG@10") && text.contains("Mean loss at the end: "))
            try FileManager.default.removeItem(atPath: project.path("run/README.md"))
            try project.train(Self.settings + ["--set", "training.logging_steps=3", "--resume"]).expect(0)
            try expectSameBytes(project.files().bytes("README.md"), card, "README.md")
        }

        @Test func aFolderInBeirsLayoutIsRead() throws {
            let project = try RunProject(.embedded)
            try project.link("stdlib", to: PackagePath.example("python-stdlib"))
            try FileManager.default.createDirectory(atPath: project.path("beir/qrels"), withIntermediateDirectories: true)
            try project.folder.write(
                "beir/corpus.jsonl",
                "{\"_id\": \"a\", \"title\": \"\", \"text\": \"read a file\"}\n{\"_id\": \"b\", \"text\": \"sort a list\"}\n")
            try project.folder.write("beir/queries.jsonl", "{\"_id\": \"q\", \"text\": \"sort a list\"}\n")
            try project.folder.write("beir/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq\tb\t1\n")
            try project.train(["--set", "data.evaluation=beir", "--set", "training.max_steps=1"], ranks: 2).expect(0)
            let results = try project.files().events("evaluation").first?["results"]?.arrayValue ?? []
            #expect(results.count == 4)
            #expect(results.allSatisfy { $0["metrics"]?["ndcg@10"]?.numberValue == 1 })
        }

        /// The judgements of a split, of which some are of absent documents, and what is said of them.
        @Test func aSplitIsChosen() throws {
            let project = try RunProject(.embedded)
            try project.link("stdlib", to: PackagePath.example("python-stdlib"))
            try FileManager.default.createDirectory(atPath: project.path("beir/qrels"), withIntermediateDirectories: true)
            try project.folder.write("beir/corpus.csv", "id,text\n1,read a file\n2,sort a list\n")
            try project.folder.write("beir/queries.jsonl", "{\"_id\": 1, \"text\": \"sort a list\"}\n")
            try project.folder.write("beir/qrels/dev.tsv", "1 0 2 1\n1 0 3 1\n")
            try project.folder.write("beir/qrels/train.tsv", "1 0 1 1\n")
            let settings = ["--set", "training.max_steps=1", "--set", "training.metric_for_best_model=map@100"]
            try project.train(["--set", "data.evaluation=beir"] + settings).expectRefusal(
                66, ["has judgements for dev and train, and none for test"])
            let result = try project.train(["--set", "data.evaluation={path: beir, split: dev}"] + settings, ranks: 2)
            result.expect(0)
            #expect(
                result.standardError.contains("evaluation on beir: 1 judgement (of 1 query) is of a document that the corpus lacks, \"3\""))
            let results = try project.files().events("evaluation").first?["results"]?.arrayValue ?? []
            #expect(results.count == 4 && results.allSatisfy { $0["metrics"]?["map@100"]?.numberValue == 0.5 })
            #expect(try project.files().record()["best_checkpoint"]?["metric"]?.stringValue == "map@100@256")
        }

        private func project() throws -> RunProject {
            let project = try RunProject()
            try project.folder.write("eval.jsonl", TrainingRows.usual.filter { !$0.contains("\"task\"") }.joined(separator: "\n"))
            return project
        }

        /// Of equals the first.
        private func bestStep(_ evaluations: [JSONValue]) -> (step: Int64, value: Double)? {
            var best: (step: Int64, value: Double)?
            for event in evaluations {
                let widest = event["results"]?.arrayValue?.first { $0["dimension"]?.integerValue == 32 }
                guard let step = event["step"]?.integerValue, let value = widest?["metrics"]?["ndcg@10"]?.numberValue else { return nil }
                if best.map({ value > $0.value }) ?? true { best = (step, value) }
            }
            return best
        }

        /// Each row's own task decides which adapter embeds it; the best checkpoint goes by the mean.
        @Test func pairsAreEvaluatedByTheirOwnTasks() throws {
            let project = try RunProject()
            let rows = TrainingRows.plain(anchors: ["one", "two", "three"])
            let retrieval = rows.map { $0.dropLast() + ", \"task\": \"retrieval\"}" }
            let code = TrainingRows.plain(anchors: ["four", "five"]).map { $0.dropLast() + ", \"task\": \"code\"}" }
            try project.folder.write("pairs.jsonl", (retrieval + code).joined(separator: "\n"))
            let result = try project.train(["--set", "data.evaluation=pairs.jsonl", "--set", "training.max_steps=2"], ranks: 2)
            result.expect(0)
            let results = try #require(try project.files().events("evaluation").first?["results"]?.arrayValue)
            let queries = Set(results.map { "\($0["task"]!.stringValue!) \($0["queries"]!.integerValue!)" })
            #expect(queries == ["retrieval 3", "code 2"])
        }
    }
}
