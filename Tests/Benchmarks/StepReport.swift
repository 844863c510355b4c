// The figures of a timed run of steps, for people and for programs.

import Comm
import Config
import Embedding
import Files
import Model
import Tensor
import Trainer

struct StepReport {
    private let setup: TrainingSetup
    /// The first one of all, and those that count.
    private let first: TimedStep
    private let timed: [TimedStep]
    private let memory: [ProcessMemory]
    /// Operations a second; nil: not known.
    private let peak: Double?

    init(_ setup: TrainingSetup, _ steps: [TimedStep], warmUp: Int, _ memory: [ProcessMemory], peak: Double?) {
        self.setup = setup
        first = steps[0]
        timed = Array(steps.dropFirst(warmUp))
        self.memory = memory
        self.peak = peak
    }

    private var seconds: Double { Stopwatch.median(timed.map(\.seconds)) }
    private var tokensPerSecond: Double { Stopwatch.median(timed.map(\.tokensPerSecond)) }
    private var operationsPerSecond: Double { tokensPerSecond * setup.session.checkpoint.operationsPerToken }

    /// Medians, in the order of the step; what is left over is the adapter's copy, the gradient's norm and the vote.
    private var phases: [(name: String, seconds: Double)] {
        let counted = Phase.allCases.map { phase in (phase.rawValue, Stopwatch.median(timed.map { $0.metrics.seconds[phase] ?? 0 })) }
        let rest = Stopwatch.median(timed.map { $0.seconds - $0.planSeconds - $0.metrics.totalSeconds })
        return [("plan", Stopwatch.median(timed.map(\.planSeconds)))] + counted + [("other", rest)]
    }

    var text: String {
        let (config, engine) = (setup.session.checkpoint.config.text, setup.session.model.engine.kind.rawValue)
        let (ranks, layers) = (Figures.count(setup.world.worldSize, "rank"), Figures.count(config.layers, "layer"))
        var text = Machine.summary + "\n"
        text += "\(setup.config.baseModelPath): \(layers) of width \(config.hiddenSize), \(engine)\n"
        text += "\(ranks) × \(Figures.count(Threads.count, "thread")), \(Figures.count(setup.globalRows, "pair")) a step, "
        text += "median of \(Figures.count(timed.count, "step"))\n\n" + phaseTable.text + "\n"
        text += "\(Figures.count(Int(tokensPerSecond.rounded()))) tokens/s · \(Figures.fixed(operationsPerSecond * 1e-9, 1)) GFLOP/s"
        if let peak {
            let share = Figures.fixed(100 * operationsPerSecond / peak, 1)
            text += " · \(share) % of the peak, \(Figures.fixed(peak * 1e-9, 1)) GFLOP/s"
        }
        return text + "\nloss of the first step \(Figures.fixed(first.metrics.loss, 4))\n\n" + memoryTable.text
    }

    private var phaseTable: TextTable {
        var table = TextTable([.left, .right, .right])
        table.add(["phase", "seconds", "share"])
        for (name, seconds) in phases {
            table.add([name, Figures.fixed(seconds, 4), Figures.fixed(100 * seconds / self.seconds, 1) + " %"])
        }
        table.add(["step", Figures.fixed(seconds, 4), ""])
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
        for (name, median) in phases { seconds[name] = .number(median) }
        json["engine"] = .string(setup.session.model.engine.kind.rawValue)
        json["ranks"] = .integer(Int64(setup.world.worldSize))
        json["threads"] = .integer(Int64(Threads.count))
        json["tokens"] = .array(timed.map { .integer(Int64($0.metrics.tokens)) })
        json["tokens_per_second"] = .number(tokensPerSecond)
        json["gflops"] = .number(operationsPerSecond * 1e-9)
        json["peak_gflops"] = peak.map { .number($0 * 1e-9) } ?? .null
        json["seconds"] = .object(seconds)
        json["first_loss"] = .number(first.metrics.loss)
        json["peak_resident_bytes"] = .integer(Int64(memory.map(\.peak).max() ?? 0))
        json["proportional_bytes"] = .integer(Int64(memory.reduce(0) { $0 + $1.proportional }))
        return .object(json)
    }
}
