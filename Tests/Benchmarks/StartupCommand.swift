// From the start of a process to its first forward pass, with the checkpoint in the page cache.

import ArgumentParser
import Comm
import Data
import Embedding
import Files
import Foundation
import Model
import Synthetic
import Tensor
import Trainer

struct StartupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "startup", abstract: "Times the way from the start of a process to its first forward pass.",
        discussion: """
            A process of its own sets up a training run, as shoal train does (model, adapters, data, order of training), and \
            embeds one text. The clock starts before the process does. The checkpoint is read once beforehand, so that the \
            system's page cache holds it.
            """)

    @OptionGroup var checkpoint: CheckpointOptions

    @Option(help: ArgumentHelp("Processes that are timed.", valueName: "count"))
    var runs = 5

    @Option(help: .hidden)
    var since: Double?

    @Option(help: .hidden)
    var data: String?

    func validate() throws {
        if runs < 1 { throw ValidationError("--runs is \(runs); it must be 1 at least") }
    }

    func run() throws {
        if let since, let model = checkpoint.model, let data { return try startAndEmbed(model, data, since: since) }
        let model = try checkpoint.checkpoint(usualLayers: 4)
        let data = try checkpoint.pairs(1024, .logNormal, checkpoint: model)
        let bytes = try readThrough(model)
        let moments = try (0..<runs).map { _ in try start(model, data) }
        print("\(Machine.summary)\n\(model), \(Figures.bytes(bytes)); median of \(Figures.count(runs, "process", "processes"))\n")
        var table = TextTable([.left, .right])
        table.add(["seconds from the start of the process to", ""])
        for (place, name) in ["the program's first line", "model, adapters and data ready", "the first text embedded"].enumerated() {
            table.add([name, Figures.fixed(Stopwatch.median(moments.map { $0[place] }), 3)])
        }
        print(table.text, terminator: "")
    }

    /// The clock that parent and child share.
    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// What the child does; prints the seconds since `since` at three moments.
    private func startAndEmbed(_ model: String, _ data: String, since: Double) throws {
        let begin = Self.now
        let setup = try TrainingSetup.load(.alone(), try Workload(model: model, data: data, pairs: 8).config())
        let ready = Self.now
        let tokens = try setup.index.tokens(ofRow: 0, .anchor)
        let embedding = setup.session.model.embed(
            PackedTokens([tokens]), setup.state.adapters[0].loaded(for: setup.session.model.engine), heads: .dense
        ).dense!
        precondition(embedding.values.allSatisfy(\.isFinite), "the first embedding is not finite")
        print([begin, ready, Self.now].map { "\($0 - since)" }.joined(separator: " "))
    }

    /// - Returns: the three moments
    private func start(_ model: String, _ data: String) throws -> [Double] {
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.environment = ProcessInfo.processInfo.environment.filter { $0.key != "OMP_WAIT_POLICY" }
        process.standardOutput = pipe
        process.arguments = ["startup", "--model", model, "--data", data, "--since", "\(Self.now)"]
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let moments = output.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
        guard process.terminationStatus == 0, moments.count == 3 else {
            throw UserError(.broken, "a process that should embed one text ended with code \(process.terminationStatus)")
        }
        return moments
    }

    /// Reads all files of a folder once.
    ///
    /// - Returns: their bytes
    private func readThrough(_ folder: String) throws -> Int {
        var count = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder + "/" + name))
            while let piece = try file.read(upToCount: 1 << 24), !piece.isEmpty { count += piece.count }
        }
        return count
    }
}
