// Training on several ranks as the program does it, from a configuration file: `RankProgram train CONFIG STEPS key=value...` and
// `RankProgram verify CONFIG SCALE key=value...`. What rank 0 prints must not depend on the number of ranks.

import Comm
import Data
import Files
import Model
import Trainer

let trainingJobs: [String: @Sendable (Communicator) throws -> Int32] = ["train": train, "verify": verify]

private func setup(_ world: Communicator) throws -> (TrainingSetup, argument: String) {
    let arguments = CommandLine.arguments.dropFirst(2)
    let config = try TrainingSetup.configuration(world, path: arguments.first!, overrides: Array(arguments.dropFirst(2)))
    return (try TrainingSetup.load(world, config), arguments.dropFirst().first!)
}

/// Some steps; an object for each with the exact bits of loss and norm, then the hash of all adapters and moments. One JSON line each.
private func train(_ world: Communicator) throws -> Int32 {
    let (setup, steps) = try setup(world)
    let step = setup.step(in: world)
    var state = setup.state
    write(["dropped": .integer(Int64(setup.index.droppedNegatives)), "truncated": .integer(Int64(setup.index.truncated))], world)
    for number in 0..<Int(steps)! {
        let (epoch, place) = number.quotientAndRemainder(dividingBy: setup.sampler.batchesPerEpoch)
        let metrics = try step.run(setup.sampler.batches(epoch: epoch)[place], &state)
        write(
            [
                "step": .integer(Int64(metrics.step)), "loss": .number(metrics.loss), "grad_norm": .number(metrics.gradientNorm),
                "candidates": .integer(Int64(metrics.candidates)), "inputs": .integer(Int64(metrics.inputs)),
                "tokens": .integer(Int64(metrics.tokens)), "masked_pairs": .integer(Int64(metrics.maskedPairs)),
            ], world)
    }
    var values = state.adapters.flatMap(\.values)
    for optimizer in state.optimizers { values += (optimizer?.firstMoment ?? []) + (optimizer?.secondMoment ?? []) }
    let hash = values.withUnsafeBytes { SHA256.hash(of: $0) }
    try world.requireSame(hash) { UserError(.diverged, "the trained adapters differ: \($0) from \($1)") }
    write(["values": .integer(Int64(values.count)), "sha256": .string(SHA256.hex(hash))], world)
    return 0
}

/// On rank 0.
private func write(_ line: JSONValue, _ world: Communicator) {
    if world.rank == 0 { print(String(decoding: line.serialized(pretty: false), as: UTF8.self)) }
}

/// Verifies the first batch's gradient, multiplied with a scale on the side of all ranks, and on both sides when the scale is
/// written with a `b` before it.
private func verify(_ world: Communicator) throws -> Int32 {
    let (setup, scale) = try setup(world)
    let factor = Float(scale.drop { $0 == "b" })!
    let verification = try GradientVerification(setup, gradientScale: (factor, scale.hasPrefix("b") ? factor : 1))
    let report = try verification.run { _, _ in }
    if world.rank == 0 {
        print(report.table)
        print("\(report.rows.count) tensors, lowest norm \(report.rows.map(\.norm).min()!)")
    }
    return report.isWithinTolerance ? 0 : 70
}
