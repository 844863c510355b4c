// What only the model or the data can refute in a configuration, once both are read and before anything is trained.

import Config
import Data
import Files
import Loss
import Model
import Project

extension ProjectConfig {
    /// - Parameter known: tasks with an adapter in this run
    /// - Throws: when a setting that goes by task names another
    func checkTaskNames(_ known: [String]) throws(UserError) {
        var settings: [(setting: any AnySetting, names: [String])] = [
            (TrainingSettings.taskLearningRates, Array(training.taskLearningRates.keys)),
            (LossSettings.taskWeights, Array(loss.taskWeights.keys)),
        ]
        if case .byTask(let starts) = lora.startFrom { settings.append((LoRASettings.startFrom, starts.tasks)) }
        for (setting, names) in settings {
            for name in names.sorted() where !known.contains(name) {
                let hint = NearestName.of(name, among: known).map { "did you mean \($0)?" } ?? "there are \(known.joined(separator: ", "))"
                throw error(
                    at: setting, entry: name, "\(setting): no adapter of this run is for the task \(YAMLScalar.quoted(name)); \(hint)")
            }
        }
    }
}

extension ProjectConfig {
    /// - Throws: when the vectors have fewer values than a prefix of them that should be trained
    func checkWidths(_ model: ModelConfig) throws(UserError) {
        let width = model.text.hiddenSize
        guard let largest = loss.matryoshkaDimensions.last, largest > width else { return }
        throw error(
            at: LossSettings.matryoshkaDimensions,
            "\(LossSettings.matryoshkaDimensions) has \(largest), and the model's vectors have \(width) values; leave it out")
    }
}

extension LossConfig {
    /// One that is set and that only rows without scores read.
    fileprivate var settingOfThePool: (any AnySetting)? {
        var given: [(setting: any AnySetting, isSet: Bool)] = []
        if let loss = ungraded.contrastive {
            given = [(LossSettings.isSymmetric, loss.isSymmetric), (LossSettings.negativeMargin, loss.negativeMargin != nil)]
        }
        given += [(LossSettings.poolLimit, poolLimit != nil), (LossSettings.memoryBankSteps, memoryBankSteps > 0)]
        return given.first(where: \.isSet)?.setting
    }
}

extension TrainingSetup {
    /// Whether the rows can be trained on as the configuration says.
    static func check(
        _ config: ProjectConfig, _ index: RowIndex, _ source: TrainingSource, _ sampler: BatchSampler, worldSize: Int
    ) throws(UserError) {
        try checkScores(config, index, source)
        try checkTeacher(config, index, source)
        try checkNegatives(config, index, source)
        try checkSets(config, index, source, sampler)
        try checkBatch(config, source, sampler, worldSize: worldSize)
        let weights = sampler.kinds.filter(\.fillsBatch).map { config.loss.taskWeights[source.taskNames[$0.kind.task]] ?? 1 }
        if weights.allSatisfy({ $0 == 0 }) {
            throw config.error(
                at: LossSettings.taskWeights, "every task with rows has the weight 0, so nothing would be trained; raise one")
        }
    }

    /// Rows with scores take CoSENT, which has neither a divergence nor a pool.
    private static func checkScores(_ config: ProjectConfig, _ index: RowIndex, _ source: TrainingSource) throws(UserError) {
        let graded = index.gradedByTask.reduce(0, +)
        if graded > 0 && config.loss.denseWeight == 0 && config.loss.lateWeight == 0 {
            throw config.error(
                at: LossSettings.divergenceWeight,
                "\(LossSettings.divergenceWeight) does not count for the \(Figures.count(graded, "row")) with scores, and \(LossSettings.denseWeight) and "
                    + "\(LossSettings.lateWeight) are 0: nothing would be learnt from them; raise one of the two or leave these rows out")
        }
        if graded == index.count, let setting = config.loss.settingOfThePool {
            throw config.error(at: setting, "every row has a score and takes CoSENT, in which \(setting) has no part; remove it")
        }
        guard config.loss.ungraded.loss.needsGrades, let place = index.firstUngraded else { return }
        throw UserError(
            .content, source.files[place.file].path, line: try source.open(place.file).lineNumber(ofRow: place.row),
            "this row has no \"score\", and loss.name: \(config.loss.name.rawValue) needs one in every row; add it, remove the row, or use loss.name: infonce"
        )
    }

    /// Distillation alone needs a teacher's scores in every row; added to a contrastive loss, in one at least.
    private static func checkTeacher(_ config: ProjectConfig, _ index: RowIndex, _ source: TrainingSource) throws(UserError) {
        switch config.loss.ungraded.loss.needsTeacher {
        case .none: return
        case .some:
            guard index.taughtRows == 0 else { return }
            throw config.error(
                at: LossSettings.distillWeight,
                "\(LossSettings.distillWeight) has no part, since no row has a teacher's scores of a positive and a negative; add \"scores\" to "
                    + "the rows or remove it")
        case .every:
            guard let place = index.firstUntaught else { return }
            throw UserError(
                .content, source.files[place.file].path, line: try source.open(place.file).lineNumber(ofRow: place.row),
                "this row has no teacher's scores, and loss.name: \(config.loss.name.rawValue) needs them in every row; add \"scores\", a number "
                    + "for the positive and each negative, remove the row, or use loss.name: infonce with \(LossSettings.distillWeight)")
        }
    }

    /// A task without a triplet would not be trained.
    private static func checkNegatives(_ config: ProjectConfig, _ index: RowIndex, _ source: TrainingSource) throws(UserError) {
        guard config.loss.ungraded.loss.needsNegatives else { return }
        let ungraded = zip(index.rowsByTask, index.gradedByTask).map { $0 - $1 }
        for (task, count) in index.rowsWithoutNegatives.enumerated() where count > 0 && count == ungraded[task] {
            throw config.error(
                at: LossSettings.name,
                "\(LossSettings.name): \(config.loss.name.rawValue) sets a positive against negatives of its own row, and no row of the task \(source.taskNames[task]) "
                    + "has any; add \"negatives\" to the rows or use loss.name: infonce")
        }
    }

    private static func checkBatch(
        _ config: ProjectConfig, _ source: TrainingSource, _ sampler: BatchSampler, worldSize: Int
    ) throws(UserError) {
        let setting = config.isGiven(TrainingSettings.globalBatchSize) ? TrainingSettings.globalBatchSize : TrainingSettings.batchSize
        if sampler.batchRows < worldSize {
            throw config.error(
                at: setting,
                "a global batch of \(sampler.batchRows) rows has fewer rows than the \(worldSize) ranks; raise it or start fewer ranks")
        }
        if sampler.largestKind < sampler.batchRows {
            throw config.error(
                at: setting,
                "a global batch needs \(sampler.batchRows) rows of one task, all with a score or all without, and an epoch has "
                    + "\(sampler.largestKind); lower it or add rows to \(source.files[0].path)")
        }
    }

    private static func checkSets(
        _ config: ProjectConfig, _ index: RowIndex, _ source: TrainingSource, _ sampler: BatchSampler
    ) throws(UserError) {
        for (set, (entry, rows)) in zip(config.data.train, source.sets(index, config.data)).enumerated() where sampler.rowsBySet[set] == 0 {
            throw config.error(
                at: DataSettings.train,
                "\(DataSettings.train)[\(set)].weight \(Figures.short(entry.weight)) takes no row of \(entry.path), which has \(rows.rows); raise it"
            )
        }
        guard !config.training.shuffle else { return }
        for (number, file) in source.files.enumerated() where index.files[number].header.kindCount > 1 {
            throw config.error(
                at: TrainingSettings.shuffle,
                "without shuffling a file must hold one task, and scores in all rows or in none, and \(file.path) holds several kinds; "
                    + "split it or set training.shuffle: true")
        }
    }

    /// Rows left out for their images, kinds of rows that never fill a batch, and so are not trained on, and rows that make no
    /// triplet.
    static func notices(_ config: ProjectConfig, _ sampler: BatchSampler, _ source: TrainingSource, _ index: RowIndex) -> [String] {
        let bare = config.loss.ungraded.loss.needsNegatives ? index.rowsWithoutNegatives.reduce(0, +) : 0
        let untouched =
            bare == 0
            ? []
            : [
                "\(Figures.count(bare, "row")) without negatives: loss.name: \(config.loss.name.rawValue) learns nothing from \(bare == 1 ? "it" : "them")"
            ]
        let taught = config.loss.ungraded.loss.needsTeacher == .some ? index.taughtRows : 0
        let untaught = index.count - index.gradedByTask.reduce(0, +) - taught
        let partlyTaught =
            taught == 0 || untaught == 0
            ? [] : ["\(Figures.count(untaught, "row")) without a teacher's scores of a positive and a negative: no distillation in them"]
        let skipped = zip(source.files, index.files).filter { $1.header.skippedRows > 0 }.map { file, rows in
            "\(Figures.count(rows.header.skippedRows, "row")) of \(file.path) left out, because an image of theirs cannot be used "
                + "(data.on_bad_image: skip)"
        }
        return rowNotices(source, index) + skipped + untouched + partlyTaught
            + sampler.kinds.filter { !$0.fillsBatch }.map { kind, rows, _ in
                "an epoch has \(Figures.count(rows, "row")) of \(source.taskNames[kind.task])\(kind.isGraded ? " with scores" : ""), fewer than a "
                    + "global batch of \(Figures.count(sampler.batchRows)); they are not trained on"
            }
    }
}

/// What the rows of each file were read as, keys without a part in training, and rows that were left out.
private func rowNotices(_ source: TrainingSource, _ index: RowIndex) -> [String] {
    zip(source.files, index.files).flatMap { file, indexed -> [String] in
        guard let report = try? indexed.report() else { return [] }
        let several = report.rowsWithSeveralPositives
        return [
            report.keys.formSentence(path: file.path, file.rules.columns),
            report.keys.unreadSentence(path: file.path, ignored: file.rules.ignoredKeys),
            several == 0
                ? nil
                : "\(Figures.count(several, "row")) of \(file.path) \(several == 1 ? "has" : "have") several positives: each is an example of its own",
            report.badRowSentence(path: file.path, rows: indexed.header.fileRows),
        ].compactMap(\.self)
    }
}

extension RowIndex {
    /// How many rows have neither a score nor a hard negative.     [tasks]
    fileprivate var rowsWithoutNegatives: [Int] {
        var counts = rowsByTask.map { _ in 0 }
        for file in files {
            for row in 0..<file.header.rows where !file.kind(ofRow: row).isGraded && file.negativeCount(ofRow: row) == 0 {
                counts[file.kind(ofRow: row).task] += 1
            }
        }
        return counts
    }
}

extension TokenIndexHeader {
    /// Kinds that have rows.
    fileprivate var kindCount: Int {
        zip(rowsByTask, gradedByTask).reduce(0) { $0 + ($1.1 > 0 ? 1 : 0) + ($1.0 > $1.1 ? 1 : 0) }
    }
}
