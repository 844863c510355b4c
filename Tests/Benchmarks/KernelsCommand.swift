// Every kernel against the yardstick of its kind: those that multiply against the peak, those that pass over memory against
// the bandwidth.

import ArgumentParser
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
            """)

    @Option(help: ArgumentHelp("Tokens of a pass, in texts of 128.", valueName: "count"))
    var tokens = 4096

    @Option(help: ArgumentHelp("Arithmetic of products, which decides what activations are stored as.", valueName: "type"))
    var computeDtype: ComputeType = .automatic

    func validate() throws {
        if tokens < 128 || tokens % 128 != 0 { throw ValidationError("--tokens is \(tokens); it must be a multiple of 128") }
    }

    func run() throws {
        let engine = try MatrixEngine(configured: computeDtype)
        let (peak, bandwidth) = (MatrixPeak.measure(), MemoryBandwidth.measure())
        print("\(Machine.summary)\n\(tokens) tokens, \(engine.kind.rawValue), \(Figures.count(Threads.count, "thread"))")
        print("the peak is \(peak.text), the bandwidth \(Figures.fixed(bandwidth * 1e-9, 1)) GB/s\n")
        var table = TextTable([.left, .right, .right, .left, .right])
        table.add(["kernel", "ms", "rate", "", "of the best"])
        for kernel in KernelCases(tokens: tokens, engine).all {
            let seconds = Stopwatch.median(sampleSeconds: 0.05, kernel.run)
            let (amount, unit, best) =
                switch kernel.work {
                case .bytes(let bytes): (Double(bytes), "GB/s", bandwidth)
                case .operations(let operations): (operations, "GFLOP/s", peak.operationsPerSecond)
                }
            let rate = amount / seconds
            table.add([
                kernel.name, Figures.fixed(seconds * 1e3, 2), Figures.fixed(rate * 1e-9, 1), unit,
                Figures.fixed(100 * rate / best, 0) + " %",
            ])
        }
        print(table.text, terminator: "")
    }
}

extension ComputeType: ExpressibleByArgument {}
