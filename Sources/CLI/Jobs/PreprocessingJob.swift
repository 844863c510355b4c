// `shoal preprocess` from its flags to its report: inputs found, or taken from a configuration; progress as lines.

import Comm
import Data
import Files
import Foundation
import Preprocessing
import Tensor
import Trainer

/// A run of `shoal preprocess`.
struct PreprocessingJob {
    /// Files, folders and patterns; empty with a configuration.
    var inputs: [String]
    /// Where the rows go; nil with a configuration.
    var output: String?
    /// Path of a configuration; nil: none.
    var config: String?
    /// What is changed in it.
    var overrides: [String]
    /// Threads of each rank; nil: the cores that it has.
    var threads: Int?
    /// Sets what flags say, once inputs and outputs are known.
    var change: (inout PreprocessingOptions) -> Void = { _ in }

    /// Preprocesses, and gives the report as text.
    ///
    /// Collective.
    /// - Throws: `UserError`, the same on every rank
    func run(_ world: Communicator, _ console: Console) throws -> String {
        Threads.count = threads ?? world.hosts.coresPerRank
        var options = try config.map { try self.options(world, configuration: $0) } ?? PreprocessingOptions(inputs: [], output: output!)
        if config == nil { options.inputs = try world.together { () throws(UserError) in try Preprocessor.files(inputs) } }
        change(&options)
        let progress = PreprocessingProgress(console)
        let report = try Preprocessor(options).run(world) { progress.show(rows: $0) }
        progress.finish(rows: report.rowsRead)
        return report.text
    }

    /// What a configuration says: raw folder, processed folder, model.
    private func options(_ world: Communicator, configuration path: String) throws -> PreprocessingOptions {
        let config = try TrainingSetup.configuration(world, path: path, overrides: overrides)
        return try world.together { () throws(UserError) in
            guard let raw = config.data.rawFolder else {
                throw config.error(at: DataSettings.rawFolder, "\(DataSettings.rawFolder) is missing; add the folder of the raw tables")
            }
            guard let processed = config.data.processedFolder else {
                throw config.error(
                    at: DataSettings.processedFolder, "\(DataSettings.processedFolder) is missing; add the folder that the rows go into")
            }
            if world.rank == 0 {
                do { try FileManager.default.createDirectory(atPath: processed, withIntermediateDirectories: true) } catch {
                    throw UserError(.output, processed, "this folder cannot be made; check the path and its permissions")
                }
            }
            var options = PreprocessingOptions(
                inputs: try Preprocessor.files(inRawFolder: raw), output: "\(processed)/train.jsonl")
            options.heldOutOutput = "\(processed)/eval.jsonl"
            options.report = "\(processed)/preprocess.json"
            options.modelFolder = config.baseModelPath
            options.takesSeedKeys = true
            return options
        }
    }
}

/// How many rows have been read, as a line every few seconds.
private final class PreprocessingProgress {
    /// Seconds before the first line, and between lines.
    private static let interval = 5.0

    private let console: Console
    private let start = secondsOfUptime()
    private var last: Double

    init(_ console: Console) {
        self.console = console
        last = start
    }

    func show(rows: Int) {
        let now = secondsOfUptime()
        guard now - last >= Self.interval else { return }
        last = now
        console.write(line: "preprocessing · \(Figures.count(rows, "row")) · \(rate(rows, now)) rows/s")
    }

    func finish(rows: Int) {
        let now = secondsOfUptime()
        console.write(line: "preprocessed \(Figures.count(rows, "row")) in \(Figures.duration(now - start)), \(rate(rows, now)) rows/s")
    }

    private func rate(_ rows: Int, _ now: Double) -> String { Figures.count(Int(Double(rows) / max(now - start, 1e-3))) }
}
