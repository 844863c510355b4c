// When a run may go on from a checkpoint: with the settings and the data that it was started with. Otherwise its records would
// tell of one run where there were two.

import Config
import Files
import Project

/// What a resumed run must share with the checkpoint.
package struct ResumeRule: Sendable {
    package let config: ProjectConfig
    package let worldSize: Int
    /// Path of each training file, and what tells its content from another's.
    package let dataFingerprints: [String: String]

    package init(config: ProjectConfig, worldSize: Int, dataFingerprints: [String: String]) {
        self.config = config
        self.worldSize = worldSize
        self.dataFingerprints = dataFingerprints
    }

    /// - Parameter checkpoint: its path
    /// - Returns: sentences for the user about what is kept from the run though it differs now
    /// - Throws: `UserError` `.configuration` listing the settings that differ, or naming the data file that does
    package func check(_ info: CheckpointInfo, checkpoint: String) throws(UserError) -> [String] {
        var differences = config.differencesForbiddenOnResume(from: info.configuration, except: Self.batchSettings)
        let batch = batch(info)
        if case .differs(let sentence) = batch { differences.append(sentence) }
        guard differences.isEmpty else {
            throw UserError(
                .configuration, checkpoint,
                "was written with other settings (\(differences.joined(separator: "; "))); set them as in the run, or start anew in another training.output_dir"
            )
        }
        try checkData(info)
        if case .kept(let notice) = batch { return [notice] }
        return []
    }

    // MARK: - The global batch

    private static let batchSettings: [any AnySetting] = [TrainingSettings.batchSize, TrainingSettings.globalBatchSize]

    private enum Batch {
        case same
        case kept(String)
        case differs(String)
    }

    /// Rows of all ranks must be the same. The setting of rows a rank may stand as it was while the number of ranks changes: then
    /// the run keeps its global batch.
    private func batch(_ info: CheckpointInfo) -> Batch {
        let rows = config.training.batch.globalRows(worldSize: worldSize)
        if rows == info.globalBatchRows { return .same }
        if case .perRank(let now) = config.training.batch, info.rowsPerRank == now {
            return .kept(
                "the run keeps its global batch of \(info.globalBatchRows) rows: training.batch_size \(now) on \(worldSize) ranks would make it \(rows)"
            )
        }
        return .differs("global batch: \(info.globalBatchRows) rows in the run, \(rows) now")
    }

    // MARK: - The data

    private func checkData(_ info: CheckpointInfo) throws(UserError) {
        let (before, now) = (info.dataFingerprints.exact, dataFingerprints.exact)
        for path in Set(before.keys).union(now.keys).sorted() {
            switch (before[path], now[path]) {
            case (let before?, let now?) where before.utf8.elementsEqual(now.utf8): continue
            case (nil, _): throw UserError(.configuration, path.string, "is not among the run's training files; take it out of data.train")
            case (_, nil): throw UserError(.configuration, path.string, "is among the run's training files; add it to data.train again")
            default:
                throw UserError(
                    .configuration, path.string,
                    "is not what the run was started with; restore it, or start anew in another training.output_dir")
            }
        }
    }
}

extension [String: String] {
    fileprivate var exact: [ExactString: String] {
        [ExactString: String](uniqueKeysWithValues: map { (ExactString($0.key), $0.value) })
    }
}

extension CheckpointInfo {
    /// The setting of the run, when it was rows a rank.
    fileprivate var rowsPerRank: Int? {
        guard TrainingSettings.globalBatchSize.json(in: configuration).integerValue == nil else { return nil }
        return TrainingSettings.batchSize.json(in: configuration).integerValue.map { Int($0) }
    }
}
