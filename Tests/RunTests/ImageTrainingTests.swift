// Training on images: the same bytes on any number of ranks and with any use of memory, and what becomes of files that change.

import Foundation
import Support
import Tensor
import Testing

extension RunTests {
    @Suite struct ImageTrainingTests {
        private func train(_ project: RunProject, _ name: String, _ settings: [String] = [], ranks: Int? = nil) throws -> RunFiles {
            try project.train(
                ["training.output_dir=\(name)"].flatMap { ["--set", $0] } + settings.flatMap { ["--set", $0] }, ranks: ranks
            ).expect(0)
            return project.files(of: name)
        }

        private func adapter(_ files: RunFiles) throws -> Data { try files.bytes("adapters/adapter_model.safetensors") }

        @Test func everyWorldWritesTheSameBytes() throws { try expectTheSameBytes(type: "float32") }

        @Test func everyWorldWritesTheSameBytesInBFloat16() throws { try expectTheSameBytes(type: "bfloat16") }

        private func expectTheSameBytes(type: String) throws {
            let (project, setting) = (try RunProject.images(), ["system.compute_dtype=\(type)"])
            let alone = try train(project, "alone", setting)
            #expect(try alone.steps().count == 6 && Set(alone.steps().map(\.loss)).count == 6)
            #expect(try alone.steps().reduce(0) { $0 + $1.maskedPairs } > 0)
            for ranks in [1, 2, 4] {
                let files = try train(project, "ranks-\(ranks)", setting, ranks: ranks)
                try expectSameBytes(adapter(files), adapter(alone), "\(ranks) ranks")
                #expect(try files.steps() == alone.steps())
            }
            for memory in ["recompute", "cache"] {
                let more = setting + ["system.activation_memory=\(memory)", "system.microbatch_tokens=60", "system.threads=2"]
                try expectSameBytes(adapter(train(project, memory, more, ranks: memory == "cache" ? nil : 2)), adapter(alone), memory)
            }
        }

        @Test func lateVectorsAndPixelsMatter() throws {
            let project = try RunProject.images()
            let joint = ["loss.name=joint", "training.max_steps=3"]
            let alone = try train(project, "alone", joint)
            try expectSameBytes(adapter(train(project, "ranks", joint, ranks: 3)), adapter(alone), "3 ranks")
            #expect(try adapter(train(project, "small", joint + ["data.max_pixels=4000"])) != adapter(alone))
        }

        /// Images in a table, as `data:` URLs and in base64 are the files that hold the same bytes.
        @Test(arguments: smallWorlds) func imagesInRowsTrainAsTheirFilesDo(ranks: Int?) throws {
            let names = ImageRows.pictures.prefix(8)
            func lines(_ image: (Int, String) throws -> String) throws -> String {
                try names.enumerated().map { number, name in
                    let negative = number % 3 == 0 ? try #", "negative_image": "\#(image((number + 3) % 8, names[(number + 3) % 8]))""# : ""
                    return try #"{"query": "what does picture \#(number) show", "positive_image": "\#(image(number, name))"\#(negative)}"#
                        + "\n"
                }.joined()
            }
            func base64(_ name: String) throws -> String { Data(try RunProject.picture(name)).base64EncodedString() }
            let project = try RunProject.images()
            let folder = project.folder
            try folder.write("files.jsonl", lines { number, _ in "pictures/\(number)" })
            try folder.write("urls.jsonl", lines { try "data:image/png;base64,\(base64($1))" })
            try folder.write("base64.jsonl", lines { try base64($1) })
            try FileManager.default.copyItem(
                atPath: PackagePath.golden("images/rows/rows.parquet"), toPath: folder.path("table.parquet"))
            func train(_ name: String, _ output: String) throws -> Data {
                try adapter(self.train(project, output, ["data.train=\(name)", "training.max_steps=3"], ranks: ranks))
            }
            let expected = try train("files.jsonl", "from-files")
            for name in ["urls.jsonl", "base64.jsonl", "table.parquet"] {
                try expectSameBytes(train(name, "from-\(name)"), expected, name)
            }
            // The index is there; what was written is gone, and comes back.
            try FileManager.default.removeItem(atPath: project.path("cache/shoal/row-images"))
            try expectSameBytes(train("table.parquet", "again"), expected, "written anew")
        }

        @Test func orientationAndBackgroundReachTheModel() throws {
            let project = try RunProject.images()
            try project.folder.write("pictures/0", RunProject.picture("444-rotated.jpg"))
            try project.folder.write("pictures/1", RunProject.picture("rgb-alpha-8.png"))
            let usual = try adapter(train(project, "usual", ["training.max_steps=3"]))
            let stored = ["data.image_orientation=ignore", "data.image_background=drop"]
            for (number, settings) in [[stored[0]], [stored[1]], stored].enumerated() {
                #expect(try adapter(train(project, "other-\(number)", ["training.max_steps=3"] + settings)) != usual)
            }
        }

        /// The same picture under another name is another file and the same input.
        @Test func equalFilesAreOneInput() throws {
            let rows = (0..<6).map { "{\"query\": \"text \($0)\", \"positive_image\": \"pictures/\($0)\"}" }
            let twice = rows.map { $0.replacing("pictures/0", with: "pictures/copy") }
            let project = try RunProject.images(rows: rows + twice)
            try project.copy("pictures/0", to: "pictures/copy")
            let files = try train(project, "run", ["training.global_batch_size=12", "training.max_steps=1"])
            let step = try #require(try files.events("step").first)
            #expect(step["inputs"]?.integerValue == 12)
        }

        @Test(arguments: smallWorlds) func changedFilesAreIndexedAnew(ranks: Int?) throws {
            let project = try RunProject.images()
            let before = try adapter(train(project, "before"))
            let restored = try project.folder.bytes("pictures/5")
            try project.folder.write("pictures/5", RunProject.picture("gray-alpha-8.png"))
            let changed = try adapter(train(project, "changed", ranks: ranks))
            #expect(changed != before)
            try project.folder.write("pictures/5", restored)
            try expectSameBytes(adapter(train(project, "restored", ranks: ranks)), before, "restored")
        }

        @Test(arguments: smallWorlds) func rowsWithBadImagesAreLeftOut(ranks: Int?) throws {
            let project = try RunProject.images()
            let whole = try project.folder.bytes("pictures/2")
            try project.folder.write("pictures/2", whole.prefix(whole.count / 2))
            let result = try project.train(["--set", "data.on_bad_image=skip"], ranks: ranks)
            result.expect(0)
            let bad = ImageRows.rows.filter { $0.contains("pictures/2\"") }
            #expect(bad.count > 2)
            #expect(result.standardError.contains("\(bad.count) rows left out for their images"))
            #expect(result.standardError.contains("notice: \(bad.count) rows of train.jsonl left out"))

            let good = try RunProject.images(rows: ImageRows.rows.filter { !$0.contains("pictures/2\"") })
            try expectSameBytes(adapter(project.files()), adapter(train(good, "run")), "without the bad rows")
            // The mended file is found though the rows are the same.
            try project.folder.write("pictures/2", whole)
            let intact = try RunProject.images()
            try expectSameBytes(adapter(train(project, "mended", ["data.on_bad_image=skip"])), adapter(train(intact, "run")), "mended")
            withExtendedLifetime((good, intact)) {}
        }

        @Test(arguments: [nil, 2, 4]) func keptFeaturesGiveTheSameBytes(ranks: Int?) throws {
            let project = try RunProject.images()
            let without = try train(project, "without")
            let settings = ["data.image_cache=features", "data.image_cache_size=1MB"]
            for name in ["first", "second"] {
                let files = try train(project, name, settings, ranks: ranks)
                try expectSameBytes(adapter(files), adapter(without), name)
                #expect(try files.steps() == without.steps())
            }
            let kept = try RunFiles(path: project.path("features")).everything()
            #expect(kept.count == 10)
            // One damaged file is made again; the others are read, though there are no pictures any more behind these names.
            let (damaged, bytes) = try #require(kept.first)
            try project.folder.write("features/\(damaged)", bytes.dropLast() + [bytes.last! ^ 1])
            try expectSameBytes(adapter(train(project, "mended", settings, ranks: ranks)), adapter(without), "mended")
            try expectSameFiles(RunFiles(path: project.path("features")).everything(), kept, "features")
            for number in 0...10 { try blank(project.path("pictures/\(number)")) }
            try expectSameBytes(adapter(train(project, "blank", settings, ranks: ranks)), adapter(without), "blank")
            try project.train(["--set", "training.output_dir=none"], ranks: ranks).expect(74)
        }

        /// Other bytes of the same size and time of change.
        private func blank(_ path: String) throws {
            var status = stat()
            #expect(stat(path, &status) == 0)
            let times = [status.st_atim, status.st_mtim]
            try Data(count: Int(status.st_size)).write(to: URL(fileURLWithPath: path))
            #expect(utimensat(AT_FDCWD, path, times, 0) == 0)
        }

        @Test(arguments: smallWorlds) func aCacheThatCannotBeWrittenIsSaidOnce(ranks: Int?) throws {
            let project = try RunProject.images()
            let result = try project.train(["--set", "data.image_cache=train.jsonl/features"], ranks: ranks)
            result.expect(0)
            #expect(result.standardError.split(separator: "\n").filter { $0.contains("set data.image_cache to a folder") }.count == 1)
        }

        @Test func gradientsAreThoseOfOneRank() throws {
            let project = try RunProject.images()
            let result = try project.shoal(
                ["verify-gradients", "--config", "project_config.yaml", "--set", "lora.target_modules=[o_proj]"], ranks: 2, limit: 300)
            result.expect(0)
            #expect(result.standardOutput.contains("within tolerance"))
        }

        @Test func imagesAreEvaluatedOnTheWay() throws {
            let project = try RunProject.images()
            try FileManager.default.createDirectory(atPath: project.path("beir/qrels"), withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: project.path("pictures"), toPath: project.path("beir/pictures"))
            let corpus = (0..<6).map { "{\"_id\": \"d\($0)\", \"image\": \"pictures/\($0)\"}\n" }.joined()
            try project.folder.write("beir/corpus.jsonl", corpus + "{\"_id\": \"t\", \"text\": \"words\"}\n")
            try project.folder.write(
                "beir/queries.jsonl", "{\"_id\": \"q\", \"image\": \"pictures/3\"}\n{\"_id\": \"w\", \"text\": \"words\"}\n")
            try project.folder.write("beir/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq\td3\t1\nw\tt\t1\n")
            let texts = (0..<12).map { "{\"query\": \"a \($0)\", \"positive\": \"b \($0)\"}" }
            try project.folder.write("texts.jsonl", texts.joined(separator: "\n"))
            // Images in the evaluation alone, and on both sides of pairs.
            for (name, settings) in [
                ("beir", ["data.train=texts.jsonl", "data.evaluation=beir"]), ("pairs", ["data.evaluation=train.jsonl"]),
            ] {
                let settings = settings + ["training.max_steps=1"]
                let (one, two) = (try train(project, "\(name)-1", settings), try train(project, "\(name)-2", settings, ranks: 2))
                let results = try [one, two].map { try #require(try $0.events("evaluation").first?["results"]?.serialized()) }
                #expect(results[0] == results[1])
            }
            let best = try #require(project.files(of: "beir-1").events("evaluation").first?["results"]?.arrayValue?.last)
            #expect(best["metrics"]?["recall@1"]?.numberValue ?? 0 >= 0.5)
        }

        @Test(.enabled(if: TestData.available, "set SHOAL_TEST_DATA")) func pagesAreLearntFromTheirSentences() throws {
            let pairs = try String(contentsOf: TestData.url("images/page-queries.jsonl"), encoding: .utf8)
            let rows = pairs.split(separator: "\n").map { String($0).replacing("\"image\"", with: "\"positive_image\"") }
            let project = try RunProject(.embedded, rows: rows)
            try project.link("pages", to: TestData.url("images/pages").path)
            let settings = [
                "data.train=train.jsonl", "data.max_pixels=30000", "training.max_steps=20", "training.global_batch_size=14",
                "training.warmup_steps=0", "training.learning_rate=3e-3", "lora.dropout=0",
            ]
            let files = try train(project, "run", settings)
            let losses = try files.steps().map(\.loss)
            #expect(losses.suffix(4).reduce(0, +) < losses.prefix(4).reduce(0, +), "\(losses)")

            let short = settings + ["training.max_steps=6", "lora.dropout=0.1"]
            let alone = try adapter(train(project, "alone", short))
            for ranks in [2, 4] {
                try expectSameBytes(adapter(train(project, "ranks-\(ranks)", short, ranks: ranks)), alone, "\(ranks) ranks")
                let kept = short + ["data.image_cache=features-\(ranks)"]
                try expectSameBytes(adapter(train(project, "kept-\(ranks)", kept, ranks: ranks)), alone, "kept, \(ranks) ranks")
                try expectSameBytes(adapter(train(project, "read-\(ranks)", kept, ranks: ranks)), alone, "read, \(ranks) ranks")
            }
        }
    }
}
