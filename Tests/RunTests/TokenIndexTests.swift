// Runs that tokenize their rows, and runs that find them tokenized: the same index from any number of ranks, the same adapters from
// any way of having it.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct TokenIndexTests {
        private func indexes(_ project: RunProject, _ folder: String = "cache/shoal") throws -> [String: Data] {
            try RunFiles(path: project.path(folder)).everything().filter { $0.key.hasSuffix(".tokens") }
        }

        @Test func everyWorldMakesTheSameIndexAndTrainsAlikeWithIt() throws {
            let project = try RunProject()
            try project.train().expect(0)
            let expected = try project.files().bytes("adapters/adapter_model.safetensors")
            let index = try indexes(project)
            #expect(index.count == 1)
            for ranks in [1, 2, 4] {
                for name in ["cold-\(ranks)", "warm-\(ranks)"] {
                    let settings = ["--set", "data.cache_dir=cache-\(ranks)", "--set", "training.output_dir=\(name)"]
                    try project.train(settings, ranks: ranks).expect(0)
                    try expectSameBytes(project.files(of: name).bytes("adapters/adapter_model.safetensors"), expected, name)
                    try expectSameFiles(indexes(project, "cache-\(ranks)"), index, "indexes")
                }
            }
        }

        /// The bytes are others and no rows at all; size and time are those of the rows that were tokenized.
        @Test func aSecondStartDoesNotReadTheRows() throws {
            let project = try RunProject()
            let path = project.path("train.jsonl")
            let past: [FileAttributeKey: Any] = [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)]
            let size = try project.folder.bytes("train.jsonl").count
            try FileManager.default.setAttributes(past, ofItemAtPath: path)
            try project.train().expect(0)
            let expected = try project.files().bytes("adapters/adapter_model.safetensors")
            try Data(count: size).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes(past, ofItemAtPath: path)
            for ranks in [nil, 2] {
                try project.train(["--set", "training.output_dir=second-\(ranks ?? 0)"], ranks: ranks).expect(0)
                try expectSameBytes(
                    project.files(of: "second-\(ranks ?? 0)").bytes("adapters/adapter_model.safetensors"), expected, "adapter")
            }
        }

        @Test(arguments: smallWorlds) func withoutAFolderItRunsWithANotice(ranks: Int?) throws {
            let project = try RunProject()
            try project.train(["--set", "training.output_dir=kept"]).expect(0)
            for (name, setting, hasNotice) in [("unwritable", "train.jsonl/cache", true), ("none", "none", false)] {
                let result = try project.train(
                    ["--set", "data.cache_dir=\(setting)", "--set", "training.output_dir=\(name)"], ranks: ranks)
                result.expect(0)
                let notices = result.standardError.split(separator: "\n").filter { $0.contains("kept in memory") }
                #expect(notices.count == (hasNotice ? 1 : 0), "\(result.standardError)")
                try expectSameBytes(
                    project.files(of: name).bytes("adapters/adapter_model.safetensors"),
                    project.files(of: "kept").bytes("adapters/adapter_model.safetensors"), name)
            }
        }

        @Test(arguments: smallWorlds) func damagedTokensStopTheRunAndAreMadeAnew(ranks: Int?) throws {
            let project = try RunProject()
            try project.train(["--set", "training.output_dir=whole"]).expect(0)
            let name = try #require(indexes(project).keys.first)
            var bytes = try project.folder.bytes("cache/shoal/\(name)")
            bytes[4096 + 40] ^= 1
            try project.folder.write("cache/shoal/\(name)", bytes)
            let result = try project.train(ranks: ranks)
            result.expect(74)
            #expect(result.standardError.contains("row 1 of this token index was damaged"))
            try project.train(["--resume"], ranks: ranks).expect(0)
            try expectSameBytes(
                project.files().bytes("adapters/adapter_model.safetensors"),
                project.files(of: "whole").bytes("adapters/adapter_model.safetensors"),
                "adapter")
        }

        /// As on two hosts with copies of the same files.
        @Test func ranksWithFilesOfTheirOwnTrainTogether() throws {
            let (here, there) = (try RunProject(), try RunProject())
            let arguments = ["train", "--config", "project_config.yaml"]
            for _ in 0..<2 {
                let result = try MPILauncher.run(
                    "shoal",
                    each: [RankStart(arguments, folder: here.folder.path), RankStart(arguments, folder: there.folder.path)],
                    environment: here.environment)
                result.expect(0)
                #expect(try indexes(here).count == 2)
                try FileManager.default.moveItem(atPath: here.path("run"), toPath: here.path("run-\(UUID().uuidString)"))
            }
        }

    }
}
