// The section `data` of project_config.yaml: where rows come from, and what they are evaluated on.

import Config
import Files
import Images

/// The keys of `data`. What each means is said in its declaration, where the documentation takes it from.
package enum DataSettings {
    package static let train = Setting<[DataFile]?>(
        "data.train", .optional(.trainingFiles), .absent("`train.jsonl` in `data.processed_dir`"),
        "Rows to train on: JSON lines or a table (`.jsonl`, `.json`, `.csv`, `.tsv`, `.parquet`), a folder or pattern of shards. Never split."
    )
    package static let evaluation = Setting<DataFile?>(
        "data.evaluation", .optional(.dataFile), .absent("none"),
        "A BEIR folder, or a pair file in any format of `data.train`. Its task is that of the first training file unless given.")
    package static let ignoredKeys = Setting<[String]?>(
        "data.ignore", .optional(.names), .absent("none"),
        "Keys of rows that have no part in training, such as `[id, url]`; `*` stands for any letters. They are not asked about.")
    package static let onBadRow = Setting<DataConfig.BadRow>(
        "data.on_bad_row", .choice([.fail, .skip]), .value(.fail),
        "A row that cannot be used ends the run, or is left out and counted.")
    package static let badRowLimit = Setting<Double>(
        "data.bad_row_limit", .number(.closed(0, 1)), .value(0.05),
        "The largest share of a file's rows that `data.on_bad_row: skip` leaves out; more end the run.")
    package static let rawFolder = Setting<String?>(
        "data.raw_dir", .optional(.text("the path of a folder")), .absent("none"), mayDifferOnResume: true,
        "Tables that `shoal preprocess --config` reads; it writes `train.jsonl` into `data.processed_dir`. Training does not look there.")
    package static let processedFolder = Setting<String?>(
        "data.processed_dir", .optional(.text("the path of a folder")), .absent("none"),
        "Without `data.train`: train on its `train.jsonl`, evaluate on its `eval.jsonl`, else on a fifth of the rows held out.")
    package static let cacheFolder = Setting<String?>(
        "data.cache_dir", .optional(.text("the path of a folder, or `none`")),
        .absent("`$XDG_CACHE_HOME/shoal`, else `~/.cache/shoal`"), mayDifferOnResume: true,
        "Where the tokens of training rows are kept for later runs, and images that stand in the rows themselves.")
    package static let imageFolder = Setting<String?>(
        "data.image_base_dir", .optional(.text("the path of a folder")), .absent("the folder of the data file"),
        "Folder that images of rows must lie in; their paths are relative to the data file all the same.")
    package static let maxPixels = Setting<Int?>(
        "data.max_pixels", .optional(.count(from: 1)), .absent("the model's (602112: 768 tokens)"),
        "Pixels that an image is scaled down to at most; 28 × 28 are a token.")
    package static let minPixels = Setting<Int?>(
        "data.min_pixels", .optional(.count(from: 1)), .absent("the model's (3136: 4 tokens)"),
        "Pixels that an image is scaled up to at least.")
    package static let imageOrientation = Setting<PictureView.Orientation>(
        "data.image_orientation", .choice([.exif, .ignore]), .value(.exif),
        "`exif`: a picture is turned upright as its camera noted it. `ignore`: it stays as its pixels are stored, as in the published "
            + "model's code.")
    package static let imageBackground = Setting<PictureView.Background>(
        "data.image_background", .choice([.white, .drop]), .value(.white),
        "`white`: a transparent picture is laid on white. `drop`: its colours are taken as if they were opaque, as in the published "
            + "model's code.")
    package static let onBadImage = Setting<DataConfig.BadImage>(
        "data.on_bad_image", .choice([.fail, .skip]), .value(.fail),
        "A row with an image that cannot be used ends the run, or is left out and counted; `skip` decodes every image once at the "
            + "first start.")
    package static let imageCache = Setting<String?>(
        "data.image_cache", .optional(.text("the path of a folder")), .absent("none"), mayDifferOnResume: true,
        "Where the vision tower's features are kept for later epochs and runs: a disk of each host, or one of all.")
    package static let imageCacheBytes = Setting<Int?>(
        "data.image_cache_size", .either(.bytes, orWord: "auto"), .value(nil), mayDifferOnResume: true,
        "Bytes that `data.image_cache` may take; the features that were read longest ago go first. `auto`: as much as the disk holds.")
    package static let samplingTemperature = Setting<Double>(
        "data.sampling_temperature", .number(.atLeast(1)), .value(1.0),
        "Above 1, small data sets have a larger share of an epoch: one that goes with rows^(1/T). Instead of weights.")

    /// The section as the schema takes it.
    package static let section = SettingSection(
        [
            train, evaluation, ignoredKeys, onBadRow, badRowLimit, rawFolder, processedFolder, cacheFolder, imageFolder, maxPixels,
            minPixels, imageOrientation, imageBackground, onBadImage, imageCache, imageCacheBytes, samplingTemperature,
        ],
        withoutMeaning: [
            ("data.examples_dir", "training reads data.train")
        ])

    /// Checks what the settings of the section say together.
    ///
    /// - Throws: where there is nothing to train on, or limits of images cross
    package static func join(_ values: inout SettingValues) throws(UserError) {
        if values[train] == nil {
            guard values[processedFolder] != nil else { throw values.error(at: train, "\(train) is missing; add it") }
        } else if values[processedFolder] != nil {
            values.note(at: processedFolder, "\(processedFolder) is not used, because \(train) is given")
        }
        if let least = values[minPixels], let most = values[maxPixels], least > most {
            throw values.error(at: minPixels, "\(minPixels) is \(least), above \(maxPixels), \(most); lower one or raise the other")
        }
    }
}
