// What this machine can do, and what share of it Shoal reaches. Every command measures its own yardsticks in the same run, so
// that shares hold on any machine.

import ArgumentParser
import Comm
import Files
import Foundation
import Tensor
import Trainer

@main
struct Main {
    static func main() {
        ProcessEnvironment.prepare()
        do {
            var command = try Benchmark.parseAsRoot()
            Threads.count = Communicator.alone().hosts.cores
            let load = MachineLoad()
            try command.run()
            // A command that waits takes turns with another program, which is then no disturbance.
            let isAlone = !(command is GenerateCommand) && (command as? VisionCommand)?.wait != true
            if isAlone { load.warn(Console(rank: 0), ownSeconds: load.ownSeconds) }
        } catch let error as UserError {
            Console(rank: 0).write(line: error.lineForUser)
            exit(error.code.rawValue)
        } catch {
            Benchmark.exit(withError: error)
        }
    }
}

struct Benchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Times products, kernels and whole steps against what the machine can do.",
        discussion: """
            Examples:

              benchmark products --tokens 64 256 512
              benchmark step --layers 4 --pairs 8
              benchmark step --layers 2 --pairs 64 --ranks 2
              benchmark step --config project_config.yaml --steps 2 --rounds 10

            Models are made up in the shapes of jina-embeddings-v4 with as many layers as --layers says, or are the checkpoint \
            that --model names. Files that are made lie in --folder and are used again.

            The peak is the bfloat16 product [512, 2048] × [2048, 11008] of oneDNN with weights in its own layout, on all cores; \
            float32 by OpenBLAS where the processor has no bfloat16. Products, kernels, steps and images are timed in turns with \
            it, in many short repetitions, and the peaks say whether the machine kept its speed. Best and median are given; \
            where it did not keep its speed, only the best compare. Work of a step is counted as 4 × frozen parameters of the decoder's linears × tokens: \
            forward, and the gradient of the activations.
            """,
        subcommands: [
            ProductsCommand.self, KernelsCommand.self, StepCommand.self, LossCommand.self, PoolCommand.self, LinearityCommand.self,
            TokenizerCommand.self, StartupCommand.self, ImagesCommand.self, VisionCommand.self, GenerateCommand.self,
        ])
}

/// Runs `body` on every rank. A `UserError` is the same on all: rank 0 says it, and all leave with its code.
///
/// - Parameter warnsOfLoad: false where another program takes turns with this one
func runOnAllRanks(warnsOfLoad: Bool = true, _ body: (Communicator) throws -> Void) -> Never {
    exit(
        World.run { world in
            let (console, load) = (Console(rank: world.rank), MachineLoad())
            do {
                try body(world)
                let seconds = try world.allGather(load.ownSeconds)
                if warnsOfLoad { load.warn(console, ownSeconds: world.hosts.ranks(on: 0).reduce(0) { $0 + seconds[$1] }) }
                return 0
            } catch let error as UserError {
                console.write(line: error.lineForUser)
                return error.code.rawValue
            }
        })
}
