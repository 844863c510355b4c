// The vision tower: images a second, and what share of the peak its products and its attention reach together.

import ArgumentParser
import Embedding
import Files
import Model
import Synthetic
import Tensor
import Trainer

struct VisionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vision", abstract: "Times the vision tower of jina-embeddings-v4 on images of two sizes.",
        discussion: """
            Patches are made up; decoding and resizing of files is not part of it. Work is counted as the multiplications and \
            additions of the tower's linears and of the scores and sums of its attention. The sizes and the peak are done in \
            turns; GFLOP/s and shares are those of the best passes.
            """)

    @OptionGroup var checkpoint: CheckpointOptions

    @Option(help: ArgumentHelp("Blocks of the tower that is made, in the shapes of jina-embeddings-v4, which has 32.", valueName: "count"))
    var depth = 32

    @Option(help: ArgumentHelp("Patches that go through the tower together, in whole images.", valueName: "count"))
    var patches = 4096

    @Option(help: ArgumentHelp("Passes of each size that are timed.", valueName: "count"))
    var passes = 5

    @Option(help: ArgumentHelp("Arithmetic of products.", valueName: "type"))
    var computeDtype: ComputeType = .automatic

    @Flag(help: "Make the checkpoint, print its folder, and time nothing.")
    var generate = false

    @Flag(help: "Say ready, do a pass or a burst of the peak for each line on stdin (448x448, 672x896, peak), and end with it.")
    var wait = false

    @Option(help: ArgumentHelp("Where the figures go, JSON.", valueName: "file"), completion: .file())
    var output: String?

    func validate() throws {
        if wait && output == nil { throw ValidationError("--wait needs --output") }
        if depth < 1 || patches < 1 || passes < 1 { throw ValidationError("--depth, --patches and --passes are 1 at least") }
    }

    func run() throws {
        if let output { try AtomicWrite.requireWritable(output) }
        if generate { return print(try folder()) }
        let engine = MatrixEngine(try EngineSettings(computeDtype).kind())
        let weights = try Checkpoint.read(folder: folder()).vision!
        let tower = VisionTower(weights, engine)
        let workloads = TowerWorkload.sizes.map { TowerWorkload($0, weights.config, patches: patches) }
        let magnitudes = workloads.map { $0.magnitude(tower) }
        let peak = MatrixPeak()
        let (passes, peaks) = try wait ? asked(workloads, tower, peak) : inTurns(workloads, tower, peak)
        let timed = workloads.indices.map { workloads[$0].timed(passes[$0], magnitude: magnitudes[$0]) }
        let modes = MachineModes([peaks])
        if let output { try AtomicWrite.write(json(timed, modes, engine).serialized(pretty: true), to: output) }
        guard !wait else { return }

        print("\(Machine.summary)\ntower of \(weights.config.depth) blocks of width \(weights.config.hiddenSize), ", terminator: "")
        print("\(engine.kind.rawValue), \(Figures.count(Threads.count, "thread")); the peak is \(modes.rates) (\(peak.description))\n")
        var table = TextTable([.left, .right, .right, .right, .right, .right, .right])
        table.add(["image", "tokens", "images a pass", "images/s, best", "median", "GFLOP/s", "of the peak"])
        for size in timed {
            let rate = size.operations / size.passes.best
            table.add([
                size.name, "\(size.tokens)", "\(size.images)", Figures.fixed(Double(size.images) / size.passes.best, 3),
                Figures.fixed(Double(size.images) / size.passes.median, 3), Figures.fixed(rate * 1e-9, 1),
                Figures.fixed(100 * rate / modes.best, 1) + " %",
            ])
        }
        print(table.text, terminator: "")
        for size in timed { print("mean magnitude of the features of \(size.name): \(Figures.fixed(size.magnitude, 5))") }
        print("\n\(modes.text)")
    }

    /// - Returns: the passes of each size, and the peaks
    private func inTurns(_ workloads: [TowerWorkload], _ tower: VisionTower, _ peak: MatrixPeak) -> ([Repetitions], [Double]) {
        let bodies = [peak.product] + workloads.map { workload in { workload.pass(tower) } }
        let timed = Stopwatch.inTurns(bodies, rounds: passes, burstSeconds: 0)
        return (Array(timed.dropFirst()), timed[0].seconds.map { MatrixPeak.operations / $0 })
    }

    /// The same as another program asks for it.
    private func asked(
        _ workloads: [TowerWorkload], _ tower: VisionTower, _ peak: MatrixPeak
    ) throws -> ([Repetitions], [Double]) {
        var passes = workloads.map { _ in Repetitions() }
        var (peaks, requests) = ([Double](), Requests())
        for (place, workload) in workloads.enumerated() {
            requests.add(workload.name) {
                passes[place].seconds.append(Stopwatch.seconds { workload.pass(tower) })
                return passes[place].seconds.last!
            }
        }
        requests.add("peak") {
            peaks.append(peak.burst())
            return peaks.last!
        }
        try requests.serve()
        guard passes.allSatisfy({ !$0.seconds.isEmpty }), !peaks.isEmpty else {
            throw UserError(.usage, "stdin", "ended before every size and the peak were asked for")
        }
        return (passes, peaks)
    }

    /// One thin layer stands for the decoder.
    private func folder() throws(UserError) -> String {
        if let model = checkpoint.model { return model }
        var shape = SyntheticShape(layers: 1, hidden: 2048, intermediate: 64, heads: 16, keyValueHeads: 2, vocabulary: 8256)
        shape.vision = .jinaV4(depth: depth)
        return try checkpoint.made(shape)
    }

    private func json(_ timed: [TimedTower], _ modes: MachineModes, _ engine: MatrixEngine) -> JSONValue {
        var (json, sizes) = (Machine.json, JSONObject())
        for size in timed {
            sizes[size.name] = [
                "images": .integer(Int64(size.images)), "operations": .number(size.operations), "magnitude": .number(size.magnitude),
                "seconds": ["best": .number(size.passes.best), "median": .number(size.passes.median)],
            ]
        }
        json["engine"] = .string(engine.kind.rawValue)
        json["threads"] = .integer(Int64(Threads.count))
        json["peak_gflops"] = ["best": .number(modes.best * 1e-9), "median": .number(modes.median * 1e-9)]
        json["images"] = .object(sizes)
        return .object(json)
    }
}
