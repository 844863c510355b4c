// Checkpoints come back bit for bit; the newest and the best are kept; the same step is never written over.

import Files
import Foundation
import Model
import Support
import Testing

@testable import Trainer

@Suite struct CheckpointStoreTests {
    let run: TinyRun

    init() throws { run = try TinyRun() }

    @Test func comesBackBitForBit() throws {
        let best = BestCheckpoint(name: "step-3", metric: "ndcg@10", value: 0.1 + 0.2)
        try run.save(3, 5, best: best)
        let resumed = try #require(try run.resume())
        expectSame(resumed.state, run.state(step: 5))
        let info = try run.info(best: best)
        #expect(resumed.name == "step-5" && resumed.notices.isEmpty)
        #expect(resumed.info.best == best)
        #expect(resumed.info.configuration.serialized() == info.configuration.serialized())
        #expect(resumed.info.dataFingerprints == info.dataFingerprints && resumed.info.versions == info.versions)
        #expect(resumed.info.epoch == 1 && resumed.info.stepsPerEpoch == 7)
        #expect(resumed.info.worldSize == 2 && resumed.info.globalBatchRows == 16)
    }

    /// What Python reads: the published names, float32, all tasks.
    @Test func holdsAPublishedAdapter() throws {
        try run.save(4)
        let file = try SafetensorsFile(path: run.file(4, "adapter_model.safetensors"))
        #expect(file.metadata == ["format": "pt"])
        let entry = try #require(file["base_model.model.model.language_model.layers.0.self_attn.q_proj.lora_A.code.weight"])
        #expect(entry.dtype == .f32 && entry.shape == [2, 8])
        #expect(file.entries.count == 2 * 2 * 8)  // tasks, factors, linears
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: run.file(4, "")).sorted()
                == ["MANIFEST.json", "adapter_config.json", "adapter_model.safetensors", "optimizer.safetensors", "state.json"])
    }

    /// Of a backbone that brings none, where late vectors are trained.
    @Test func keepsTheProjector() throws {
        try run.save(1)
        #expect(try run.resume()?.projector == nil)
        let projector = Projector(run.model, seed: 5)
        var store = try run.store()
        store.description.projector = projector
        _ = try store.save(run.state(step: 2), run.info())
        store.folder.close()
        let resumed = try #require(try run.resume()?.projector)
        #expect(resumed.weight.widened() == projector.weight.widened() && resumed.bias == projector.bias)
        try run.temporary.write("run/checkpoints/step-2/multi_vector_projector.safetensors", "")
        #expect(try run.resume()?.name == "step-1", "the manifest knows it")
    }

    @Test func keepsTheMemoryBank() throws {
        var run = run
        run.memoryBankSteps = 2
        try run.save(3)
        let file = try SafetensorsFile(path: run.file(3, "memory_bank.safetensors"))
        #expect(file.entries.count == 2 * 4 && file["code.1.dense"]?.shape == [3, 8] && file["code.0.anchors"]?.shape == [2, 16])
        let resumed = try #require(try run.resume()).state
        expectSame(resumed, run.state(step: 3))
        #expect(resumed.banks[1].steps.count == 2 && resumed.banks[0].steps.isEmpty)

        // What it is said to hold is all that it may hold.
        run.memoryBankSteps = 1
        let error = #expect(throws: UserError.self) { try read(run) }
        #expect(error?.code == .content && error?.description.contains("memory_bank.safetensors: holds \"code.1.anchors\"") == true)
    }

    @Test func withoutCheckpointsThereIsNothingToResume() throws {
        #expect(try run.resume() == nil)
    }

    /// Each checkpoint tells the hash of the one before, across a restart.
    @Test func formsAChain() throws {
        try run.save(1, 2, limit: 5)
        var store = try run.store(limit: 5)
        let resumed = try alone { try store.newest($0, run.setting()) }
        #expect(resumed?.name == "step-2")
        _ = try store.save(run.state(step: 3), run.info())
        for step in 1...3 {
            let previous = try JSONValue.parse(file: run.file(step, "state.json"))["previous_manifest"]?.stringValue
            let expected =
                step == 1 ? nil : SHA256.hex(SHA256.hash(of: try run.temporary.bytes("run/checkpoints/step-\(step - 1)/MANIFEST.json")))
            #expect(previous == expected)
        }
    }

    // MARK: - Limit and best

    @Test func keepsTheNewestAndTheBest() throws {
        try run.save(1, limit: 2)
        try run.save(2, 3, 4, 10, limit: 2, best: BestCheckpoint(name: "step-2", metric: "ndcg@10", value: 0.5))
        #expect(try run.checkpoints == ["step-10", "step-2", "step-4"])
    }

    @Test func theBestIsTheOlderOfEqualsAndAlwaysANumber() {
        let old = BestCheckpoint(name: "step-1", metric: "mrr@10", value: 0.5)
        let new = { BestCheckpoint(name: "step-2", metric: "mrr@10", value: $0) }
        #expect(BestCheckpoint.better(nil, old) == old)
        #expect(BestCheckpoint.better(old, new(0.5)) == old)
        #expect(BestCheckpoint.better(old, new(0.6))?.name == "step-2")
        #expect(BestCheckpoint.better(old, new(.nan)) == old)
        #expect(BestCheckpoint.better(nil, new(.nan)) == nil)
    }

    // MARK: - The same step again

    @Test func keepsAWholeCheckpointOfTheSameStep() throws {
        let inode = { try FileManager.default.attributesOfItem(atPath: run.file(3, "MANIFEST.json"))[.systemFileNumber] as? Int }
        try run.save(3)
        let before = try inode()
        try run.save(3)
        #expect(try inode() == before)
        #expect(try run.checkpoints == ["step-3"])
    }

    @Test func movesADamagedOrDifferentCheckpointOfTheSameStepAside() throws {
        try run.save(3)
        try Data().write(to: URL(fileURLWithPath: run.file(3, "state.json")))
        var store = try run.store()
        let saved = try store.save(run.state(step: 3), run.info())
        #expect(saved.notices.count == 1 && saved.notices[0].contains(".bad-step-3-"))
        var other = run.state(step: 3)
        other.adapters[0].values[0] += 1
        #expect(try store.save(other, run.info()).notices.count == 1)
        store.folder.close()
        expectSame(try #require(try run.resume()).state, other)
        #expect(try run.checkpoints.count == 3)
    }

    private func read(_ run: TinyRun) throws -> RunCheckpoint? {
        var store = try run.store()
        defer { store.folder.close() }
        return try store.read(run.setting())
    }
}
