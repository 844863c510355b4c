// The loss phase alone, on made-up embeddings, at larger and larger pools: what it takes of time and of memory.

import ArgumentParser
import Comm
import Files
import Model
import Tensor

@testable import Data
@testable import Loss
@testable import Project
@testable import Trainer

struct PoolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pool", abstract: "Times the loss phase alone at pools of several sizes.",
        discussion: """
            Each row of a pool is an anchor and a candidate with random unit vectors: dense ones of --width values, or with --late \
            --tokens vectors of 128 for each of the two. Memory is the highest resident set of the process so far, less what it \
            was before the first pool; sizes ascend. --ranks starts the command itself under mpirun on this host.
            """)

    @Option(name: .customLong("rows"), parsing: .upToNextOption, help: ArgumentHelp("Rows of each pool, ascending.", valueName: "count"))
    var sizes = [1024, 4096, 16384]

    @Option(help: ArgumentHelp("Values of a dense vector.", valueName: "count"))
    var width = 2048

    @Flag(help: "Late interaction instead of dense vectors.")
    var late = false

    @Option(help: ArgumentHelp("With --late: tokens of each text.", valueName: "count"))
    var tokens = 128

    @Option(help: ArgumentHelp("Ranks to start on this host.", valueName: "count"))
    var ranks = 1

    @Option(name: .customLong("set"), help: ArgumentHelp("A setting of the loss, as for shoal train.", valueName: "key=value"))
    var settings: [String] = []

    func validate() throws {
        if sizes.isEmpty || sizes.contains(where: { $0 < ranks }) || ranks < 1 {
            throw ValidationError("--rows must be as many as --ranks at least")
        }
        if sizes != sizes.sorted() { throw ValidationError("--rows must ascend, since memory is the highest so far") }
        if width < 1 || tokens < 1 { throw ValidationError("--width and --tokens are 1 at least") }
    }

    func run() throws {
        if ranks > 1 && !World.isLaunched { try restartUnderLauncher(ranks: ranks) }
        runOnAllRanks { world in
            Threads.count = max(1, world.hosts.cores / world.hosts.localSize)
            let objective = try objective()
            var table = TextTable([.right, .right, .right, .right, .right])
            table.add(["rows", "embeddings", "memory", "seconds", "GFLOP/s"])
            let before = try ProcessMemory.ofAllRanks(world).map(\.peak)
            for size in sizes {
                let plan = plan(size, world)
                let own = embeddings(plan.inputs(ofRank: world.rank), plan)
                let isStreamed = settings.contains("loss.pool=stream")
                let pool = try EmbeddingPool(own, plan, objective.heads.heads, world, streams: isStreamed)
                try world.barrier()
                let seconds = try Stopwatch.seconds { _ = try objective.run(plan, pool, world) }
                let longest = try world.allGather(seconds).max()!
                let memory = zip(try ProcessMemory.ofAllRanks(world), before).map { $0.peak - $1 }.max()!
                table.add([
                    Figures.count(size), Figures.bytes((own.dense?.count ?? 0) * 4 + (own.late?.count ?? 0) * 4), Figures.bytes(memory),
                    Figures.fixed(longest, 2), Figures.fixed(operations(size) / longest * 1e-9, 0),
                ])
                Console(rank: world.rank).write(line: "\(Figures.count(size, "row")): \(Figures.fixed(longest, 2)) s")
            }
            guard world.rank == 0 else { return }
            print("\(Machine.summary)\n\(title), \(Figures.count(world.worldSize, "rank")) × \(Figures.count(Threads.count, "thread"))")
            print("embeddings and memory are those of one rank\n\n\(table.text)", terminator: "")
        }
    }

    private var title: String { late ? "late interaction, \(tokens) tokens × 128" : "dense vectors of \(width)" }

    private func objective() throws(UserError) -> Objective {
        let yaml = "{base_model_path: none, data: {train: none}, training: {output_dir: none}}"
        let joint = late ? ["loss.name=joint", "loss.dense_weight=0", "loss.kl_weight=0"] : []
        let config = try ProjectConfig.decode(yaml: Array(yaml.utf8), path: "the benchmark's configuration", overrides: joint + settings)
        return Objective(config.loss, dimension: width)
    }

    /// Every text is another one.
    private func plan(_ rows: Int, _ world: Communicator) -> StepPlan {
        func text(_ number: Int) -> InputSummary {
            InputSummary(content: ContentHash(of: Array("\(number)".utf8)), tokens: Int32(late ? tokens : 1))
        }
        let summaries = (0..<rows).map { row in
            RowSummary(
                file: 0, row: row, task: 0, anchor: text(2 * row), positive: text(2 * row + 1), negatives: [], negativePlaces: [])
        }
        return StepPlan(
            summaries, batch: Array(0..<rows), prompts: PromptNumbers(anchor: { _, _ in 0 }, candidate: { _, _ in 0 }),
            masksDuplicates: true, chunkTokens: late ? tokens : 32, worldSize: world.worldSize,
            cost: InputCost(perToken: 1, perTokenSquared: 0))
    }

    /// Random unit vectors, a function of the input alone.
    private func embeddings(_ inputs: [Int], _ plan: StepPlan) -> Embeddings {
        let columns = late ? 128 : width
        let rowsOfInput = late ? tokens : 1
        let vectors = Tensor(inputs.count * rowsOfInput, columns)
        vectors.withMutableFloats { values in
            Threads.run(inputs.count, grain: 8) { block in
                for place in block {
                    let stream = RandomStream(UInt64(inputs[place]))
                    for row in 0..<rowsOfInput {
                        let start = (place * rowsOfInput + row) * columns
                        var square: Float = 0
                        for i in 0..<columns {
                            values[start + i] = Float(Int64(bitPattern: stream.bits(at: row * columns + i)) >> 32) * 0x1p-31
                            square += values[start + i] * values[start + i]
                        }
                        for i in 0..<columns { values[start + i] /= square.squareRoot() }
                    }
                }
            }
        }
        return late ? Embeddings(late: vectors) : Embeddings(dense: vectors)
    }

    /// Products of all ranks: scores for the statistics, then for the gradients of both sides; dense ones lead back by products, too.
    private func operations(_ rows: Int) -> Double {
        let pairs = Double(rows) * Double(rows)
        return late ? 3 * 2 * pairs * Double(tokens * tokens) * 128 : 5 * 2 * pairs * Double(width)
    }
}
