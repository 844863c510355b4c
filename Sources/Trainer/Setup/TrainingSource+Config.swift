// The files of a configuration as the source of training rows.

import Comm
import Data
import Embedding
import Files
import Foundation
import Project

extension TrainingSource {
    /// Finds the files of a configuration, every shard of each data set, and how their rows are read.
    ///
    /// Collective.
    /// - Parameter names: the tasks that have adapters; a row's task is one of them
    /// - Throws: `UserError` when a file is missing, its task has no adapter, or the hosts see other files
    static func open(
        _ world: Communicator, _ config: ProjectConfig, _ session: ModelSession, tasks names: [String]
    ) throws -> TrainingSource {
        let source = try world.together { try TrainingSource(config, session, tasks: names) }
        let paths: [UInt8] = source.files.reduce(into: []) { $0 += Array($1.path.utf8) + [0] }
        try world.requireSameOnHosts(SHA256.hash(of: paths.span.bytes), path: config.data.train[0].path, "list of data files")
        return source
    }

    private init(_ config: ProjectConfig, _ session: ModelSession, tasks names: [String]) throws(UserError) {
        var files: [File] = []
        for (set, entry) in config.data.train.enumerated() {
            let task = entry.task ?? DataConfig.usualTask
            guard names.contains(task) else {
                throw config.error(
                    at: DataSettings.train, "the task of \(entry.path) is \(task); the adapters are for \(names.joined(separator: ", "))")
            }
            let prompts = names.map { name in
                let prompts = entry.prompts(task: name)
                return (prompts.query.prefix, prompts.positive.prefix)
            }
            var rules = entry.rules(knownTasks: names, ignoredKeys: config.data.ignoredKeys)
            rules.readsTeacherScores = config.loss.readsTeacherScores
            files += try entry.shards().map { File(path: $0.path, rules, passages: entry.corpus, set: set, prompts: prompts) }
        }
        var holdsOut = false
        if case .pairsOrHeldOut(let file) = config.data.evaluation { holdsOut = !FileManager.default.fileExists(atPath: file.path) }
        self.init(
            files: files, taskNames: names, processor: session.processor, version: Versions.shoal,
            images: RowImages(config.data, session), dropsEqualNegatives: config.loss.maskDuplicates, holdsOut: holdsOut,
            badRows: config.data.onBadRow == .skip ? .skip(limit: config.data.badRowLimit) : .fail)
    }

    /// The number of rows of each data set and how often an epoch passes over them. The shards of a set are one set.   [sets]
    func sets(_ index: RowIndex, _ data: DataConfig) -> [(rows: Int, passes: Double)] {
        var rows = data.train.map { _ in 0 }
        for (file, indexed) in zip(files, index.files) { rows[file.set] += indexed.header.rows }
        let passes = SamplingWeights.passes(rows: rows, weights: data.train.map(\.weight), temperature: data.samplingTemperature)
        return Array(zip(rows, passes))
    }
}
