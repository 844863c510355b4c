// A file of rows as the section `data` names it: a path alone, or a mapping that says more.

import Config
import Files
import Model

/// A file or folder of rows, with what holds for rows that do not say otherwise.
package struct DataFile: Sendable {
    /// Relative to the current folder.
    package let path: String
    /// The task of rows that name none; nil: `DataConfig.usualTask`.
    package let task: String?
    private let queryPrompt: Prompt?
    private let positivePrompt: Prompt?
    /// Passes over its rows in an epoch, where the file's mapping gives them; nil for anything but a training file.
    package let givenWeight: Double?
    /// The range of scores in a training file; nil: any finite number.
    package let scoreRange: ClosedRange<Double>?
    /// Which columns are which parts of its rows.
    package let columns: RowColumns
    /// The score of each label; nil: a number is its own score.
    package let labelScores: [String: Double]?
    /// The file of passages that its rows name by their ids; nil: rows hold their texts.
    package let corpus: String?

    /// Passes over its rows in an epoch.
    package var weight: Double { givenWeight ?? 1 }

    /// The texts before an anchor, and before a positive or negative, for a row of `task`.
    package func prompts(task: String) -> (query: Prompt, positive: Prompt) {
        ((queryPrompt ?? .query).resolved(task: task), (positivePrompt ?? .passage).resolved(task: task))
    }

    init(
        path: String, task: String? = nil, queryPrompt: Prompt? = nil, positivePrompt: Prompt? = nil, givenWeight: Double? = nil,
        scoreRange: ClosedRange<Double>? = nil, columns: RowColumns = RowColumns(), labelScores: [String: Double]? = nil,
        corpus: String? = nil
    ) {
        self.path = path
        self.task = task
        self.queryPrompt = queryPrompt
        self.positivePrompt = positivePrompt
        self.givenWeight = givenWeight
        self.scoreRange = scoreRange
        self.columns = columns
        self.labelScores = labelScores
        self.corpus = corpus
    }

    /// The same rules for another path: one shard of the file.
    package func shard(_ path: String) -> DataFile {
        DataFile(
            path: path, task: task, queryPrompt: queryPrompt, positivePrompt: positivePrompt, givenWeight: givenWeight,
            scoreRange: scoreRange, columns: columns, labelScores: labelScores, corpus: corpus)
    }

    /// How its rows are read.
    ///
    /// - Parameters:
    ///   - knownTasks: the tasks that a row may have, in the model's order
    ///   - ignoredKeys: `data.ignore`
    package func rules(knownTasks: [String], ignoredKeys: [KeyPattern]) -> RowRules {
        var rules = RowRules(task: task ?? DataConfig.usualTask, knownTasks: knownTasks, scoreRange: scoreRange)
        rules.columns = columns
        rules.labelScores = labelScores
        rules.ignoredKeys = ignoredKeys
        return rules
    }

    /// The same file with a task where it has none, and as one that is not trained on.
    init(_ file: DataFile, taskWhenAbsent task: String?) {
        self.init(
            path: file.path, task: file.task ?? task, queryPrompt: file.queryPrompt, positivePrompt: file.positivePrompt,
            columns: file.columns, labelScores: file.labelScores, corpus: file.corpus)
    }

    // MARK: - In the configuration

    fileprivate enum Member: String, CaseIterable {
        case path, task
        case queryPrompt = "query_prompt"
        case positivePrompt = "positive_prompt"
        case columns
        case labelScores = "label_scores"
        case corpus, weight
        case scoreRange = "score_range"

        static let ofAnyFile: [Member] = [.path, .task, .queryPrompt, .positivePrompt, .columns, .labelScores, .corpus]
        static let ofTrainingFile = allCases
    }

    /// More would be a mistake, and the rows of an epoch would not fit in memory.
    private static let mostPasses = 1000.0

    private static var pathForm: SettingForm<String> { .text("the path of a data file") }

    /// The path alone, or a mapping of `members`; nil for any other node.
    fileprivate init?(_ node: YAMLNode, key: String, members: [Member]) throws(UserError) {
        let entries: [YAMLNode.Entry]
        switch node.content {
        case .scalar(.text):
            self.init(path: try Self.pathForm.decode(node, key: key))
            return
        case .mapping(let mapping): entries = mapping
        default: return nil
        }
        var (path, task, query, positive): (String?, String?, Prompt?, Prompt?)
        var (weight, scores): (Double?, ClosedRange<Double>?)
        var (columns, labels, corpus): (RowColumns?, TaskValues<Double>?, String?)
        for entry in entries {
            let (value, name) = (entry.value, "\(key).\(entry.key)")
            guard let member = members.first(where: { $0.rawValue == entry.key }) else {
                throw entry.place.error(NearestName.unknownKey(entry.key, "in \(key)", known: members.map(\.rawValue)))
            }
            switch member {
            case .path: path = try Self.pathForm.decode(value, key: name)
            case .task: task = try SettingForm.optional(.text("a task's name")).decode(value, key: name)
            case .queryPrompt: query = try SettingForm.optional(.prompt).decode(value, key: name)
            case .positivePrompt: positive = try SettingForm.optional(.prompt).decode(value, key: name)
            case .columns: columns = try SettingForm.optional(.columns).decode(value, key: name)
            case .labelScores: labels = try SettingForm.optional(.labelScores).decode(value, key: name)
            case .corpus: corpus = try SettingForm.optional(Self.pathForm).decode(value, key: name)
            case .weight: weight = try SettingForm.optional(.number(.leftOpen(0, Self.mostPasses))).decode(value, key: name)
            case .scoreRange: scores = try SettingForm.optional(.interval).decode(value, key: name)
            }
        }
        guard let path else { throw node.place.error("\(key) has no path; add \"path: FILE\"") }
        self.init(
            path: path, task: task, queryPrompt: query, positivePrompt: positive, givenWeight: weight, scoreRange: scores,
            columns: columns ?? RowColumns(), labelScores: labels?.dictionary, corpus: corpus)
    }

    /// A mapping of all `members`, with null for what is not given.
    fileprivate func json(_ members: [Member]) -> JSONValue {
        var object = JSONObject()
        for member in members {
            let value: JSONValue? =
                switch member {
                case .path: .string(path)
                case .task: task.map { .string($0) }
                case .queryPrompt: queryPrompt.map(SettingForm.prompt.json)
                case .positivePrompt: positivePrompt.map(SettingForm.prompt.json)
                case .columns: columns.parts.isEmpty ? nil : columns.json
                case .labelScores:
                    labelScores.map { scores in
                        .object(scores.keys.sorted().reduce(into: JSONObject()) { $0[$1] = .number(scores[$1]!) })
                    }
                case .corpus: corpus.map { .string($0) }
                case .weight: givenWeight.map { .number($0) }
                case .scoreRange: scoreRange.map(SettingForm.interval.json)
                }
            object[member.rawValue] = value ?? .null
        }
        return .object(object)
    }
}

extension SettingForm where Value == DataFile {
    private static func file(_ members: [DataFile.Member]) -> Self {
        let names = members.map(\.rawValue).joined(separator: ", ")
        return Self(
            "a path, or `{\(names)}`", encode: { $0.json(members) },
            read: { (node, key) throws(UserError) -> DataFile? in
                try DataFile(node, key: key, members: members)
            })
    }

    /// A data file: a path, or a mapping with the path, task and prompts.
    package static var dataFile: Self { file(DataFile.Member.ofAnyFile) }

    /// A data file that has a weight and a range of scores, too.
    package static var trainingFile: Self { file(DataFile.Member.ofTrainingFile) }
}

extension SettingForm where Value == [DataFile] {
    /// A list of training files, or a single one.
    package static var trainingFiles: Self {
        let file = SettingForm<DataFile>.trainingFile
        let words = file.inWords.replacing("a path, or ", with: "a path, or a list of paths and ")
        return Self(
            words, encode: { .array($0.map(file.json)) },
            read: { (node, key) throws(UserError) -> [DataFile]? in
                switch node.content {
                case .scalar(.text), .mapping: return [try file.decode(node, key: key)]
                case .sequence(let elements):
                    guard !elements.isEmpty else { throw node.place.error("\(key) is an empty list; name at least one file") }
                    var files: [DataFile] = []
                    for (index, element) in elements.enumerated() { files.append(try file.decode(element, key: "\(key)[\(index)]")) }
                    return files
                default: return nil
                }
            })
    }
}

extension SettingForm where Value == Prompt {
    /// The name of a prompt, or a text; the empty text is `none`.
    package static var prompt: Self {
        Self(
            "`query`, `passage`, `none` or a text to put in front", hint: quotesMissing,
            encode: { prompt in
                switch prompt {
                case .query: "query"
                case .passage: "passage"
                case .none: "none"
                case .literal(let text): .string(text)
                }
            },
            read: { node, _ in
                guard case .scalar(.text(let text)) = node.content else { return nil }
                return text.isEmpty ? Prompt.none : Prompt(text)
            })
    }
}
