// Every kernel against the yardstick of its kind: those that multiply against the peak, those that pass over memory against
// the bandwidth.

import ArgumentParser
import Embedding
import Files
import Tensor
import Trainer

struct KernelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract:
            "Times what lies between the products: norms, rotation, gate, attention, optimizer and others; of the decoder and of the vision tower.",
        discussion: """
            At the sizes of jina-embeddings-v4. Bytes are those that must be read and written once; bandwidth is that of a \
            triad over arrays that no cache holds, so that shares above 100 % are a cache's.

            All kernels and both yardsticks are done in turns. The rate and the share are those of the best repetitions.
            """)

    @Option(help: ArgumentHelp("Tokens of a pass, in texts of 128.", valueName: "count"))
    var tokens = 4096

    @Option(help: ArgumentHelp("Repetitions of each kernel.", valueName: "count"))
    var rounds = 20

    @Option(help: ArgumentHelp("Arithmetic of products, which decides what activations are stored as.", valueName: "type"))
    var computeDtype: ComputeType = .automatic

    func validate() throws {
        if tokens < 128 || tokens % 128 != 0 { throw ValidationError("--tokens is \(tokens); it must be a multiple of 128") }
        if rounds < 1 { throw ValidationError("--rounds is \(rounds); it must be 1 at least") }
    }

    func run() throws {
        let engine = MatrixEngine(try EngineSettings(computeDtype).kind())
        let (peak, triad, kernels) = (MatrixPeak(), MemoryTriad(), KernelCases(tokens: tokens, engine).all)
        let timed = Stopwatch.inTurns([peak.product, triad.pass] + kernels.map(\.run), rounds: rounds)
        let modes = MachineModes([timed[0].seconds.map { MatrixPeak.operations / $0 }])
        let bandwidth = Double(triad.bytes) / timed[1].best
        print("\(Machine.summary)\n\(tokens) tokens, \(engine.kind.rawValue), \(Figures.count(Threads.count, "thread"))")
        print("the peak is \(modes.rates) (\(peak.description)), the bandwidth \(Figures.fixed(bandwidth * 1e-9, 1)) GB/s\n")
        var table = TextTable([.left, .right, .right, .right, .left, .right])
        table.add(["kernel", "ms, best", "median", "rate", "", "of the best"])
        for (kernel, timed) in zip(kernels, timed.dropFirst(2)) {
            let (amount, unit, best) =
                switch kernel.work {
                case .bytes(let bytes): (Double(bytes), "GB/s", bandwidth)
                case .operations(let operations): (operations, "GFLOP/s", modes.best)
                }
            let rate = amount / timed.best
            table.add([
                kernel.name, Figures.fixed(timed.best * 1e3, 2), Figures.fixed(timed.median * 1e3, 2), Figures.fixed(rate * 1e-9, 1), unit,
                Figures.fixed(100 * rate / best, 0) + " %",
            ])
        }
        print("\(table.text)\n\(modes.text)")
    }
}

extension ComputeType: ExpressibleByArgument {}
