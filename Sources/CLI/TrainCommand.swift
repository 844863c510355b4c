// `shoal train`: a run from its configuration file.

import ArgumentParser
import Trainer

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains the adapters that a configuration describes.",
        discussion: """
            Examples:

              shoal train --config project_config.yaml
              mpirun -n 2 --bind-to none shoal train \\
                --config project_config.yaml --set training.max_steps=50
              mpirun --hostfile hostfiles/two-hosts.hosts --bind-to none \\
                shoal train --config project_config.yaml
              shoal train --config project_config.yaml --resume
              shoal train --config project_config.yaml --dry-run

            Stopping: Ctrl-C on one rank, SIGUSR1 to mpirun, or a file STOP in the run's folder end the run after the step in \
            progress with a checkpoint (exit code 75); --resume goes on from it, at any number of ranks.
            """)

    @OptionGroup var options: RunOptions

    @Flag(help: "Go on from the newest checkpoint in training.output_dir.")
    var resume = false

    @Option(help: ArgumentHelp("Save a checkpoint after this step and stop with exit code 75.", valueName: "step"))
    var stopAfter: Int?

    @Flag(help: "Show what would run and the memory it would take, and end.")
    var dryRun = false

    func validate() throws {
        if dryRun && (resume || stopAfter != nil) { throw ValidationError("--dry-run goes with neither --resume nor --stop-after") }
        if let stopAfter, stopAfter < 1 { throw ValidationError("--stop-after is \(stopAfter); steps count from 1") }
    }

    func run() throws {
        runOnAllRanks { world, console in
            try Trainer.run(
                world,
                TrainingOptions(
                    configPath: options.config, overrides: options.set, resumes: resume, stopAfter: stopAfter, isDryRun: dryRun), console)
        }
    }
}

/// The configuration of a run and what the command line changes in it.
struct RunOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The run's settings, YAML.", valueName: "file"))
    var config: String

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp(
            "Change one setting: loss.temperature=0.05. The value is YAML. May be given several times.", valueName: "key=value"))
    var set: [String] = []
}
