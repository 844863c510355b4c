// Ranks that do not hold the same: each is started in a folder of its own, as on hosts whose disks differ.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct DisagreementTests {
        private static let arguments = ["train", "--config", "project_config.yaml"]

        @Test func otherCommandLinesAreRefused() throws {
            let project = try RunProject()
            let result = try start(project, project, second: Self.arguments + ["--set", "training.seed=7"])
            result.expectRefusal(78, ["different command lines", "rank 1 (", "start all with one mpirun command"])
            #expect(try project.files().everything().isEmpty)
        }

        @Test func aCommandLineThatIsNoneOnOneRankIsRefused() throws {
            let project = try RunProject()
            try start(project, project, second: ["train", "--no-such-option"]).expectRefusal(78, ["different command lines", "rank 1 ("])
            try start(project, project, second: ["--help"]).expectRefusal(78, ["different command lines"])
        }

        /// One byte.
        @Test func anotherDataFileIsRefused() throws {
            let (here, there) = (try RunProject(), try RunProject())
            var bytes = try there.folder.bytes("train.jsonl")
            bytes[12] = UInt8(ascii: "X")
            try there.folder.write("train.jsonl", bytes)
            try start(here, there).expectRefusal(78, ["train.jsonl: the data file", "differs between hosts: rank 1 (", "copy the same"])
            #expect(try here.files().everything().isEmpty)
        }

        @Test func aShorterDataFileIsRefused() throws {
            let (here, there) = (try RunProject(), try RunProject(rows: Array(TrainingRows.usual.dropLast(3))))
            try start(here, there).expectRefusal(78, ["train.jsonl: the data file", "rank 1 ("])
        }

        @Test func aDataFileThatOneHostLacksIsRefused() throws {
            let (here, there) = (try RunProject(), try RunProject())
            try FileManager.default.removeItem(atPath: there.path("train.jsonl"))
            try start(here, there).expectRefusal(66, ["train.jsonl: "])
        }

        @Test func anotherBackboneIsRefused() throws {
            try expectRefusedBackbone(TinyCheckpoint(seed: 2, vocabulary: 8256))
            try expectRefusedBackbone(TinyCheckpoint(vocabulary: 8256).setting("text_config.rms_norm_eps", 1e-5))
            try expectRefusedBackbone(TinyCheckpoint(vocabulary: 8300))
        }

        @Test func anotherAdapterToStartFromIsRefused() throws {
            let (here, there) = (try RunProject(), try RunProject())
            let first = ["--set", "training.max_steps=1", "--set", "training.output_dir=first"]
            try here.train(first).expect(0)
            try there.train(first + ["--set", "training.seed=7"]).expect(0)
            let arguments = Self.arguments + ["--set", "lora.start_from=first"]
            try start(here, there, first: arguments, second: arguments)
                .expectRefusal(78, ["first/adapters: the adapter", "differs between hosts: rank 1 ("])
        }

        @Test func otherEvaluationDataAreRefused() throws {
            let (here, there) = (try RunProject(), try RunProject())
            try here.folder.write("eval.jsonl", TrainingRows.plain(anchors: ["one", "two", "three"]).joined(separator: "\n"))
            try there.folder.write("eval.jsonl", TrainingRows.plain(anchors: ["one", "two"]).joined(separator: "\n"))
            let arguments = Self.arguments + ["--set", "data.evaluation=eval.jsonl"]
            try start(here, there, first: arguments, second: arguments)
                .expectRefusal(78, ["eval.jsonl: the evaluation data", "differs between hosts: rank 1 ("])
        }

        private func expectRefusedBackbone(_ other: TinyCheckpoint, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let projects = (try RunProject(.absent), try RunProject(.absent))
            for (project, checkpoint) in [(projects.0, TinyCheckpoint(vocabulary: 8256)), (projects.1, other)] {
                try checkpoint.write(to: project.path("model"))
                try project.link("model/tokenizer.json", to: PackagePath.example("jina-tiny/tokenizer.json"))
            }
            try start(projects.0, projects.1).expectRefusal(
                78, ["model: the backbone", "differs between hosts: rank 1 (", "copy the same"], sourceLocation: sourceLocation)
        }

        /// Rank 0 in the first project, rank 1 in the second.
        private func start(
            _ here: RunProject, _ there: RunProject, first: [String] = arguments, second: [String] = arguments
        ) throws -> JobResult {
            try MPILauncher.run(
                "shoal", each: [RankStart(first, folder: here.folder.path), RankStart(second, folder: there.folder.path)],
                environment: here.environment, limit: refusalLimit)
        }
    }
}
