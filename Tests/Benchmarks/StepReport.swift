// The figures of a timed run of steps, for people and for programs.

import Comm
import Embedding
import Files
import Model
import Project
import Tensor
import Trainer

struct StepReport {
    private let setup: TrainingSetup
    /// The first one of all.
    private let first: TimedStep
    /// Those that count: of each batch, its repetitions.
    private let timed: [[TimedStep]]
    private let memory: [ProcessMemory]
    private let modes: MachineModes

    /// - Parameter peaks: operations a second, measured between the steps
    init(_ setup: TrainingSetup, first: TimedStep, _ timed: [[TimedStep]], _ memory: [ProcessMemory], peaks: [Double]) {
        self.setup = setup
        self.first = first
        self.timed = timed
        self.memory = memory
        modes = MachineModes([peaks])
    }

    /// Which of the repetitions of a batch speaks for it.
    private enum Statistic {
        case best
        case median

        func callAsFunction(_ values: [Double]) -> Double { self == .best ? values.min()! : Stopwatch.median(values) }
    }

    /// Of a step: the mean over the batches.
    private func mean(_ statistic: Statistic, of seconds: (TimedStep) -> Double) -> Double {
        timed.reduce(0) { $0 + statistic($1.map(seconds)) } / Double(timed.count)
    }

    private func tokensPerSecond(_ statistic: Statistic) -> Double {
        let tokens = timed.reduce(0) { $0 + $1[0].metrics.tokens }
        return Double(tokens) / Double(timed.count) / mean(statistic, of: \.seconds)
    }

    private func operationsPerSecond(_ statistic: Statistic) -> Double {
        tokensPerSecond(statistic) * setup.session.checkpoint.operationsPerToken
    }

    /// In the order of the step; what is left over is the adapter's copy, the gradient's norm and the vote.
    private var phases: [(name: String, seconds: (TimedStep) -> Double)] {
        let counted = Phase.allCases.map { phase in (phase.rawValue, { (step: TimedStep) in step.metrics.seconds[phase] ?? 0 }) }
        return [("plan", \.planSeconds)] + counted + [("other", { $0.seconds - $0.planSeconds - $0.metrics.totalSeconds })]
    }

    var text: String {
        let (config, engine) = (setup.session.checkpoint.config.text, setup.session.model.engine.kind.rawValue)
        let (ranks, layers) = (Figures.count(setup.world.worldSize, "rank"), Figures.count(config.layers, "layer"))
        var text = Machine.summary + "\n"
        text += "\(setup.config.baseModelPath): \(layers) of width \(config.hiddenSize), \(engine)\n"
        text += "\(ranks) × \(Figures.count(Threads.count, "thread")), \(Figures.count(setup.globalRows, "pair")) a step, "
        text += "\(Figures.count(timed.count, "step")), \(Figures.count(timed[0].count, "repetition")) of each\n\n" + phaseTable.text + "\n"
        text += line("best", .best, peak: modes.best) + line("median", .median, peak: modes.median)
        return text + "loss of the first step \(Figures.fixed(first.metrics.loss, 4))\n\n\(memoryTable.text)\n\(modes.text)"
    }

    private func line(_ name: String, _ statistic: Statistic, peak: Double) -> String {
        let operations = operationsPerSecond(statistic)
        return [
            "\(name): \(Figures.fixed(tokensPerSecond(statistic), 1)) tokens/s", "\(Figures.fixed(operations * 1e-9, 1)) GFLOP/s",
            "\(Figures.fixed(100 * operations / peak, 1)) % of the \(name) peak, \(Figures.fixed(peak * 1e-9, 1)) GFLOP/s\n",
        ].joined(separator: " · ")
    }

    private var phaseTable: TextTable {
        var table = TextTable([.left, .right, .right, .right])
        let step = mean(.median, of: \.seconds)
        table.add(["seconds of a step", "best", "median", "share"])
        for (name, seconds) in phases {
            let median = mean(.median, of: seconds)
            table.add([
                name, Figures.fixed(mean(.best, of: seconds), 4), Figures.fixed(median, 4), Figures.fixed(100 * median / step, 1) + " %",
            ])
        }
        table.add(["step", Figures.fixed(mean(.best, of: \.seconds), 4), Figures.fixed(step, 4), ""])
        return table
    }

    private var memoryTable: TextTable {
        var table = TextTable([.left, .right, .right, .right, .right])
        table.add(["memory", "peak resident", "anonymous", "mapped", "PSS"])
        for (rank, memory) in memory.enumerated() {
            table.add(["rank \(rank)"] + [memory.peak, memory.anonymous, memory.mapped, memory.proportional].map(gigabytes))
        }
        if memory.count > 1 { table.add(["all ranks", "", "", "", gigabytes(memory.reduce(0) { $0 + $1.proportional })]) }
        return table
    }

    private func gigabytes(_ bytes: Int) -> String { Figures.fixed(Double(bytes) * 1e-9, 2) + " GB" }

    var json: JSONValue {
        var (json, seconds) = (Machine.json, JSONObject())
        for (name, of) in phases { seconds[name] = both { mean($0, of: of) } }
        json["engine"] = .string(setup.session.model.engine.kind.rawValue)
        json["ranks"] = .integer(Int64(setup.world.worldSize))
        json["threads"] = .integer(Int64(Threads.count))
        json["tokens"] = .array(timed.map { .integer(Int64($0[0].metrics.tokens)) })
        json["tokens_per_second"] = both(tokensPerSecond)
        json["gflops"] = both { operationsPerSecond($0) * 1e-9 }
        json["peak_gflops"] = ["best": .number(modes.best * 1e-9), "median": .number(modes.median * 1e-9)]
        json["seconds"] = .object(seconds)
        json["first_loss"] = .number(first.metrics.loss)
        json["peak_resident_bytes"] = .integer(Int64(memory.map(\.peak).max() ?? 0))
        json["proportional_bytes"] = .integer(Int64(memory.reduce(0) { $0 + $1.proportional }))
        json["operations_per_token"] = .number(setup.session.checkpoint.operationsPerToken)
        return .object(json)
    }

    private func both(_ value: (Statistic) -> Double) -> JSONValue { ["best": .number(value(.best)), "median": .number(value(.median))] }
}
