// A whole training step, phase by phase, alone or on several ranks, and the memory that it takes.

import ArgumentParser
import Comm
import Files
import Foundation
import Project
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

            The same few steps are done again and again, in turns with the peak: each then has a best time and a median. A round \
            before them makes primitives and takes memory and is not counted. The peak is that of all ranks at once. --ranks \
            starts the command itself under mpirun on this host.
            """)

    @OptionGroup var checkpoint: CheckpointOptions

    @Option(help: ArgumentHelp("A file of pairs to train on. Default: one is made.", valueName: "file"), completion: .file())
    var data: String?

    @Option(help: ArgumentHelp("Pairs of a step, over all ranks.", valueName: "count"))
    var pairs = 8

    @Option(help: ArgumentHelp("Tokens of every text, instead of real lengths.", valueName: "tokens"))
    var equal: Int?

    @Option(help: ArgumentHelp("Different steps that are timed.", valueName: "count"))
    var steps = 3

    @Option(help: ArgumentHelp("Repetitions of each step.", valueName: "count"))
    var rounds = 5

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

    @Option(help: ArgumentHelp("Where the figures go, JSON.", valueName: "file"), completion: .file())
    var output: String?

    @Flag(help: "Say ready, do a step or a burst of the peak for each line on stdin (step, peak), and end with it.")
    var wait = false

    func validate() throws {
        if pairs < 1 || steps < 1 || rounds < 1 || ranks < 1 {
            throw ValidationError("counts of pairs, steps, rounds and ranks are 1 at least")
        }
        if wait && (ranks > 1 || output == nil) { throw ValidationError("--wait is for one rank, and needs --output") }
    }

    func run() throws {
        if let output { try AtomicWrite.requireWritable(output) }
        if ranks > 1 && !World.isLaunched { try restartUnderLauncher(ranks: ranks) }
        runOnAllRanks(warnsOfLoad: !wait) { world in
            let setup = try TrainingSetup.load(world, try configuration(world))
            let (stepper, batches) = (Stepper(setup, world), setup.sampler.firstBatches(steps))
            let first = try batches.map { try stepper.step($0) }[0]
            let (timed, peaks) = try wait ? asked(stepper, batches, world) : inTurns(stepper, batches, world)
            let memory = try ProcessMemory.ofAllRanks(world)
            try world.together {
                guard world.rank == 0 else { return }
                let report = StepReport(setup, first: first, timed, memory, peaks: peaks)
                if !wait { print(report.text) }
                if let output { try AtomicWrite.write(report.json.serialized(pretty: true), to: output) }
            }
        }
    }

    /// Collective. Round after round: a peak, the first step, a peak, the next one. The last peak follows the last step.
    ///
    /// - Returns: the repetitions of each batch, and the peaks
    private func inTurns(_ stepper: Stepper, _ batches: [[Int]], _ world: Communicator) throws -> ([[TimedStep]], [Double]) {
        var timed: [[TimedStep]] = batches.map { _ in [] }
        var peaks = [try MatrixPeak.burst(ofAllRanks: world)]
        for _ in 0..<rounds {
            for (place, batch) in batches.enumerated() {
                timed[place].append(try stepper.step(batch))
                peaks.append(try MatrixPeak.burst(ofAllRanks: world))
            }
        }
        return (timed, peaks)
    }

    /// The same as another program asks for it.
    private func asked(_ stepper: Stepper, _ batches: [[Int]], _ world: Communicator) throws -> ([[TimedStep]], [Double]) {
        var timed: [[TimedStep]] = batches.map { _ in [] }
        var (peaks, done) = ([Double](), 0)
        var requests = Requests()
        requests.add("step") {
            let place = done % batches.count
            timed[place].append(try stepper.step(batches[place]))
            done += 1
            return timed[place].last!.seconds
        }
        requests.add("peak") {
            peaks.append(try MatrixPeak.burst(ofAllRanks: world))
            return peaks.last!
        }
        try requests.serve()
        guard timed.allSatisfy({ !$0.isEmpty }), !peaks.isEmpty else {
            throw UserError(.usage, "stdin", "ended before every step and the peak were asked for")
        }
        return (timed, peaks)
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
