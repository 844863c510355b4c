// The whole step against PyTorch, transformers and PEFT: files, tokenizer, plan, model, loss, clipping and AdamW, in a world
// of one. Token ids of the golden batch are spelled as texts (see NumberedTokens).

import Comm
import Files
import Model
import Support
import Tensor
import Testing

@testable import Data
@testable import Loss
@testable import Trainer

@Suite(.serialized) struct TrainingStepParityTests {
    @Test(arguments: GoldenModel.all) func tenUpdatesEqualTheReference(_ golden: GoldenModel) throws {
        let run = try GoldenRun(golden, rows: .plain)
        var state = run.state
        let (losses, norms) = try (golden.doubles("training", "losses"), golden.doubles("training", "gradient_norms"))
        let rates = try golden.doubles("training", "learning_rates")
        for step in 0..<10 {
            let metrics = try run.step.run(run.batch, &state)
            #expect(abs(metrics.loss - losses[step]) < 1e-4, "step \(step + 1): loss \(metrics.loss), expected \(losses[step])")
            #expect(abs(metrics.gradientNorm / norms[step] - 1) < 1e-4, "step \(step + 1): norm \(metrics.gradientNorm)")
            #expect(abs(metrics.learningRate - rates[step]) < 1e-12)
            #expect(metrics.rows == 5 && metrics.candidates == 9 && metrics.inputs == 14 && metrics.tokens == 195)
            #expect(metrics.maskedPairs == 0)
        }
        let final = try run.step.lossInDouble(run.batch, state)
        #expect(abs(final - (try golden.doubles("training", "final_loss")[0])) < 1e-4)
        let (trained, expected) = (state.adapters[run.task], try golden.adapter(run.layout, "trained."))
        for factor in run.layout.factors where factor.range.upperBound <= run.layout.decoderCount {
            let difference = relativeDifference(Array(trained.values[factor.range]), Array(expected.values[factor.range]))
            #expect(difference < 1e-4, "\(factor.name): \(difference)")
        }
    }

    @Test(arguments: GoldenModel.all) func onlyTheTasksDecoderFactorsChange(_ golden: GoldenModel) throws {
        let run = try GoldenRun(golden, rows: .plain)
        var state = run.state
        for _ in 0..<2 { _ = try run.step.run(run.batch, &state) }
        for task in state.adapters.indices where task != run.task {
            expectSameBits(state.adapters[task].values, run.state.adapters[task].values, state.adapters[task].task)
            #expect(state.optimizers[task] == nil)
        }
        let (before, after) = (run.state.adapters[run.task].values, state.adapters[run.task].values)
        let projector = run.layout.decoderCount..<run.layout.count
        #expect(!projector.isEmpty)
        expectSameBits(Array(after[projector]), Array(before[projector]), "projector")
        for factor in run.layout.factors where !projector.overlaps(factor.range) {
            #expect(before[factor.range] != after[factor.range], "\(factor.name)")
        }
    }

    @Test(arguments: GoldenModel.all) func lossAndGradientEqualTheReference(_ golden: GoldenModel) throws {
        let run = try GoldenRun(golden, rows: .plain)
        let found = try run.step.gradient(run.batch, run.state)
        let (loss, gradient) = (found.loss, found.values)
        let expectedLoss = try golden.doubles("batch", "loss")[0]
        #expect(abs(loss - expectedLoss) < 1e-5)
        #expect(abs(try run.step.lossInDouble(run.batch, run.state) - expectedLoss) < 1e-5)
        #expect(gradient.count == run.layout.decoderCount)
        let expected = try golden.adapter(run.layout, "gradient.").values
        for factor in run.layout.factors where factor.range.upperBound <= run.layout.decoderCount {
            let difference = relativeDifference(Array(gradient[factor.range]), Array(expected[factor.range]))
            #expect(difference < 1e-4, "\(factor.name): \(difference)")
        }
    }

    /// Row 3 has the positive of row 1, and a negative is the positive of row 0.
    @Test(arguments: GoldenModel.all, ["masked", "unmasked"]) func duplicatesEqualTheReference(_ golden: GoldenModel, kind: String) throws {
        var run = try GoldenRun(golden, rows: .duplicates)
        run.step.shards.configuration.masksDuplicates = kind == "masked"
        let plan = run.step.shards.plan(run.batch, step: 1)
        #expect(plan.maskedPairs == (kind == "masked" ? 3 : 0) && plan.candidates.count == 9 && plan.inputs.count == 12)
        let loss = try run.step.gradient(run.batch, run.state).loss
        #expect(abs(loss - (try golden.doubles("duplicates", kind, "loss")[0])) < 1e-5)

        let expected = try golden.tensor("duplicates.\(kind).embedding_gradient")
        #expect(relativeDifference(try run.embeddingGradient(plan), expected) < 1e-4)
    }
}

/// A golden model with its batch as a training file.
private struct GoldenRun {
    enum Rows { case plain, duplicates }

    var step: TrainingStep
    let layout: AdapterLayout
    let state: TrainingState
    let task: Int
    let batch = Array(0..<5)
    private let segments: [[Int32]]
    /// Holds the training file.
    private let folder: TemporaryFolder

    init(_ golden: GoldenModel, rows: Rows) throws {
        folder = try TemporaryFolder()
        segments = try golden.segments()
        let checkpoint = try golden.checkpoint()
        let tasks = checkpoint.config.taskNames
        layout = try golden.layout(checkpoint.config)
        task = try #require(tasks.firstIndex(of: "retrieval"))
        let source = try Self.source(golden, rows, segments, folder, checkpoint.config)
        var notices: [String] = []
        let index = try TrainingData.find(source, .alone(), nil).index(notices: &notices) { _, _, _ in }
        #expect(index.count == 5 && index.truncated == 0 && index.droppedNegatives == 0)
        let engine = MatrixEngine(.float32)
        step = TrainingStep(
            .alone(), JinaEmbeddingsV4(checkpoint, engine, maxTokens: 64), source, index, layout: layout,
            Self.shards, try Self.configuration(golden, hidden: checkpoint.config.text.hiddenSize))
        let layout = layout
        state = TrainingState(
            adapters: try tasks.map {
                $0 == "retrieval" ? try golden.adapter(layout) : Adapter(task: $0, layout: layout, seed: 1, .gaussian)
            })
    }

    /// The loss's gradient by segment of the golden file, zero where a segment is not used.
    func embeddingGradient(_ plan: StepPlan) throws -> [Float] {
        let texts = try plan.inputs.map { try step.shards.index.tokens(ofRow: $0.row, $0.text) }
        let embeddings = step.shards.model.embed(
            PackedTokens(texts), state.adapters[task].loaded(for: step.shards.model.engine), heads: .dense)
        let objective = step.configuration.objective
        let pool = EmbeddingPool(embeddings, own: embeddings, plan, objective.heads.heads, rank: 0, worldSize: 1)
        let gradient = try objective.run(plan, pool, Communicator.alone()).gradient.dense!
        let width = gradient.columns
        var bySegment = [Float](repeating: 0, count: segments.count * width)
        for (place, input) in plan.inputs(ofRank: 0).enumerated() {
            let segment = try #require(segments.firstIndex(of: texts[input]))
            for d in 0..<width { bySegment[segment * width + d] = gradient.floats[place * width + d] }
        }
        return bySegment
    }

    private static func source(
        _ golden: GoldenModel, _ rows: Rows, _ segments: [[Int32]], _ folder: TemporaryFolder, _ config: ModelConfig
    ) throws -> TrainingSource {
        let list = rows == .plain ? "batch" : "duplicates"
        let (anchors, owners) = try (golden.integers("batch", "anchors"), golden.integers("batch", "negative_rows"))
        let (positives, negatives) = try (golden.integers(list, "positives"), golden.integers(list, "negatives"))
        let lines = anchors.indices.map { row -> String in
            let own = zip(negatives, owners).filter { $0.1 == row }.map { JSONValue.string(NumberedTokens.text(segments[$0.0])) }
            let value: JSONValue = [
                "query": .string(NumberedTokens.text(segments[anchors[row]])),
                "positive": .string(NumberedTokens.text(segments[positives[row]])), "negatives": .array(own),
            ]
            return String(decoding: value.serialized(pretty: false), as: UTF8.self) + "\n"
        }
        let path = try folder.write("rows.jsonl", lines.joined())
        let tokenizer = try Tokenizer(path: NumberedTokens.writeTokenizer(count: config.text.vocabularySize, to: folder.path))
        return TrainingSource(
            files: [(path, "retrieval")], taskNames: config.taskNames,
            processor: TextProcessor(tokenizer, maxTokens: 64), version: "test"
        ) { _, _ in ("", "") }
    }

    private static let shards = ShardEmbedder.Configuration(
        heads: .dense, masksDuplicates: true, poolLimit: nil, dropout: 0, seed: 1, chunkTokens: 48, microbatchTokens: 96,
        activations: ActivationPolicy(
            .keep, budget: 0, ActivationFootprint(everything: 1, layerInputs: 1, layer: 1, working: 1, workspace: 0)))

    private static func configuration(_ golden: GoldenModel, hidden: Int) throws -> TrainingStep.Configuration {
        func number(_ key: String) throws -> Double { try golden.doubles("training", key)[0] }
        var loss = ContrastiveLoss()
        loss.temperature = try golden.doubles("temperature")[0]
        return TrainingStep.Configuration(
            objective: Objective(
                WeightedHeads(ScoreHeads(dimension: hidden, widths: [hidden], hasLate: false)), .contrastive(loss)),
            streamsPool: false, reduction: .exact, maximumGradientNorm: try number("max_grad_norm"),
            optimizer: AdamW.Configuration(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: try number("weight_decay")),
            schedule: LearningRateSchedule(
                peak: try number("learning_rate"), decay: .linear, warmupSteps: Int(try number("warmup_steps")),
                totalSteps: Int(try number("max_steps"))))
    }
}
