// The section `data` as a type: where rows come from, what they are evaluated on, and how images are taken.

import Config
import Images

/// `data`: what is trained and evaluated on.
package struct DataConfig: Sendable {
    /// The task of rows for which neither they nor their file name one.
    package static let usualTask = "retrieval"

    /// Files of rows, at least one.
    package let train: [DataFile]
    /// What the run is evaluated on.
    package let evaluation: EvaluationSource
    /// Folder of raw tables, which `shoal preprocess` reads; nil: none.
    package let rawFolder: String?
    /// Folder of checked rows, which `shoal preprocess` writes; nil: none.
    package let processedFolder: String?
    /// 1: data sets in proportion to their rows and weights; higher: sets of unlike size more alike.
    package let samplingTemperature: Double
    /// Where token indexes are kept, or `none`; nil: the user's own folder for such files.
    package let cacheFolder: String?
    /// Folder that images of rows must lie in; nil: that of the data file.
    package let imageFolder: String?
    /// Limits of a scaled image, and how its picture is looked at.
    package let imageOptions: ImageOptions
    /// What becomes of a row with an image that cannot be used.
    package let onBadImage: BadImage
    /// What becomes of a row that cannot be used.
    package let onBadRow: BadRow
    /// The largest share of a file's rows that may be left out.
    package let badRowLimit: Double
    /// Keys of rows that have no part in training by the user's will.
    package let ignoredKeys: [KeyPattern]
    /// Where features of images are kept; nil: nowhere.
    package let imageCache: String?
    /// Bytes that `imageCache` may take; nil: as much as the disk holds.
    package let imageCacheBytes: Int?

    /// What becomes of a row with an image that cannot be used: it ends the run, or is left out.
    package enum BadImage: String, Sendable { case fail, skip }

    /// What becomes of a row that cannot be used: it ends the run, or is left out.
    package enum BadRow: String, Sendable { case fail, skip }

    /// What a run is evaluated on.
    package enum EvaluationSource: Sendable {
        /// Nothing.
        case none
        /// A folder in BEIR's layout.
        case beir(DataFile)
        /// JSON lines of pairs; the positives of all rows are the corpus.
        case pairs(DataFile)
        /// The pair file when it exists, else rows held out of training (the Python project's rule): with more than ten rows,
        /// those whose SHA-256 of the anchor's bytes, as a number, is 0 modulo 5.
        case pairsOrHeldOut(DataFile)

        /// Path of the file or folder; nil where there is none.
        package var path: String? {
            switch self {
            case .none: nil
            case .beir(let file), .pairs(let file), .pairsOrHeldOut(let file): file.path
            }
        }
    }

    /// Takes the values of the section.
    package init(_ values: SettingValues) {
        rawFolder = values[DataSettings.rawFolder]
        processedFolder = values[DataSettings.processedFolder]
        imageFolder = values[DataSettings.imageFolder]
        imageOptions = ImageOptions(
            minPixels: values[DataSettings.minPixels], maxPixels: values[DataSettings.maxPixels],
            view: PictureView(orientation: values[DataSettings.imageOrientation], background: values[DataSettings.imageBackground]))
        onBadImage = values[DataSettings.onBadImage]
        onBadRow = values[DataSettings.onBadRow]
        badRowLimit = values[DataSettings.badRowLimit]
        ignoredKeys = (values[DataSettings.ignoredKeys] ?? []).map(KeyPattern.init)
        imageCache = values[DataSettings.imageCache]
        imageCacheBytes = values[DataSettings.imageCacheBytes]
        cacheFolder = values[DataSettings.cacheFolder]
        samplingTemperature = values[DataSettings.samplingTemperature]
        let files = values[DataSettings.train]
        let folder = processedFolder ?? ""
        train = files ?? [DataFile(path: "\(folder)/train.jsonl")]
        if let given = values[DataSettings.evaluation] {
            let file = DataFile(given, taskWhenAbsent: train[0].task)
            evaluation = Self.isPairFile(file.path) ? .pairs(file) : .beir(file)
        } else {
            evaluation = files == nil ? .pairsOrHeldOut(DataFile(path: "\(folder)/eval.jsonl")) : .none
        }
    }

    /// By name alone, so that every rank decides alike without looking: anything else is a BEIR folder.
    private static func isPairFile(_ path: String) -> Bool { RowFile.isNamed(path) }
}
