// The folder of a run: what cannot be written, and what must not be written over.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct RunFolderTests {
        @Test(arguments: smallWorlds) func aFolderThatCannotBeWrittenIsRefused(ranks: Int?) throws {
            let project = try RunProject()
            // No mode keeps root out, but nobody makes a folder below a file.
            let result = try project.train(["--set", "training.output_dir=train.jsonl/run"], ranks: ranks, limit: refusalLimit)
            result.expectRefusal(73, ["train.jsonl/run: ", "cannot be created"], isAlone: ranks == nil)
            let isFile = try project.train(["--set", "training.output_dir=train.jsonl"], ranks: ranks, limit: refusalLimit)
            isFile.expectRefusal(73, ["train.jsonl: ", "choose another training.output_dir"], isAlone: ranks == nil)
        }

        @Test(arguments: smallWorlds) func theFolderOfAnotherRunIsRefused(ranks: Int?) throws {
            let project = try RunProject()
            try project.train(["--set", "training.max_steps=2"]).expect(0)
            let before = try project.files().everything()
            #expect(before.count >= 10)
            let result = try project.train(["--set", "training.seed=7"], ranks: ranks, limit: refusalLimit)
            result.expectRefusal(73, ["run: holds another run", "--resume"], isAlone: ranks == nil)
            try expectSameFiles(project.files().everything(), before)
        }

        @Test func anEmptyFolderIsTaken() throws {
            let project = try RunProject()
            try FileManager.default.createDirectory(atPath: project.path("run"), withIntermediateDirectories: false)
            try project.train(["--set", "training.max_steps=1"]).expect(0)
        }

        @Test(arguments: smallWorlds) func theFolderOfARunningJobIsRefused(ranks: Int?) throws {
            let project = try RunProject()
            let running = try project.train(["--set", "training.max_steps=1000000"], ranks: ranks) { job in
                try project.files().wait(forStep: 2)
                for arguments in [[], ["--resume"]] {
                    try project.train(arguments, limit: refusalLimit).expectRefusal(73, ["run: is in use by process"], isAlone: true)
                }
                try project.folder.write("run/STOP", "")
            }
            running.expect(75)
        }
    }
}
