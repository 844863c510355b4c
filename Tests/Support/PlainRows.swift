// Files of rows as most tests need them: in Shoal's own form, one example a row, without rules of their own.

import Data
import Files
import Model

extension PairFile {
    /// Opens a file in Shoal's own form.
    package init(
        path: String, task: String, knownTasks: [String], scoreRange: ClosedRange<Double>? = nil, store: ImageStore? = nil
    ) throws(UserError) {
        try self.init(path: path, RowRules(plain: task, knownTasks, scoreRange), store: store)
    }

    /// The first example of a row.
    package func row(_ row: Int) throws(UserError) -> TrainingRow { try examples(ofRow: row)[0] }
}

extension TrainingSource {
    /// Files in Shoal's own form, each a data set.
    package init(
        files: [(path: String, task: String)], taskNames: [String], processor: TextProcessor, version: String, images: RowImages? = nil,
        dropsEqualNegatives: Bool = true, holdsOut: Bool = false, badRows: BadRows = .fail,
        scoreRanges: [Int: ClosedRange<Double>] = [:], prompts: (_ file: Int, _ task: String) -> (anchor: String, candidate: String)
    ) {
        self.init(
            files: files.enumerated().map { number, file in
                File(
                    path: file.path, RowRules(plain: file.task, taskNames, scoreRanges[number]), set: number,
                    prompts: taskNames.map { prompts(number, $0) })
            },
            taskNames: taskNames, processor: processor, version: version, images: images, dropsEqualNegatives: dropsEqualNegatives,
            holdsOut: holdsOut, badRows: badRows)
    }
}

extension RowRules {
    /// Rules that read all that a row may have.
    fileprivate init(plain task: String, _ knownTasks: [String], _ scoreRange: ClosedRange<Double>?) {
        self.init(task: task, knownTasks: knownTasks, scoreRange: scoreRange)
        readsTeacherScores = true
    }
}
