// Whether time grows as the tokens do: the same texts, more and more of them in a step.

import ArgumentParser
import Comm
import Embedding
import Files
import Model
import Synthetic
import Tensor
import Trainer

struct LinearityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "linearity", abstract: "Times steps of more and more tokens.",
        discussion: "Texts of 125 tokens, so that attention costs the same for each token.")

    @OptionGroup var checkpoint: CheckpointOptions

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Tokens of a step, multiples of 250.", valueName: "count"))
    var tokens = [500, 1000, 2000, 4000, 8000, 16000]

    func validate() throws {
        if let wrong = tokens.first(where: { $0 < 250 || $0 % 250 != 0 }) {
            throw ValidationError("--tokens has \(wrong); a pair has 250 tokens, so give multiples of 250")
        }
    }

    func run() throws {
        let (world, peak) = (Communicator.alone(), MatrixPeak.measure())
        let model = try checkpoint.checkpoint(usualLayers: 2)
        let most = tokens.max()! / 250
        let data = try checkpoint.pairs(most, .equal(125), checkpoint: model)
        let setup = try TrainingSetup.load(world, try Workload(model: model, data: data, pairs: most).config())
        print("\(Machine.summary)\n\(model), \(setup.session.model.engine.kind.rawValue), \(Figures.count(Threads.count, "thread"))\n")
        var table = TextTable([.right, .right, .right, .right, .right])
        table.add(["tokens", "seconds", "ms a token", "tokens/s", "of the peak"])
        for tokens in tokens {
            // One step that does not count, then about 4,000 tokens that do.
            let batch = Array(0..<tokens / 250)
            let timed = try TimedStep.run(setup, world, batches: repeatElement(batch, count: 1 + max(1, 4000 / tokens))).dropFirst()
            let seconds = Stopwatch.median(timed.map(\.seconds))
            let rate = Double(tokens) / seconds
            let share = rate * setup.session.checkpoint.operationsPerToken / peak.operationsPerSecond
            table.add([
                Figures.count(tokens), Figures.fixed(seconds, 3), Figures.fixed(1e3 / rate, 3), Figures.fixed(rate, 1),
                Figures.fixed(100 * share, 1) + " %",
            ])
        }
        print(table.text, terminator: "")
    }
}
