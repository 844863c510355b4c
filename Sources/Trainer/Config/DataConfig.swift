// The section `data`: where rows come from, what they are evaluated on, and which prompt stands before a text.

import Model
import Tensor

/// A file or folder of rows, with what holds for rows that do not say otherwise.
package struct DataFile: Sendable {
    /// Relative to the current folder.
    package let path: String
    /// nil: the row's own, else `DataConfig.usualTask`.
    package let task: String?
    private let queryPrompt: Prompt?
    private let positivePrompt: Prompt?

    /// The texts before an anchor, and before a positive or negative, for a row of `task`.
    package func prompts(task: String) -> (query: Prompt, positive: Prompt) {
        ((queryPrompt ?? .query).resolved(task: task), (positivePrompt ?? .passage).resolved(task: task))
    }

    init(path: String, task: String?, queryPrompt: Prompt? = nil, positivePrompt: Prompt? = nil) {
        self.path = path
        self.task = task
        self.queryPrompt = queryPrompt
        self.positivePrompt = positivePrompt
    }

    /// - Parameter json: as `decode` gives it
    init(_ json: JSONValue) {
        guard let path = json["path"]?.stringValue else { preconditionFailure("data file: no path in \(json)") }
        self.init(
            path: path, task: json["task"]?.stringValue, queryPrompt: json["query_prompt"]?.stringValue.map { Prompt($0) },
            positivePrompt: json["positive_prompt"]?.stringValue.map { Prompt($0) })
    }

    static let keys = ["path", "task", "query_prompt", "positive_prompt"]
    static let laterKeys = ["weight"]

    /// A path alone, or a mapping, to `{path, task, query_prompt, positive_prompt}` with null for what is not given.
    static func decode(_ node: YAMLNode, key: String) throws(UserError) -> JSONValue {
        var file = JSONObject()
        for name in keys { file[name] = JSONValue.null }
        guard case .mapping(let entries) = node.content else {
            file["path"] = try SettingForm.text("the path of a data file").decode(node, key: key)
            return .object(file)
        }
        for entry in entries {
            let name = "\(key).\(entry.key)"
            guard keys.contains(entry.key) else {
                throw entry.place.error(
                    laterKeys.contains(entry.key)
                        ? "\(name) is not available in this version; remove it"
                        : ConfigurationReader.unknown(entry.key, "in \(key)", known: keys))
            }
            if entry.key == "path" {
                file["path"] = try SettingForm.text("the path of a data file").decode(entry.value, key: name)
            } else if case .scalar(.text("")) = entry.value.content, entry.key != "task" {
                file[entry.key] = "none"
            } else {
                let words = entry.key == "task" ? "a task's name" : "`query`, `passage`, `none` or a text to put in front"
                file[entry.key] = try SettingForm.optional(.text(words)).decode(entry.value, key: name)
            }
        }
        guard file["path"]?.isNull == false else {
            throw node.place.error("\(key) has no path; add \"path: FILE\"")
        }
        return .object(file)
    }
}

/// `data`: what is trained and evaluated on.
package struct DataConfig: Sendable {
    /// The task of rows for which neither they nor their file name one.
    package static let usualTask = "retrieval"

    package let train: [DataFile]
    package let evaluation: EvaluationSource
    /// Where token indexes are kept, or `none`; nil: the user's own folder for such files.
    package let cacheFolder: String?  // cache_dir

    package enum EvaluationSource: Sendable {
        case none
        /// A folder in BEIR's layout.
        case beir(DataFile)
        /// JSON lines of pairs; the positives of all rows are the corpus.
        case pairs(DataFile)
        /// The pair file when it exists, else rows held out of training (the Python project's rule): with more than ten rows,
        /// those whose SHA-256 of the anchor's bytes, as a number, is 0 modulo 5.
        case pairsOrHeldOut(DataFile)

        package var path: String? {
            switch self {
            case .none: nil
            case .beir(let file), .pairs(let file), .pairsOrHeldOut(let file): file.path
            }
        }
    }

    init(_ values: SettingValues) {
        cacheFolder = values.optionalText("data.cache_dir")
        let files = values["data.train"].arrayValue
        let folder = values.optionalText("data.processed_dir")
        self.train = files?.map(DataFile.init) ?? [DataFile(path: "\(folder ?? "")/train.jsonl", task: nil)]
        if !values["data.evaluation"].isNull {
            let given = DataFile(values["data.evaluation"])
            let file = DataFile(given, taskWhenAbsent: train[0].task)
            self.evaluation = Self.isPairFile(file.path) ? .pairs(file) : .beir(file)
        } else if files == nil {
            self.evaluation = .pairsOrHeldOut(DataFile(path: "\(folder ?? "")/eval.jsonl", task: nil))
        } else {
            self.evaluation = .none
        }
    }

    /// By name alone, so that every rank decides alike without looking: anything else is a BEIR folder.
    private static func isPairFile(_ path: String) -> Bool {
        path.hasSuffix(".jsonl") || path.hasSuffix(".jsonl.gz")
    }
}

extension DataFile {
    fileprivate init(_ file: DataFile, taskWhenAbsent task: String?) {
        self.init(path: file.path, task: file.task ?? task, queryPrompt: file.queryPrompt, positivePrompt: file.positivePrompt)
    }
}
