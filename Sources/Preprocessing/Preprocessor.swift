// From raw files to checked rows: setup, the pass, the report.

import Comm
import Data
import Files
import Foundation
import Model

/// Makes files of checked rows out of raw ones.
///
///     var options = PreprocessingOptions(inputs: try Preprocessor.files(["raw/*.parquet"]), output: "train.jsonl.gz")
///     options.evaluationSets = ["test"]
///     let report = try Preprocessor(options).run(world)
package struct Preprocessor {
    private let options: PreprocessingOptions

    /// Takes what is to be done.
    package init(_ options: PreprocessingOptions) { self.options = options }

    /// The files that paths, folders and patterns mean, in their order, each once.
    ///
    /// - Throws: `UserError` `.missing` when one means nothing, `.content` when a folder holds tables of several formats
    package static func files(_ patterns: [String]) throws(UserError) -> [String] {
        var files: [String] = []
        for pattern in patterns { for path in try RowStream.files(pattern) where !files.contains(path) { files.append(path) } }
        return files
    }

    /// The tables in a folder, of whatever formats: so the Python project keeps its raw data.
    ///
    /// - Throws: `UserError` `.missing` when there is none
    package static func files(inRawFolder folder: String) throws(UserError) -> [String] { try RowStream.allFiles(inFolder: folder) }

    /// Reads all rows and writes those that stay.
    ///
    /// Collective.
    /// - Parameter progress: told of the rows read so far, after each round
    /// - Returns: what was found and done; the same on every rank but for the files, which rank 0 alone has written
    /// - Throws: `UserError`, the same on every rank; then no file has been written
    package func run(_ world: Communicator, progress: (_ rowsRead: Int) -> Void = { _ in }) throws -> PreprocessingReport {
        world.phase = "setup"
        try world.requireSameOnHosts(try world.together { try fingerprint() }, path: options.inputs[0], "input")
        let (processor, tasks, sets) = try world.together { () throws -> (TextProcessor?, [String]?, [LeakSet]) in
            try checkOutputs()
            let model = try options.modelFolder.map { folder throws(UserError) in try Self.processor(folder) }
            var sets: [LeakSet] = []
            for path in options.evaluationSets { sets.append(try LeakSet(path: path, options.evaluationSide)) }
            return (model?.processor, model?.tasks, sets)
        }
        let rule = RowRule(task: options.task, knownTasks: tasks, takesSeedKeys: options.takesSeedKeys)
        let pass = try world.together { () throws(UserError) in try PreprocessingPass(world, options, processor, rule, sets) }

        world.phase = "rows"
        while try pass.round() {
            progress(pass.rowsRead)
            if try world.anyTrue(StopRequest.isRequested) {
                throw UserError(.stopped, "stopped on request after \(Figures.count(pass.rowsRead, "row")); nothing was written")
            }
        }
        world.phase = "output"
        let written = try pass.finish()
        let report = PreprocessingReport(options, pass.tally, rowsRead: pass.rowsRead, sets, written)
        if let path = options.report {
            try world.together { () -> Void in
                if world.rank == 0 { try AtomicWrite.write(report.json.serialized(pretty: true) + [0x0A], to: path) }
            }
        }
        return report
    }

    /// The tokenizer and the tasks of a model.
    private static func processor(_ folder: String) throws(UserError) -> (processor: TextProcessor, tasks: [String]) {
        let config = try ModelConfig.read(folder: folder)
        return (TextProcessor(try TextProcessor.tokenizer(folder: folder, config: config), maxTokens: .max), config.taskNames)
    }

    /// Names and sizes of the input files.
    private func fingerprint() throws(UserError) -> [UInt8] {
        var hash = SHA256()
        for path in options.inputs { hash.update(Array("\(try FileIdentity(path: path).size) \(path)\n".utf8)) }
        return hash.finalize()
    }

    private func checkOutputs() throws(UserError) {
        let outputs = [options.output] + (options.heldOutOutput.map { [$0] } ?? [])
        for path in outputs {
            guard path.hasSuffix(".jsonl") || path.hasSuffix(".jsonl.gz") else {
                throw UserError(.usage, path, "is no name of an output; rows are written as .jsonl or .jsonl.gz")
            }
        }
        func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        let inputs = Set(options.inputs.map(resolved))
        var seen: Set<String> = []
        for path in outputs + (options.report.map { [$0] } ?? []) {
            if inputs.contains(resolved(path)) {
                throw UserError(.usage, path, "is both input and output; name another output, or a narrower pattern of inputs")
            }
            guard seen.insert(resolved(path)).inserted else { throw UserError(.usage, path, "is named for two outputs; name two files") }
        }
        if let path = options.report, !path.isEmpty { try AtomicWrite.requireWritable(path) }
    }
}
