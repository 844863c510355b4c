// Every objective against PyTorch: the loss phase on given embeddings, and the whole step through the tiny models.

import Comm
import Model
import Support
import Tensor
import Testing

@testable import Data
@testable import Loss
@testable import Project
@testable import Trainer

@Suite struct ObjectiveParityTests {
    @Test(arguments: try GoldenObjective.all(.embeddings))
    func valueAndGradientEqualTheReference(_ golden: GoldenObjective) throws {
        let given = try GoldenPool(golden)
        let pool = try given.pool()
        let result = try given.objective.run(given.plan, pool, Communicator.alone())
        #expect(abs(result.value - golden.value) <= 1e-5 * max(golden.value, 0.1), "\(result.value), expected \(golden.value)")
        let inDouble = try given.objective.inDouble(given.plan, pool)
        #expect(abs(inDouble - golden.value) <= 2e-6 * max(golden.value, 0.1), "\(inDouble) in Double, expected \(golden.value)")

        let expected = try golden.gradient()
        let found = given.byInput(result.gradient)
        let isEuclidean = given.objective.heads.heads.distance == .euclidean
        #expect(given.difference(found.dense, expected.dense, alongCounts: !isEuclidean) < 1e-4)
        #expect(difference(found.late, expected.late) < 1e-4)
    }

    /// Every rank makes its own statistics and gradients with the bits that one rank alone makes.
    @Test(
        arguments: try GoldenObjective.all(.embeddings).filter { try $0.contrasts && $0.number("loss.distill_weight") == 0 })
    func ranksComputeTheSameBits(_ golden: GoldenObjective) throws {
        let one = try GoldenPool(golden).computedByRanks(1)
        for worldSize in [2, 3, 7] {
            let many = try GoldenPool(golden, worldSize: worldSize).computedByRanks(worldSize)
            expectSameElements(many.lines, one.lines, "lines of \(worldSize) ranks")
            expectSameBits(many.dense.flatMap { $0 }, one.dense.flatMap { $0 }, "dense gradient of \(worldSize) ranks")
            expectSameBits(many.late.flatMap { $0 }, one.late.flatMap { $0 }, "late gradient of \(worldSize) ranks")
        }
    }

    @Test(arguments: try GoldenObjective.all(.flatBFloat16, .nestedFloat32, .pictures2, .pictures3))
    func everyFactorsGradientEqualsTheReference(_ golden: GoldenObjective) throws {
        let reference = try #require(golden.layer.model)
        let checkpoint = try reference.checkpoint()
        let layout = try reference.layout(checkpoint.config)
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 64)
        let adapter = try reference.adapter(layout).loaded(for: model.engine)
        let given = try GoldenPool(golden)

        let inputs = try golden.sequences(checkpoint, model.engine)
        let tokens = PackedTokens(given.plan.inputs.map { inputs[golden.batch.input(of: $0)] })
        let (embeddings, kept) = model.forward(tokens, adapter, dropout: 0, heads: given.objective.heads.embeddingHeads)
        let pool = EmbeddingPool(embeddings, own: embeddings, given.plan, given.objective.heads.heads, rank: 0, worldSize: 1)
        let result = try given.objective.run(given.plan, pool, Communicator.alone())
        #expect(abs(result.value / golden.value - 1) < 1e-5)

        let gradient = AdapterGradient(layout: layout)
        gradient.sum.reset(parts: 1)
        model.backward(kept, result.gradient, into: gradient)
        let (found, expected) = (gradient.sum.rounded(layout.count), try golden.gradient(layout))
        for factor in layout.factors {
            let (found, expected) = (Array(found[factor.range]), Array(expected[factor.range]))
            #expect(difference(found, expected) < 1e-4, "\(factor.name)")
        }
    }
}

extension GoldenObjective {
    /// The decoder's inputs: of images what the tower makes of their patches.
    fileprivate func sequences(_ checkpoint: Checkpoint, _ engine: MatrixEngine) throws -> [TokenSequence] {
        let segments = try batch.segments()
        guard layer.hasImages else { return segments.map { TokenSequence(text: $0) } }
        let tokens = checkpoint.config.specialTokens
        let markers = ImageMarkers(image: Int32(tokens.image!), start: Int32(tokens.visionStart!), end: Int32(tokens.visionEnd!))
        let features = VisionTower(try #require(checkpoint.vision), engine).features(
            try GoldenImages(model: #require(layer.model)).patches())
        return zip(segments, try batch.images()).map { ids, images in
            images.isEmpty ? TokenSequence(text: ids) : TokenSequence(ids, images: images.map { features[$0] }, markers)
        }
    }
}

/// ‖found - expected‖ / ‖expected‖; 0 where there is nothing and should be nothing.
private func difference(_ found: [Float], _ expected: [Float]) -> Double {
    found.allSatisfy { $0 == 0 } && expected.allSatisfy { $0 == 0 } ? 0 : relativeDifference(found, expected)
}

/// A golden batch as the loss phase takes it.
private struct GoldenPool {
    let objective: Objective
    let plan: StepPlan
    private let golden: GoldenObjective
    private let vectors: GoldenVectors
    private let worldSize: Int

    init(_ golden: GoldenObjective, worldSize: Int = 1) throws {
        self.golden = golden
        self.worldSize = worldSize
        vectors = try golden.batch.vectors()
        objective = try Objective(golden, dimension: vectors.width)
        plan = StepPlan(
            try golden.batch.summaries(), batch: Array(golden.batch.anchors.indices),
            prompts: PromptNumbers(anchor: { _, _ in 0 }, candidate: { _, _ in 0 }),
            masksDuplicates: try golden.setting("loss.mask_duplicates").boolValue!, chunkTokens: 6, worldSize: worldSize,
            cost: InputCost(perToken: 100, perTokenSquared: 1))
    }

    func pool() throws -> EmbeddingPool {
        let all = embeddings(plan.inputs.indices)
        return EmbeddingPool(all, own: all, plan, objective.heads.heads, rank: 0, worldSize: 1)
    }

    /// Of planned inputs, one after the other.
    private func embeddings(_ inputs: some Sequence<Int>) -> Embeddings {
        let numbers = inputs.map { golden.batch.input(of: plan.inputs[$0]) }
        let (dense, late) = (numbers.flatMap { vectors.dense($0) }, numbers.flatMap { vectors.late($0) })
        let heads = objective.heads.embeddingHeads
        return Embeddings(
            dense: heads.hasDense ? Tensor(dense, rows: numbers.count, columns: vectors.width) : nil,
            late: heads.hasLate ? Tensor(late, rows: late.count / vectors.lateWidth, columns: vectors.lateWidth) : nil)
    }

    /// Gradients of planned inputs, by the golden file's numbers.
    func byInput(_ gradient: Embeddings) -> (dense: [Float], late: [Float]) {
        var dense = [Float](repeating: 0, count: vectors.dense.count)
        var late = [Float](repeating: 0, count: vectors.late.count)
        var row = 0
        for (place, planned) in plan.inputs.enumerated() {
            let input = golden.batch.input(of: planned)
            for d in 0..<(gradient.dense == nil ? 0 : vectors.width) {
                dense[input * vectors.width + d] = gradient.dense!.floats[place * vectors.width + d]
            }
            let count = vectors.late(input).count
            for d in 0..<(gradient.late == nil ? 0 : count) {
                late[vectors.offsets[input] * vectors.lateWidth + d] = gradient.late!.floats[row + d]
            }
            row += count
        }
        return (dense, late)
    }

    /// Relative difference of two gradients of dense vectors.
    ///
    /// - Parameter alongCounts: false: what lies along a vector is left out; no unit vector can move that way, and formulas that
    ///   agree on unit vectors may differ in it
    func difference(_ found: [Float], _ expected: [Float], alongCounts: Bool) -> Double {
        guard !alongCounts else { return ParityTests.difference(found, expected) }
        func across(_ values: [Float]) -> [Float] {
            (0..<vectors.inputs).flatMap { input -> [Float] in
                let (unit, own) = (Array(vectors.dense(input)), Array(values[input * vectors.width..<(input + 1) * vectors.width]))
                let along = zip(unit, own).reduce(0) { $0 + $1.0 * $1.1 }
                return zip(unit, own).map { $1 - along * $0 }
            }
        }
        return ParityTests.difference(across(found), across(expected))
    }

    /// Statistics of all rows, and the gradient of every input, each from the rank that has it.
    func computedByRanks(_ worldSize: Int) throws -> (lines: [LineStatistics], dense: [[Float]], late: [[Float]]) {
        let owned = (0..<worldSize).map { plan.inputs(ofRank: $0) }
        let all = embeddings(owned.joined())
        let pools = owned.indices.map {
            EmbeddingPool(all, own: embeddings(owned[$0]), plan, objective.heads.heads, rank: $0, worldSize: worldSize)
        }
        let pairs = plan.anchors.indices.map { ScoredPair(row: $0, column: $0) }
        let scorer = pools.map { PairScores(pairs: pairs, plan: plan, pool: $0) }
        let rows = plan.rows(worldSize: worldSize)
        let positives = try ordered(try scorer.map { try $0.ownScores() }, rows)
        guard case .contrastive(let loss) = objective.ungraded else { preconditionFailure("no contrastive loss") }
        let shares = pools.map {
            ContrastiveScores(loss: loss, batch: LossBatch(objective.heads, plan, $0, Communicator.alone()), positives: positives)
        }
        let lines = try ordered(try zip(shares, rows).map { try $0.statistics(ofRows: $1).map(\.0) }, rows)
        let byPositive = plan.rowsByPositive(worldSize: worldSize)
        let columns =
            loss.isSymmetric ? try ordered(try zip(shares, byPositive).map { try $0.statistics(ofColumns: $1) }, byPositive) : []
        var (dense, late) = ([[Float]](repeating: [], count: plan.inputs.count), [[Float]](repeating: [], count: plan.inputs.count))
        for (share, inputs) in zip(shares, owned) {
            let gradient = share.pool.zeroGradient()
            try share.addGradient(ContrastiveScores.Lines(share, rows: lines, columns: columns), to: gradient)
            for (place, input) in inputs.enumerated() {
                if let rows = gradient.dense { dense[input] = rows.rows(place..<place + 1).values }
                if let rows = gradient.late { late[input] = rows.rows(share.pool.ownRows.tokens[place]).values }
            }
        }
        return (lines, dense, late)
    }

    private func ordered<Line>(_ byRank: [[Line]], _ places: [[Int]]) throws -> [Line] {
        let pairs = zip(byRank, places).flatMap { zip($1, $0) }
        return pairs.sorted { $0.0 < $1.0 }.map(\.1)
    }
}

extension Objective {
    /// The objective of a configuration with the golden settings; late interaction alone is the joint loss with one weight.
    fileprivate init(_ golden: GoldenObjective, dimension: Int) throws {
        var settings = golden.given.entries.map { "\($0.key)=\(String(decoding: $0.value.serialized(pretty: false), as: UTF8.self))" }
        if try golden.setting("loss.name").stringValue == "late" {
            settings.removeAll { $0.hasPrefix("loss.name=") }
            settings += ["loss.name=joint", "loss.dense_weight=0", "loss.kl_weight=0"]
        }
        let yaml = "{base_model_path: m, data: {train: t.jsonl}, training: {output_dir: o}}"
        self.init(try ProjectConfig.decode(yaml: Array(yaml.utf8), path: "golden.yaml", overrides: settings).loss, dimension: dimension)
    }
}
