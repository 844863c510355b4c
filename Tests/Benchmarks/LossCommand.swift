// The loss at a large pool, and how much of a step it would take. It sees embeddings only, so a step of a model with one thin
// layer has the same loss phase as one of the real model, and takes seconds instead of hours.

import ArgumentParser
import Comm
import Embedding
import Files
import Model
import Synthetic
import Tensor
import Trainer

struct LossCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loss", abstract: "Times the loss phase at a large pool of embeddings of width 2048.")

    @OptionGroup var checkpoint: CheckpointOptions

    @Option(help: ArgumentHelp("Pairs, each a row and a column of the pool.", valueName: "count"))
    var pool = 4096

    @Option(
        help: ArgumentHelp("Tokens a second of a step of the whole model. Default: measured on some of its 36 layers.", valueName: "number")
    )
    var rate: Double?

    func validate() throws {
        if pool < 1 { throw ValidationError("--pool is \(pool); it must be 1 at least") }
        if let rate, !(rate > 0) { throw ValidationError("--rate is \(rate); it must be above 0") }
    }

    func run() throws {
        let (peak, rate) = (MatrixPeak.measure(), try rate ?? measuredRate())
        let thin = SyntheticShape(layers: 1, hidden: 2048, intermediate: 64, heads: 16, keyValueHeads: 2, vocabulary: 8256)
        let model = try checkpoint.made(thin)
        let workload = Workload(model: model, data: try checkpoint.pairs(pool, .equal(8), checkpoint: model), pairs: pool)
        let step = try timed(workload, steps: 1).last!
        let seconds = step.metrics.seconds[.loss] ?? 0
        // Scores for the statistics; scores again and their sums for the gradient of anchors, and of candidates.
        let operations = 5 * 2 * Double(pool) * Double(pool) * 2048
        let tokens = SyntheticPairs.Lengths.meanTokensOfPair * Double(pool)
        let stepSeconds = tokens / rate

        print("\(Machine.summary)\n\(Figures.count(pool)) anchors × \(Figures.count(pool)) candidates of width 2,048, ", terminator: "")
        print("1 rank × \(Figures.count(Threads.count, "thread"))\n")
        var table = TextTable([.left, .right])
        table.add(["loss and its gradient", Figures.fixed(seconds, 2) + " s"])
        table.add(["products", Figures.fixed(operations / seconds * 1e-9, 1) + " GFLOP/s"])
        table.add(["of the peak", Figures.fixed(100 * operations / seconds / peak.operationsPerSecond, 1) + " %"])
        table.add(["a step of 36 layers, \(Figures.count(Int(tokens))) tokens", Figures.duration(stepSeconds)])
        table.add(["its share for the loss", Figures.fixed(100 * seconds / stepSeconds, 3) + " %"])
        print(table.text, terminator: "")
    }

    /// Tokens a second with 36 layers, if each takes as long as those of a smaller model do.
    private func measuredRate() throws -> Double {
        let model = try checkpoint.checkpoint(usualLayers: 2)
        let data = try checkpoint.pairs(1024, .logNormal, checkpoint: model)
        let setup = try TrainingSetup.load(.alone(), try Workload(model: model, data: data, pairs: 8).config())
        let steps = try TimedStep.run(setup, .alone(), batches: setup.sampler.firstBatches(4)).dropFirst()
        return Stopwatch.median(steps.map(\.tokensPerSecond)) * Double(setup.session.checkpoint.layers.count) / 36
    }

    /// One step that does not count, and `steps` that do.
    private func timed(_ workload: Workload, steps: Int) throws -> [TimedStep] {
        let setup = try TrainingSetup.load(.alone(), try workload.config())
        return try TimedStep.run(setup, .alone(), batches: setup.sampler.firstBatches(1 + steps))
    }
}
