// The vision tower: images a second, and what share of the peak its products and its attention reach together.

import ArgumentParser
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
            additions of the tower's linears and of the scores and sums of its attention.
            """)

    @OptionGroup var checkpoint: CheckpointOptions

    @Option(help: ArgumentHelp("Blocks of the tower that is made, in the shapes of jina-embeddings-v4, which has 32.", valueName: "count"))
    var depth = 32

    @Option(help: ArgumentHelp("Patches that go through the tower together, in whole images.", valueName: "count"))
    var patches = 4096

    @Option(help: ArgumentHelp("Passes of each size that are timed.", valueName: "count"))
    var passes = 3

    @Option(help: ArgumentHelp("Arithmetic of products.", valueName: "type"))
    var computeDtype: ComputeType = .automatic

    @Flag(help: "Make the checkpoint, print its folder, and time nothing.")
    var generate = false

    @Option(help: ArgumentHelp("Where the figures go, JSON.", valueName: "file"), completion: .file())
    var output: String?

    func validate() throws {
        if depth < 1 || patches < 1 || passes < 1 { throw ValidationError("--depth, --patches and --passes are 1 at least") }
    }

    func run() throws {
        if let output { try AtomicWrite.requireWritable(output) }
        if generate { return print(try folder()) }
        let engine = try MatrixEngine(configured: computeDtype)
        let weights = try Checkpoint.read(folder: folder()).vision!
        let tower = VisionTower(weights, engine)
        var peak = MatrixPeak.measure()
        let timed = TowerWorkload.sizes.map { TowerWorkload($0, weights.config, patches: patches).timed(tower, passes: passes) }
        let after = MatrixPeak.measure()
        // Other work meanwhile would have made the peak low and the share high.
        if after.operationsPerSecond > peak.operationsPerSecond { peak = after }

        print("\(Machine.summary)\ntower of \(weights.config.depth) blocks of width \(weights.config.hiddenSize), ", terminator: "")
        print("\(engine.kind.rawValue), \(Figures.count(Threads.count, "thread")); the peak is \(peak.text)\n")
        var table = TextTable([.left, .right, .right, .right, .right, .right])
        table.add(["image", "tokens", "images a pass", "images/s", "GFLOP/s", "of the peak"])
        for size in timed {
            table.add([
                size.name, "\(size.tokens)", "\(size.images)", Figures.fixed(size.imagesPerSecond, 3),
                Figures.fixed(size.operationsPerSecond * 1e-9, 1),
                Figures.fixed(100 * size.operationsPerSecond / peak.operationsPerSecond, 1) + " %",
            ])
        }
        print(table.text, terminator: "")
        for size in timed { print("mean magnitude of the features of \(size.name): \(Figures.fixed(size.magnitude, 5))") }
        if let output { try AtomicWrite.write(json(timed, peak, engine).serialized(pretty: true), to: output) }
    }

    /// One thin layer stands for the decoder.
    private func folder() throws(UserError) -> String {
        if let model = checkpoint.model { return model }
        var shape = SyntheticShape(layers: 1, hidden: 2048, intermediate: 64, heads: 16, keyValueHeads: 2, vocabulary: 8256)
        shape.vision = .jinaV4(depth: depth)
        return try checkpoint.made(shape)
    }

    private func json(_ timed: [TimedTower], _ peak: MatrixPeak, _ engine: MatrixEngine) -> JSONValue {
        var (json, sizes) = (Machine.json, JSONObject())
        for size in timed {
            sizes[size.name] = [
                "images_per_second": .number(size.imagesPerSecond), "gflops": .number(size.operationsPerSecond * 1e-9),
                "magnitude": .number(size.magnitude),
            ]
        }
        json["engine"] = .string(engine.kind.rawValue)
        json["threads"] = .integer(Int64(Threads.count))
        json["peak_gflops"] = .number(peak.operationsPerSecond * 1e-9)
        json["images"] = .object(sizes)
        return .object(json)
    }
}
