// `shoal verify-gradients`: the proof that N ranks are one big batch.

import ArgumentParser
import Comm
import Files
import Project
import Tensor
import Trainer

struct VerifyGradientsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-gradients",
        abstract: "Proves that N ranks compute the gradient of one big batch.",
        discussion: """
            Takes the first global batch of a configuration, in float32, and compares for each tensor of the adapter

              - the gradient summed over all ranks with that of one rank alone: the same bits,
              - the derivative along a random direction with differences of the loss: relative error at most 1e-2.

            The table goes to stdout; exit code 70 when anything is out of tolerance.

              mpirun -n 4 --bind-to none shoal verify-gradients \\
                --config project_config.yaml --set training.global_batch_size=16
            """)

    @OptionGroup var options: RunOptions

    /// What the gradient of all ranks is multiplied with: another number than 1 must be noticed.
    @Option(help: .hidden)
    var gradientScale: Float = 1

    func run() throws {
        runOnAllRanks { world, console in
            let overrides = options.set + [SystemSettings.computeType.assignment(.float32), TrainingSettings.reduction.assignment(.exact)]
            let config = try TrainingSetup.configuration(world, path: options.config, overrides: overrides)
            let setup = try TrainingSetup.load(world, config, console)
            let verification = try GradientVerification(setup, gradientScale: (gradientScale, 1))
            let report = try verification.run { done, count in
                if done % 20 == 0 || done == count { console.write(line: "verified \(done) of \(count) tensors") }
            }
            if world.rank == 0 { print(report.table, terminator: "") }
            return report.isWithinTolerance ? 0 : UserError.Code.broken.rawValue
        }
    }
}
