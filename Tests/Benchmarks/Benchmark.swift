// Times the training step of a configuration, phase by phase, alone or under mpirun:
//
//     .build/release/benchmark project_config.yaml [steps]
//     mpirun -n 2 --bind-to none .build/release/benchmark project_config.yaml
//
// The first step, which makes primitives and takes memory, is not counted; of the others medians are printed. Work is counted
// as 4 × frozen parameters of the decoder's linears × tokens: forward, and the gradient of the activations.

import Comm
import Foundation
import Tensor
import Trainer

@main
struct Benchmark {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard let config = arguments.first, let steps = arguments.dropFirst().first.map(Int.init) ?? 5, steps > 0 else {
            print("usage: benchmark CONFIG [STEPS] [KEY=VALUE ...]")
            exit(UserError.Code.usage.rawValue)
        }
        exit(
            World.run { world in
                do {
                    try run(world, config, steps: steps, overrides: Array(arguments.dropFirst(2)))
                    return 0
                } catch let error as UserError {
                    Console(rank: world.rank).write(line: error.lineForUser)
                    return error.code.rawValue
                }
            })
    }

    private static func run(_ world: Communicator, _ path: String, steps: Int, overrides: [String]) throws {
        let config = try TrainingSetup.configuration(world, path: path, overrides: overrides)
        let setup = try TrainingSetup.load(world, config)
        var state = setup.state
        let step = setup.step(in: world)
        let batches = setup.sampler.batches(epoch: 0)
        let metrics = try (0...steps).map { try step.run(batches[$0 % batches.count], &state) }.dropFirst()
        guard world.rank == 0 else { return }

        let total = median(metrics.map(\.totalSeconds))
        let tokens = median(metrics.map { Double($0.tokens) })
        let operations = 4 * Double(setup.frozenParameters) * tokens
        print("\(setup.description) · \(world.worldSize) ranks × \(Threads.count) threads · \(steps) steps of \(setup.globalRows) rows")
        var table = TextTable([.left, .right, .right])
        table.add(["phase", "seconds", "share"])
        for phase in Phase.allCases {
            let seconds = median(metrics.map { $0.seconds[phase] ?? 0 })
            table.add([phase.rawValue, Figures.fixed(seconds, 4), Figures.fixed(100 * seconds / total, 1) + " %"])
        }
        table.add(["step", Figures.fixed(total, 4), ""])
        print(table.text, terminator: "")
        print("\(Figures.count(Int(tokens / total))) tokens/s · \(Figures.fixed(operations / total * 1e-9, 1)) GFLOP/s")
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted[sorted.count / 2]
    }
}

extension TrainingSetup {
    /// Of the decoder's linears.
    fileprivate var frozenParameters: Int {
        session.checkpoint.layers.reduce(0) { sum, layer in
            sum + [layer.q, layer.k, layer.v, layer.o, layer.gate, layer.up, layer.down].reduce(0) { $0 + $1.count }
        }
    }

    fileprivate var description: String {
        "\(config.baseModelPath) · \(session.model.engine.kind.rawValue) · \(Machine.processorModel)"
    }
}
