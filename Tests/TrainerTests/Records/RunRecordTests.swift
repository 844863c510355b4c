import Embedding
import Files
import Foundation
import Model
import Support
import Tensor
import Testing

@testable import Trainer

private func start(step: Int = 0, ranks: Int = 2, at seconds: Double = 0) -> RunRecord.Start {
    RunRecord.Start(
        step: step, time: Date(timeIntervalSince1970: seconds), hosts: [("host-a", ranks)], processor: "A Processor",
        engine: EngineChoice(engine: MatrixEngine(.bfloat16, .own, .amx), proof: .made),
        threadsPerRank: 1, versions: Versions(openMPI: "4.1.4"), overrides: ["training.seed=7"])
}

private func record() -> RunRecord {
    RunRecord(
        configuration: ["base_model_path": "m", "training": ["seed": 7]],
        model: .init(folder: "m", fingerprint: [0xAB, 0x01], parameters: 8_226_816),
        data: [.init(path: "a.jsonl", bytes: 12, sha256: "ff00", rows: 3)],
        prompts: ["code": PromptPair(query: "Frage: ", passage: "")], start: start())
}

private func startText(step: Int, ranks: Int, started: String, ended: String, status: String) -> String {
    """
        {
          "step": \(step),
          "started": "\(started)",
          "ended": \(ended),
          "status": "\(status)",
          "world_size": \(ranks),
          "hosts": [
            {
              "name": "host-a",
              "ranks": \(ranks)
            }
          ],
          "processor": "A Processor",
          "engine": {
            "compute_dtype": "bfloat16",
            "library": "own kernels",
            "instruction_set": "amx",
            "arithmetic": "bfloat16 in tiles",
            "row_check": "passed at this start"
          },
          "threads_per_rank": 1,
          "versions": {
            "Shoal": "\(Versions.shoal)",
            "Swift": "\(Versions.swift)",
            "Open MPI": "4.1.4"
          },
          "overrides": [
            "training.seed=7"
          ]
        }
    """
}

/// sha256 of {"base_model_path":"m","training":{"seed":7}}, by coreutils' sha256sum.
private let configurationHash = "786aadc2960bc349f95f8e5d72c16bed6355c2fd34b02428750be3b7e924aeff"

private func fileText(status: String, step: Int, best: String, starts: [String]) -> String {
    """
    {
      "status": "\(status)",
      "step": \(step),
      "best_checkpoint": \(best),
      "starts": [
    \(starts.joined(separator: ",\n"))
      ],
      "model": {
        "folder": "m",
        "fingerprint": "ab01",
        "parameters": 8226816
      },
      "data": [
        {
          "path": "a.jsonl",
          "bytes": 12,
          "sha256": "ff00",
          "rows": 3
        }
      ],
      "prompts": {
        "code": {
          "query": "Frage: ",
          "passage": ""
        }
      },
      "configuration_sha256": "\(configurationHash)",
      "configuration": {
        "base_model_path": "m",
        "training": {
          "seed": 7
        }
      }
    }

    """
}

@Suite struct RunRecordTests {
    @Test func aRunThatStartsStopsAndGoesOn() throws {
        let folder = try TemporaryFolder()
        func text() throws -> String { String(decoding: try folder.bytes("run.json"), as: UTF8.self) }
        var record = record()
        try record.write(folder: folder.path)
        let begun = startText(step: 0, ranks: 2, started: "1970-01-01T00:00:00Z", ended: "null", status: "running")
        #expect(try text() == fileText(status: "running", step: 0, best: "null", starts: [begun]))

        record.bestCheckpoint = .init(name: "step-10", step: 10, metric: "ndcg@10@256", value: 0.25)
        record.end(.stopped, step: 10, at: Date(timeIntervalSince1970: 90))
        try record.write(folder: folder.path)
        var resumed = try RunRecord.read(folder: folder.path)
        #expect(resumed.status == .stopped)
        resumed.begin(start(step: 10, ranks: 4, at: 3600))
        #expect(resumed.status == .running)
        resumed.end(.finished, step: 20, at: Date(timeIntervalSince1970: 3700))
        try resumed.write(folder: folder.path)

        let best = "{\n    \"name\": \"step-10\",\n    \"step\": 10,\n    \"metric\": \"ndcg@10@256\",\n    \"value\": 0.25\n  }"
        let first = startText(step: 0, ranks: 2, started: "1970-01-01T00:00:00Z", ended: "\"1970-01-01T00:01:30Z\"", status: "stopped")
        let second = startText(step: 10, ranks: 4, started: "1970-01-01T01:00:00Z", ended: "\"1970-01-01T01:01:40Z\"", status: "finished")
        #expect(try text() == fileText(status: "finished", step: 20, best: best, starts: [first, second]))
        #expect(try folder.names == ["run.json"])
    }

    @Test func whatAResumeCompares() throws {
        let folder = try TemporaryFolder()
        var written = record()
        #expect(written.bestCheckpoint == nil)
        written.bestCheckpoint = .init(name: "step-10", step: 10, metric: "ndcg@10", value: 1)
        try written.write(folder: folder.path)
        let read = try RunRecord.read(folder: folder.path)
        #expect(read.configuration["training"]?["seed"]?.integerValue == 7)
        #expect(read.json["model"]?["fingerprint"]?.stringValue == "ab01")
        #expect(read.json["data"]?.arrayValue?.map { $0["sha256"]?.stringValue } == ["ff00"])
        #expect(read.bestCheckpoint == written.bestCheckpoint)
    }

    @Test func theConfigurationsHashIgnoresTheOrderOfKeys() {
        #expect(RunRecord.hash(of: ["training": ["seed": 7], "base_model_path": "m"]) == configurationHash)
        #expect(RunRecord.hash(of: ["training": ["seed": 8], "base_model_path": "m"]) != configurationHash)
    }

    @Test(arguments: ["{}", "[]", "{\"configuration\": 1, \"starts\": []}", "{"])
    func anotherFileIsNoRecord(_ text: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("run.json", text)
        let error = #expect(throws: UserError.self) { try RunRecord.read(folder: folder.path) }
        #expect(error?.code == .content)
        #expect(error?.path == path)
    }

    @Test func aMissingRecordIsMissing() throws {
        let folder = try TemporaryFolder()
        #expect { try RunRecord.read(folder: folder.path) } throws: { ($0 as? UserError)?.code == .missing }
        #expect { try record().write(folder: folder.path("none")) } throws: { ($0 as? UserError)?.code == .output }
    }
}

@Suite struct MachineTests {
    @Test func valuesOfKeys() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC: 9R14\nflags\t\t:\nmodel name\t: other\n"
        #expect(Machine.value(of: "model name", in: text) == "AMD EPYC: 9R14")
        #expect(Machine.value(of: "flags", in: text) == nil)
        #expect(Machine.value(of: "model", in: text) == nil)
    }

    @Test func thisMachineAnswers() throws {
        #expect(Machine.cores >= 1)
        #expect(try #require(Machine.peakResidentBytes) > 1_000_000)
        #expect(try #require(Machine.availableBytes) > 1_000_000)
        #expect(!Processor.model.isEmpty)
    }
}
