// The section `data`: where rows come from, what they are evaluated on, and which prompt stands before a text.

import Files
import Model

/// A file or folder of rows, with what holds for rows that do not say otherwise.
package struct DataFile: Sendable {
    /// Relative to the current folder.
    package let path: String
    /// nil: the row's own, else `DataConfig.usualTask`.
    package let task: String?
    private let queryPrompt: Prompt?
    private let positivePrompt: Prompt?
    /// Passes over its rows in an epoch. Of training files, like the range.
    package let weight: Double
    /// What scores may be; nil: any finite number.
    package let scoreRange: ClosedRange<Double>?

    /// The texts before an anchor, and before a positive or negative, for a row of `task`.
    package func prompts(task: String) -> (query: Prompt, positive: Prompt) {
        ((queryPrompt ?? .query).resolved(task: task), (positivePrompt ?? .passage).resolved(task: task))
    }

    init(
        path: String, task: String?, queryPrompt: Prompt? = nil, positivePrompt: Prompt? = nil, weight: Double = 1,
        scoreRange: ClosedRange<Double>? = nil
    ) {
        self.path = path
        self.task = task
        self.queryPrompt = queryPrompt
        self.positivePrompt = positivePrompt
        self.weight = weight
        self.scoreRange = scoreRange
    }

    /// - Parameter json: as `decode` gives it
    init(_ json: JSONValue) {
        guard let path = json["path"]?.stringValue else { preconditionFailure("data file: no path in \(json)") }
        self.init(
            path: path, task: json["task"]?.stringValue, queryPrompt: json["query_prompt"]?.stringValue.map { Prompt($0) },
            positivePrompt: json["positive_prompt"]?.stringValue.map { Prompt($0) }, weight: json["weight"]?.numberValue ?? 1,
            scoreRange: json["score_range"]?.arrayValue?.compactMap(\.numberValue).asRange)
    }

    static let keys = ["path", "task", "query_prompt", "positive_prompt"]
    /// Those of a training file.
    static let trainingKeys = keys + ["weight", "score_range"]

    /// More would be a mistake, and the rows of an epoch would not fit in memory.
    private static let mostPasses = 1000.0

    /// A path alone, or a mapping, to a mapping of all `keys` with null for what is not given.
    static func decode(_ node: YAMLNode, key: String, keys: [String]) throws(UserError) -> JSONValue {
        var file = JSONObject()
        for name in keys { file[name] = JSONValue.null }
        guard case .mapping(let entries) = node.content else {
            file["path"] = try SettingForm.text("the path of a data file").decode(node, key: key)
            return .object(file)
        }
        for entry in entries {
            let name = "\(key).\(entry.key)"
            guard keys.contains(entry.key) else {
                throw entry.place.error(ConfigurationReader.unknown(entry.key, "in \(key)", known: keys))
            }
            file[entry.key] = try decode(entry, key: name)
        }
        guard file["path"]?.isNull == false else {
            throw node.place.error("\(key) has no path; add \"path: FILE\"")
        }
        return .object(file)
    }

    private static func decode(_ entry: YAMLNode.Entry, key: String) throws(UserError) -> JSONValue {
        let form: SettingForm
        switch entry.key {
        case "path": return try SettingForm.text("the path of a data file").decode(entry.value, key: key)
        case "task": form = .text("a task's name")
        case "weight": form = .number(.leftOpen(0, mostPasses))
        case "score_range": form = .interval
        default:
            if case .scalar(.text("")) = entry.value.content { return "none" }
            form = .text("`query`, `passage`, `none` or a text to put in front")
        }
        return try SettingForm.optional(form).decode(entry.value, key: key)
    }
}

extension [Double] {
    /// Of its two numbers.
    fileprivate var asRange: ClosedRange<Double> { self[0]...self[1] }
}

/// `data`: what is trained and evaluated on.
package struct DataConfig: Sendable {
    /// The task of rows for which neither they nor their file name one.
    package static let usualTask = "retrieval"

    package let train: [DataFile]
    package let evaluation: EvaluationSource
    /// 1: data sets in proportion to their rows and weights; higher: sets of unlike size more alike.
    package let samplingTemperature: Double
    /// Where token indexes are kept, or `none`; nil: the user's own folder for such files.
    package let cacheFolder: String?  // cache_dir

    /// Folder that images of rows must lie in; nil: that of the data file.
    package let imageFolder: String?  // image_base_dir
    /// Of a scaled image; nil: the model's own limits.
    package let minPixels: Int?
    package let maxPixels: Int?
    package let onBadImage: BadImage
    /// Where features of images are kept; nil: nowhere.
    package let imageCache: String?
    /// Nil: as much as the disk holds.
    package let imageCacheBytes: Int?  // image_cache_size

    /// What becomes of a row with an image that cannot be used.
    package enum BadImage: String, Sendable { case fail, skip }

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
        imageFolder = values.optionalText("data.image_base_dir")
        minPixels = values.optionalInteger("data.min_pixels")
        maxPixels = values.optionalInteger("data.max_pixels")
        onBadImage = values.choice("data.on_bad_image")
        imageCache = values.optionalText("data.image_cache")
        imageCacheBytes = values.optionalInteger("data.image_cache_size")
        cacheFolder = values.optionalText("data.cache_dir")
        samplingTemperature = values.number("data.sampling_temperature")
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
