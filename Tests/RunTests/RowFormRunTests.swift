// Rows in other trainers' forms in whole runs: the same adapters from the same rows, whatever wrote them, and nothing in silence.

import Files
import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct RowFormRunTests {
        private static let texts: [(query: String, positive: String, negatives: [String])] = (0..<12).map { i in
            ("how many words has line \(i)", "line \(i) has five words, \"quoted\"", ["no answer \(i)", "another \(i)"])
        }

        private static func json(_ text: String) -> String {
            String(decoding: JSONValue.string(text).serialized(pretty: false), as: UTF8.self)
        }

        private static func lines(_ form: (String, String, [String]) -> String) -> String {
            texts.map { form(json($0.query), json($0.positive), $0.negatives.map(json)) + "\n" }.joined()
        }

        private static func csv() -> String {
            func cell(_ text: String) -> String { "\"\(text.replacing("\"", with: "\"\""))\"" }
            let rows = texts.map { ([$0.query, $0.positive] + $0.negatives).map(cell).joined(separator: ",") }
            return (["anchor,positive,negative_1,negative_2"] + rows).map { $0 + "\n" }.joined()
        }

        /// Name, content, settings of its entry of data.train, and what the start must say.
        private static let forms: [(name: String, content: String, entry: String, said: String)] = [
            ("own.jsonl", lines { #"{"query": \#($0), "positive": \#($1), "negatives": [\#($2.joined(separator: ", "))]}"# }, "", ""),
            ("rows.csv", csv(), "", "rows of sentence-transformers"),
            (
                "st.jsonl", lines { #"{"anchor": \#($0), "positive": \#($1), "negative_2": \#($2[1]), "negative_1": \#($2[0])}"# }, "",
                "negatives from \"negative_1\", \"negative_2\""
            ),
            (
                "flag.jsonl", lines { #"{"query": \#($0), "pos": [\#($1)], "neg": [\#($2.joined(separator: ", "))], "type": "normal"}"# },
                "", "\"type\" (12 rows)"
            ),
            (
                "tevatron.jsonl",
                lines { query, positive, negatives in
                    let passages = negatives.map { #"{"docid": "x", "title": "", "text": \#($0)}"# }.joined(separator: ", ")
                    return
                        #"{"query_id": "1", "query": \#(query), "positive_passages": [{"text": \#(positive)}], "negative_passages": [\#(passages)]}"#
                }, "", "rows of Tevatron"
            ),
            (
                "swift.jsonl",
                lines { query, positive, negatives in
                    func message(_ text: String) -> String { #"[{"role": "user", "content": \#(text)}]"# }
                    return
                        #"{"messages": \#(message(query)), "positive_messages": [\#(message(positive))], "negative_messages": [\#(negatives.map(message).joined(separator: ", "))]}"#
                }, "", "rows of ms-swift"
            ),
            (
                "own-columns.jsonl", lines { #"{"question": \#($0), "answer": \#($1), "bad_1": \#($2[0]), "bad_2": \#($2[1])}"# },
                ", columns: {anchor: question, positive: answer, negatives: ['bad_*']}", "by its columns"
            ),
        ]

        private func train(_ project: RunProject, _ entry: String, _ name: String, _ more: [String] = [], ranks: Int? = nil) throws -> (
            adapter: Data, output: String
        ) {
            let settings = [
                "data.train=[\(entry)]", "training.output_dir=from-\(name)", "training.max_steps=3", "training.warmup_steps=1",
            ]
            let result = try project.train(settings.flatMap { ["--set", $0] } + more, ranks: ranks)
            #expect(result.exitCode == 0, "\(name): \(result.standardError)")
            let adapter = try Data(contentsOf: URL(fileURLWithPath: project.path("from-\(name)/adapters/adapter_model.safetensors")))
            return (adapter, result.standardOutput + result.standardError)
        }

        @Test func everyFormOfTheSameRowsGivesTheSameBytes() throws {
            let project = try RunProject()
            var first: Data?
            for form in Self.forms {
                try project.folder.write(form.name, form.content)
                let run = try train(project, "{path: \(form.name)\(form.entry)}", form.name)
                #expect(form.said.isEmpty || run.output.contains(form.said), "\(form.name): \(run.output)")
                if let first { expectSameBytes(run.adapter, first, form.name) } else { first = run.adapter }
            }
        }

        /// A data set in shards, by a pattern and as a folder, is the data set; so on two ranks.
        @Test func shardsAreOneDataSet() throws {
            let project = try RunProject()
            let lines = Self.forms[0].content.split(separator: "\n").map { $0 + "\n" }
            try project.folder.write("whole.jsonl", lines.joined())
            try FileManager.default.createDirectory(atPath: project.path("shards"), withIntermediateDirectories: false)
            for shard in 0..<3 { try project.folder.write("shards/train-\(shard).jsonl", lines[shard * 4..<shard * 4 + 4].joined()) }
            let whole = try train(project, "{path: whole.jsonl}", "whole")
            let pattern = try train(project, "{path: 'shards/train-*.jsonl'}", "pattern", ranks: 2)
            let folder = try train(project, "{path: shards/}", "folder")
            expectSameBytes(pattern.adapter, whole.adapter, "a pattern")
            expectSameBytes(folder.adapter, whole.adapter, "a folder")
        }

        /// The prompt of every row, and the same as the file's.
        @Test func aRowsPromptIsThatOfTheFileWhereAllAreAlike() throws {
            let project = try RunProject()
            try project.folder.write("with.jsonl", Self.lines { q, p, _ in #"{"query": \#(q), "positive": \#(p), "prompt": "Find: "}"# })
            try project.folder.write("without.jsonl", Self.lines { q, p, _ in #"{"query": \#(q), "positive": \#(p)}"# })
            let with = try train(project, "{path: with.jsonl}", "with")
            let without = try train(project, "{path: without.jsonl, query_prompt: 'Find: '}", "without")
            let other = try train(project, "{path: without.jsonl}", "other")
            expectSameBytes(with.adapter, without.adapter, "a row's prompt")
            #expect(other.adapter != without.adapter)
        }

        /// Rows with several positives, on one rank and two; each positive is an example, and no negative of the others.
        @Test func severalPositivesAreSeveralExamples() throws {
            let project = try RunProject()
            try project.folder.write(
                "several.jsonl", Self.lines { q, p, n in #"{"query": \#(q), "pos": [\#(p), \#(n[0])], "neg": [\#(n[1])]}"# })
            try project.folder.write(
                "single.jsonl",
                Self.lines { q, p, n in
                    #"{"query": \#(q), "positive": \#(p), "negatives": [\#(n[1])]}"# + "\n"
                        + #"{"query": \#(q), "positive": \#(n[0]), "negatives": [\#(n[1])]}"#
                })
            let several = try train(project, "{path: several.jsonl}", "several")
            #expect(several.output.contains("12 rows of several.jsonl have several positives"), "\(several.output)")
            expectSameBytes(try train(project, "{path: single.jsonl}", "single").adapter, several.adapter, "a row for each")
            expectSameBytes(try train(project, "{path: several.jsonl}", "two", ranks: 2).adapter, several.adapter, "two ranks")
        }

        @Test(arguments: [nil, 2]) func badRowsAreCountedOrLeftOut(ranks: Int?) throws {
            let project = try RunProject()
            let rows = (0..<60).map { i in ##"{"query": "q \##(i)", "positive": "\##(i % 10 == 3 ? "" : "a \(i)")"}"## + "\n" }
            try project.folder.write("bad.jsonl", rows.joined())
            let arguments = ["--set", "data.train=bad.jsonl", "--set", "training.max_steps=3", "--set", "training.warmup_steps=1"]
            let failed = try project.train(arguments, ranks: ranks)
            #expect(failed.exitCode == 65)
            #expect(failed.standardError.contains("bad.jsonl:4:"), "\(failed.standardError)")
            #expect(failed.standardError.contains("5 more rows of this file cannot be used"), "\(failed.standardError)")
            let tooMany = try project.train(arguments + ["--set", "data.on_bad_row=skip"], ranks: ranks)
            #expect(
                tooMany.exitCode == 65 && tooMany.standardError.contains("more than data.bad_row_limit: 0.05"), "\(tooMany.standardError)")
            let limit = ["--set", "data.on_bad_row=skip", "--set", "data.bad_row_limit=0.2"]
            let skipped = try project.train(arguments + limit, ranks: ranks)
            #expect(skipped.exitCode == 0, "\(skipped.standardError)")
            let output = skipped.standardOutput + skipped.standardError
            #expect(output.contains("6 rows of 60 in bad.jsonl left out"), "\(output)")
            try project.folder.write("good.jsonl", rows.filter { !$0.contains("\"\"") }.joined())
            let adapter = try Data(contentsOf: URL(fileURLWithPath: project.path("run/adapters/adapter_model.safetensors")))
            expectSameBytes(try train(project, "{path: good.jsonl, task: retrieval}", "good").adapter, adapter, "the good rows alone")
        }

        @Test(arguments: [
            (#""label": 0"#, "\"label\""), (#""labels": [1, 0]"#, "\"labels\""), (#""negativs": ["n"]"#, "looks like \"negatives\""),
            (#""scores": [0.9]"#, "loss.name: distill"), (#""document_2": "n""#, "\"document_2\""),
        ])
        func noKeyIsPassedOverInSilence(_ key: String, _ said: String) throws {
            let project = try RunProject()
            try project.folder.write("keys.jsonl", Self.lines { q, p, _ in #"{"query": \#(q), "positive": \#(p), \#(key)}"# })
            for ranks in [nil, 2] {
                let result = try project.train(["--set", "data.train=keys.jsonl"], ranks: ranks)
                #expect(result.exitCode == 65 && result.standardError.contains(said), "\(result.standardError)")
            }
        }
    }
}
