// A whole training step, phase by phase, alone or on several ranks, and the memory that it takes.

import ArgumentParser
import Comm
import Config
import Files
import Foundation
import Synthetic
import Tensor
import Trainer

struct StepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step", abstract: "Times training steps phase by phase, on one rank or several.",
        discussion: """
            Pairs are made with the lengths of questions and answers (log-normal, medians 14 and 120 tokens), or with --equal \
            tokens in every text; batches follow the order of the file. With --config, a run's own configuration is timed \
            instead, in its own order.

            The first steps make primitives and take memory and are not counted. --ranks starts the command itself under mpirun \
            on this host; under another launcher, --peak gives the shares their yardstick.
            """)

    @OptionGroup var checkpoint: CheckpointOptions

    @Option(help: ArgumentHelp("A file of pairs to train on. Default: one is made.", valueName: "file"), completion: .file())
    var data: String?

    @Option(help: ArgumentHelp("Pairs of a step, over all ranks.", valueName: "count"))
    var pairs = 8

    @Option(help: ArgumentHelp("Tokens of every text, instead of real lengths.", valueName: "tokens"))
    var equal: Int?

    @Option(help: ArgumentHelp("Steps that are timed.", valueName: "count"))
    var steps = 5

    @Option(help: ArgumentHelp("Steps before them.", valueName: "count"))
    var warmUp = 1

    @Option(help: ArgumentHelp("Arithmetic of products.", valueName: "type"))
    var computeDtype: ComputeType = .automatic

    @Option(help: ArgumentHelp("Threads of each rank. Default: its share of the cores.", valueName: "count"))
    var threads: Int?

    @Option(help: ArgumentHelp("Ranks to start on this host.", valueName: "count"))
    var ranks = 1

    @Option(help: ArgumentHelp("A run's configuration to time instead.", valueName: "file"), completion: .file())
    var config: String?

    @Option(name: .customLong("set"), help: ArgumentHelp("A setting of the run, as for shoal train.", valueName: "key=value"))
    var settings: [String] = []

    @Option(help: ArgumentHelp("GFLOP/s that shares are taken of. Default: measured.", valueName: "number"))
    var peak: Double?

    @Option(help: ArgumentHelp("Where the figures go, JSON.", valueName: "file"), completion: .file())
    var output: String?

    func validate() throws {
        if pairs < 1 || steps < 1 || warmUp < 0 || ranks < 1 { throw ValidationError("counts of pairs, steps and ranks are 1 at least") }
        if let peak, !(peak > 0) { throw ValidationError("--peak is \(peak); it must be above 0") }
    }

    func run() throws {
        if let output { try AtomicWrite.requireWritable(output) }
        // Under a launcher the other ranks would be in the way.
        let measures = peak == nil && !World.isLaunched
        var peak = measures ? MatrixPeak.measure().operationsPerSecond : peak.map { $0 * 1e9 }
        if ranks > 1 && !World.isLaunched { try restartUnderLauncher(ranks: ranks, adding: ["--peak", "\(peak! * 1e-9)"]) }
        runOnAllRanks { world in
            let setup = try TrainingSetup.load(world, try configuration(world))
            let timed = try TimedStep.run(setup, world, batches: setup.sampler.firstBatches(warmUp + steps))
            let memory = try ProcessMemory.ofAllRanks(world)
            try world.together {
                guard world.rank == 0 else { return }
                // Other work meanwhile would have made the peak low and the share high.
                if measures { peak = max(peak!, MatrixPeak.measure().operationsPerSecond) }
                let report = StepReport(setup, timed, warmUp: warmUp, memory, peak: peak)
                print(report.text, terminator: "")
                if let output { try AtomicWrite.write(report.json.serialized(pretty: true), to: output) }
            }
        }
    }

    /// The same on every rank; rank 0 makes the files.
    private func configuration(_ world: Communicator) throws -> ProjectConfig {
        if let config { return try TrainingSetup.configuration(world, path: config, overrides: settings) }
        let paths = try world.together { () throws(UserError) -> [String] in
            guard world.rank == 0 else { return [] }
            Threads.count = world.hosts.cores
            let model = try checkpoint.checkpoint(usualLayers: 4)
            let lengths = equal.map { SyntheticPairs.Lengths.equal($0) } ?? .logNormal
            if let data { return [model, data] }
            // Enough for steps whose texts differ from one another.
            return [model, try checkpoint.pairs(max(1024, 4 * pairs), lengths, checkpoint: model)]
        }
        let shared = try world.broadcast(Array(paths.joined(separator: "\n").utf8))
        let names = String(decoding: shared, as: UTF8.self).split(separator: "\n").map(String.init)
        let workload = Workload(model: names[0], data: names[1], pairs: pairs, computeType: computeDtype, threads: threads)
        return try world.together { try workload.config(settings) }
    }
}
