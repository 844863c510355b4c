// A run is continued with its settings, its data and its global batch, or not at all.

import Foundation
import Support
import Testing

@testable import Trainer

@Suite struct ResumeRuleTests {
    let run: TinyRun
    private let temperature = "loss: {temperature: 0.05}\n"

    /// Of 2 ranks with 8 rows each.
    init() throws {
        run = try TinyRun()
        try run.save(3, settings: temperature)
    }

    private func resume(_ settings: String, worldSize: Int = 2, data: [String: String]? = nil) throws -> RunCheckpoint? {
        try run.resume(run.setting(settings, worldSize: worldSize, data: data))
    }

    @Test func theSameSettingsGoOn() throws {
        #expect(try resume(temperature)?.notices.isEmpty == true)
    }

    @Test func otherSettingsAreListed() throws {
        let error = userError { _ = try resume("loss: {temperature: 0.1}\nlora: {r: 16}\n") }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("loss.temperature: 0.05 in the run, 0.1 now") == true)
        #expect(error?.message.contains("lora.r: 32 in the run, 16 now") == true)
    }

    @Test(arguments: [1, 4]) func theGlobalBatchIsKeptAtAnotherWorldSize(_ worldSize: Int) throws {
        let resumed = try #require(try resume(temperature, worldSize: worldSize))
        #expect(resumed.info.globalBatchRows == 16)
        #expect(resumed.notices.count == 1 && resumed.notices[0].contains("16 rows"))
    }

    /// What counts is the rows of all ranks, however they are spelt.
    @Test func theGlobalBatchIsCompared() throws {
        let info = try run.info(temperature)
        let check = { (setting: String, worldSize: Int) throws -> [String] in
            let yaml = "base_model_path: model\ndata: {train: train.jsonl}\ntraining: {output_dir: out, \(setting)}\n" + temperature
            return try ResumeRule(config: try decode(yaml), worldSize: worldSize, dataFingerprints: run.data).check(info, checkpoint: "c")
        }
        #expect(try check("batch_size: 16", 1).isEmpty)
        #expect(try check("global_batch_size: 16", 3).isEmpty)
        for (setting, worldSize) in [("batch_size: 4", 2), ("batch_size: 16", 2), ("global_batch_size: 32", 2)] {
            let error = userError { _ = try check(setting, worldSize) }
            #expect(error?.code == .configuration && error?.message.contains("global batch: 16 rows in the run") == true)
        }
    }

    @Test func otherDataIsNamed() throws {
        let cases = [
            (["train.jsonl": "12 abd"], "train.jsonl"), ([:], "train.jsonl"),
            (["train.jsonl": "12 abc", "more.jsonl": "1 a"], "more.jsonl"),
        ]
        for (data, path) in cases {
            let error = userError { _ = try resume(temperature, data: data) }
            #expect(error?.code == .configuration && error?.path == path)
        }
    }

    /// What is refused leaves the checkpoints as they were.
    @Test func aRefusalChangesNothing() throws {
        try run.save(4, settings: temperature)
        try Data().write(to: URL(fileURLWithPath: run.file(4, "state.json")))
        _ = userError { _ = try resume("") }
        #expect(try run.checkpoints == ["step-3", "step-4"])
    }
}
