// What was found in the input and done with it, as figures. They are the same on any number of ranks, and so are the bytes of the
// JSON: neither times nor ranks are in it.

import Files

/// The result of a run.
package struct PreprocessingReport: Sendable {
    /// A file of the input.
    package typealias Input = (path: String, rows: Int)
    /// A file that was written.
    package typealias Output = (path: String, rows: Int, bytes: Int, sha256: String)

    /// How long the texts of a side are.
    package struct Lengths: Sendable {
        /// `anchors`, `positives` or `hard negatives`.
        package let side: String
        /// In tokens, prompt included, or in words.
        package let units: LengthCounts
        /// In bytes.
        package let bytes: LengthCounts
    }

    /// A script and what is written in it.
    package struct Script: Sendable {
        /// Unicode's name of it.
        package let name: String
        /// Letters in all texts.
        package let letters: Int
        /// Rows whose anchor has more letters of this script than of any other.
        package let rows: Int
    }

    /// An evaluation set, and what the input has in common with it.
    package struct EvaluationSet: Sendable {
        /// Where it lies.
        package let path: String
        /// Number of its texts.
        package let texts: Int
        /// Rows with a text that is one of the set.
        package let rowsWithWholeText: Int
        /// Rows by the share of a text's runs of 13 words that the set has: above 0, and from 0.25, 0.5, 0.75 and 1.
        package let rowsByShare: [(share: Double, rows: Int)]
        /// Rows that count as leaked.
        package let leaked: Int
    }

    /// The files that were read.
    package let inputs: [Input]
    /// Rows that were read, bad ones too.
    package let rowsRead: Int
    /// Rows that cannot be trained on.
    package let bad: Int
    /// What was wrong with the first of them.
    package let firstBad: [String]
    /// Rows that an evaluation set has, too.
    package let leaked: Int
    /// Which the first of them are.
    package let firstLeaked: [String]
    /// Rows that equal an earlier one byte for byte.
    package let sameDuplicates: Int
    /// Rows that equal an earlier one in normal form alone.
    package let alikeDuplicates: Int
    /// Rows written to the output, and those held out.
    package let (written, heldOut): (Int, Int)
    /// The files that were written; empty on ranks other than 0.
    package let outputs: [Output]
    /// `tokens` or `words`.
    package let unit: String
    /// Lengths by side, of rows that were written.
    package let lengths: [Lengths]
    /// Images in rows that were written.
    package let images: Int
    /// Scripts with any letter, the most letters first.
    package let scripts: [Script]
    /// The evaluation sets, in their order.
    package let evaluationSets: [EvaluationSet]
    /// The rules that were followed.
    package let options: PreprocessingOptions

    init(
        _ options: PreprocessingOptions, _ tally: Tally, rowsRead: Int, _ sets: [LeakSet],
        _ written: [(path: String, summary: OutputFile.Summary)]
    ) {
        self.options = options
        self.rowsRead = rowsRead
        inputs = zip(options.inputs, tally.rowsByFile).map { ($0, $1) }
        (bad, leaked, sameDuplicates, alikeDuplicates) = (tally.bad, tally.leaked, tally.same, tally.alike)
        (firstBad, firstLeaked) = (tally.firstBad.map(\.text), tally.firstLeaked.map(\.text))
        (self.written, heldOut, images) = (tally.written, tally.heldOut, tally.images)
        outputs = zip(written, [tally.written, tally.heldOut]).map { ($0.path, $1, $0.summary.size, $0.summary.sha256) }
        unit = options.modelFolder == nil ? "words" : "tokens"
        lengths = RowSide.allCases.map { Lengths(side: $0.name, units: tally.units[$0.rawValue], bytes: tally.bytes[$0.rawValue]) }
            .filter { $0.units.count > 0 }
        scripts = Scripts.names.indices.filter { tally.letters[$0] > 0 }
            .map { Script(name: Scripts.names[$0], letters: tally.letters[$0], rows: tally.mainScripts[$0]) }
            .sorted { $0.letters != $1.letters ? $0.letters > $1.letters : $0.name < $1.name }
        evaluationSets = zip(sets, tally.leaks).map { set, counts in
            EvaluationSet(
                path: set.path, texts: set.texts, rowsWithWholeText: counts.whole,
                rowsByShare: zip(Tally.LeakCounts.limits, counts.shares).map { ($0, $1) }, leaked: counts.leaked)
        }
    }

    /// The shares of lengths that are told: shortest, median, 95 %, longest.
    package static let quantiles: [(name: String, share: Double)] = [
        ("shortest", 0), ("median", 0.5), ("p95", 0.95), ("longest", 1),
    ]
}

extension PreprocessingReport {
    /// All of it, for programs.
    package var json: JSONValue {
        [
            "version": 1,
            "rules": [
                "duplicates": .string(options.duplicates.rawValue), "unique": .string(options.unit.rawValue),
                "leaked": .string(options.leaks.rawValue), "leak_share": .number(options.leakShare),
                "leak_from": .string(options.evaluationSide.rawValue), "on_bad_row": .string(options.badRows.rawValue),
                "dev_share": .number(options.heldOutShare), "clean": .bool(options.cleans),
                "model": options.modelFolder.map { .string($0) } ?? .null, "task": options.task.map { .string($0) } ?? .null,
            ],
            "inputs": .array(inputs.map { ["path": .string($0.path), "rows": count($0.rows)] }),
            "rows": [
                "read": count(rowsRead), "bad": count(bad), "leaked": count(leaked), "duplicates_same_bytes": count(sameDuplicates),
                "duplicates_in_normal_form": count(alikeDuplicates), "written": count(written), "dev": count(heldOut),
            ],
            "outputs": .array(
                outputs.map {
                    ["path": .string($0.path), "rows": count($0.rows), "bytes": count($0.bytes), "sha256": .string($0.sha256)]
                }),
            "first_bad_rows": .array(firstBad.map { .string($0) }),
            "first_leaked_rows": .array(firstLeaked.map { .string($0) }),
            "lengths": .array(
                lengths.map { ["side": .string($0.side), unit: figures($0.units), "bytes": figures($0.bytes)] }
            ),
            "images": count(images),
            "scripts": .array(
                scripts.map { ["script": .string($0.name), "letters": count($0.letters), "rows": count($0.rows)] }),
            "evaluation_sets": .array(
                evaluationSets.map { set in
                    [
                        "path": .string(set.path), "texts": count(set.texts), "rows_with_whole_text": count(set.rowsWithWholeText),
                        "rows_by_share_of_13_grams": .array(
                            set.rowsByShare.map { ["from": .number($0.share), "rows": count($0.rows)] }),
                        "leaked": count(set.leaked),
                    ]
                }),
        ]
    }

    private func count(_ value: Int) -> JSONValue { .integer(Int64(value)) }

    private func figures(_ lengths: LengthCounts) -> JSONValue {
        var object = JSONObject()
        object["count"] = count(lengths.count)
        object["sum"] = count(lengths.sum)
        for (name, share) in Self.quantiles { object[name] = count(lengths.quantile(share)) }
        object["up_to"] = .array(lengths.byPowersOfTwo.map { ["length": count($0.limit), "count": count($0.count)] })
        return .object(object)
    }
}
