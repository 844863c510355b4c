// Which projector a run begins with: none of its own where the backbone brings one or the loss compares single vectors.

import Model
import Support
import Testing

@testable import Trainer

@Suite struct AdapterStartTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func checkpoint(hasProjector: Bool) throws -> Checkpoint {
        let path = folder.path(hasProjector ? "whole" : "plain")
        try TinyCheckpoint().changing { tensors in
            if !hasProjector { tensors.removeAll { $0.name.hasPrefix("multi_vector_projector") } }
        }.write(to: path)
        return try Checkpoint.read(folder: path)
    }

    private func values(_ projector: Projector?) -> [Float]? { projector.map { $0.weight.widened() + $0.bias } }

    @Test(arguments: [EmbeddingHeads.late, .both]) func aRandomOneWhereThereIsNone(heads: EmbeddingHeads) throws {
        let plain = try checkpoint(hasProjector: false)
        let start = try AdapterStart(decode(requiredSettings, set: "training.seed=7"), plain, heads: heads)
        #expect(values(start.projector) == values(Projector(plain.config, seed: 7)))
        #expect(start.projectorIsRandom)
        let dense = try AdapterStart(decode(requiredSettings), plain, heads: .dense)
        #expect(dense.projector == nil && !dense.projectorIsRandom)
        let whole = try AdapterStart(decode(requiredSettings), checkpoint(hasProjector: true), heads: heads)
        #expect(whole.projector == nil && !whole.projectorIsRandom)
    }

    @Test func thatOfTheAdaptersThatAreContinued() throws {
        let plain = try checkpoint(hasProjector: false)
        let adapter = Adapter(
            task: "code", layout: AdapterLayout(plain.config, rank: 32, alpha: 32) { _ in true }, seed: 1, .gaussian)
        let projector = Projector(plain.config, seed: 99)
        try AdapterFile.writePublished(
            [adapter], .init(dropout: 0.1, initialization: .gaussian, base: "m", projector: projector), as: .float32,
            to: folder.path("first"))
        let config = try decode(requiredSettings, set: "lora.start_from=\(folder.path("first"))")
        let start = try AdapterStart(config, plain, heads: .late)
        #expect(values(start.projector) == values(projector) && start.notices.isEmpty)
        let dense = try AdapterStart(config, plain, heads: .dense)
        #expect(dense.projector == nil && dense.fingerprint != start.fingerprint, "hosts compare it, too")
        let whole = try checkpoint(hasProjector: true)
        expectUserError(.configuration, "has one of its own") { _ = try AdapterStart(config, whole, heads: .late) }
    }
}
