// A run that is too small to train and whole in all else: a model's configuration, two tasks, one of them trained.

import Comm
import Files
import Foundation
import Model
import Support
import Tensor
import Testing

@testable import Data
@testable import Trainer

struct TinyRun {
    let temporary: TemporaryFolder
    let model: ModelConfig
    let layout: AdapterLayout
    let tasks = ["retrieval", "code"]
    let optimizer = AdamW.Configuration(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01)
    let description = AdapterFile.Description(dropout: 0.1, initialization: .gaussian, base: "model")
    let data = ["train.jsonl": "12 abc"]
    /// Steps whose candidates its checkpoints hold.
    var memoryBankSteps = 0

    init() throws {
        temporary = try TemporaryFolder()
        try temporary.write(
            "config.json",
            """
            {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 12,
             "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "rope_scaling": {"type": "mrope", "mrope_section": [1, 0, 1]},
             "max_position_embeddings": 64, "vocab_size": 32, "hidden_act": "silu", "task_names": ["retrieval", "code"],
             "matryoshka_dims": [8], "multi_vector_projector_dim": 4}
            """)
        model = try ModelConfig.read(folder: temporary.path)
        layout = AdapterLayout(model, rank: 2, alpha: 4) { _ in true }
    }

    var path: String { temporary.path("run") }

    func store(limit: Int = 2, operations: FileOperations = .system) throws -> CheckpointStore {
        CheckpointStore(try RunFolder(path, resuming: true), limit: limit, adapters: description, operations: operations)
    }

    /// Every number of it tells its step.
    func state(step: Int) -> TrainingState {
        let stream = RandomStream(UInt64(step))
        func values(_ name: String, _ count: Int) -> [Float] {
            let stream = stream.stream(name)
            return (0..<count).map { Float(stream.gaussian(at: $0)) }
        }
        var state = TrainingState(adapters: tasks.map { Adapter(task: $0, layout: layout, values: values($0, layout.count)) })
        var moments = AdamW(optimizer, count: layout.decoderCount)
        moments.steps = step - 1
        moments.firstMoment = values("first", layout.decoderCount)
        moments.secondMoment = values("second", layout.decoderCount)
        state.optimizers[1] = moments
        state.banks[1].steps = (0..<memoryBankSteps).map { bankStep($0, values) }
        state.step = step
        return state
    }

    /// Two positives and a hard negative, of 1, 2 and 3 tokens.
    private func bankStep(_ number: Int, _ values: (String, Int) -> [Float]) -> MemoryBank.Step {
        let hashes = ["p", "q", "n", "a", "b"].flatMap { ContentHash(of: Array("\($0)\(number)".utf8)).bytes }
        return MemoryBank.Step(
            contentBytes: Array(hashes[..<48]), anchorBytes: Array(hashes[48...]), tokens: [1, 2, 3],
            Embeddings(dense: Tensor(values("bank \(number)", 24), rows: 3, columns: 8)))
    }

    func info(best: BestCheckpoint? = nil, _ settings: String = "", worldSize: Int = 2) throws -> CheckpointInfo {
        let config = try decode(requiredSettings + settings)
        return CheckpointInfo(
            epoch: 1, worldSize: worldSize, globalBatchRows: config.training.batch.globalRows(worldSize: worldSize), stepsPerEpoch: 7,
            dataFingerprints: data, configuration: config.resolved(), best: best, versions: ["shoal": "1"])
    }

    func setting(_ settings: String = "", worldSize: Int = 2, data: [String: String]? = nil) throws -> ResumeSetting {
        let rule = ResumeRule(config: try decode(requiredSettings + settings), worldSize: worldSize, dataFingerprints: data ?? self.data)
        return ResumeSetting(
            model: model, layout: layout, tasks: tasks, heads: .dense, memoryBankSteps: memoryBankSteps, optimizer: optimizer,
            rule: rule)
    }

    /// As a starting run does.
    func resume(_ setting: ResumeSetting? = nil) throws -> RunCheckpoint? {
        var store = try store()
        defer { store.folder.close() }
        let setting = try setting ?? self.setting()
        return try alone { try store.newest($0, setting) }
    }

    func save(_ steps: Int..., limit: Int = 2, best: BestCheckpoint? = nil, settings: String = "") throws {
        var store = try store(limit: limit)
        defer { store.folder.close() }
        for step in steps { _ = try store.save(state(step: step), info(best: best, settings)) }
    }

    var checkpoints: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path + "/checkpoints").sorted() }
    }

    func file(_ step: Int, _ name: String) -> String { "\(path)/checkpoints/step-\(step)/\(name)" }
}

/// Runs `body` in a world of one and gives its result.
func alone<Result>(_ body: (Communicator) throws -> Result) throws -> Result {
    var result: Swift.Result<Result, any Error>?
    let code = World.run { world in
        result = .init { try body(world) }
        return 0
    }
    #expect(code == 0)
    return try #require(result).get()
}

/// Fails unless both are the same to the bit.
func expectSame(_ a: TrainingState, _ b: TrainingState) {
    func bits(_ values: [Float]) -> String { SHA256.hex(SHA256.hash(of: values.withUnsafeBytes { Array($0) })) }
    #expect(a.step == b.step)
    #expect(a.adapters.map(\.task) == b.adapters.map(\.task))
    #expect(a.adapters.map { bits($0.values) } == b.adapters.map { bits($0.values) })
    #expect(a.optimizers.map { $0?.steps } == b.optimizers.map { $0?.steps })
    #expect(a.optimizers.map { bits($0?.firstMoment ?? []) } == b.optimizers.map { bits($0?.firstMoment ?? []) })
    #expect(a.banks.map(\.contents) == b.banks.map(\.contents))
    #expect(a.banks.map { $0.embeddings.map(\.owners.tokenCounts) } == b.banks.map { $0.embeddings.map(\.owners.tokenCounts) })
    #expect(
        a.banks.map { $0.embeddings.map { bits($0.rows.dense!.values) } }
            == b.banks.map { $0.embeddings.map { bits($0.rows.dense!.values) } })
    #expect(a.optimizers.map { bits($0?.secondMoment ?? []) } == b.optimizers.map { bits($0?.secondMoment ?? []) })
}
