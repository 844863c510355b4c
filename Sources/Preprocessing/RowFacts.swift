// What is to be known of a row before it is decided whether it stays: found on one rank, in any order, on all threads.

import Data
import Files
import Model

/// A side of a row.
enum RowSide: Int, CaseIterable {
    case anchor, positive, negative

    /// What reports call the texts of this side.
    var name: String {
        switch self {
        case .anchor: "anchors"
        case .positive: "positives"
        case .negative: "hard negatives"
        }
    }
}

/// What is found out about a row.
struct RowFacts {
    /// The lengths of a text.
    struct Lengths {
        let side: RowSide
        /// In tokens of the model, prompt included; without a model in words.
        let units: Int
        let bytes: Int
    }

    let keys: RowKeys
    let lengths: [Lengths]
    let images: Int
    /// Script → letters of it in all texts of the row, by number.
    let letters: [Int: Int]
    /// The script of most letters of the anchor; nil when it has none.
    let mainScript: Int?
    /// One a set, in their order.
    let leaks: [Leak]

    /// - Throws: `UserError` when an image cannot be read
    init(_ raw: RawRow, _ options: PreprocessingOptions, _ processor: TextProcessor?, _ sets: [LeakSet]) throws(UserError) {
        let row = raw.row
        let inputs = [row.anchor, row.positive] + row.negatives
        let forms = inputs.map { $0.text.map { NormalForm($0) } }
        let sameness: TextSameness = options.duplicates == .exact ? .exact : .normalized
        keys = try RowKeys(raw, forms, sameness, options.unit, heldOutShare: options.heldOutShare)
        var (lengths, images, letters): ([Lengths], Int, [Int: Int]) = ([], 0, [:])
        var leaks = sets.map { _ in Leak() }
        var mainScript: Int?
        for (place, input) in inputs.enumerated() {
            guard let text = input.text, let form = forms[place] else {
                images += 1
                continue
            }
            let side = RowSide(rawValue: min(place, 2))!
            let prompt: Prompt = side == .anchor ? .query : .passage
            let units = processor?.encode(text, prefix: prompt.resolved(task: row.task).prefix).ids.count ?? form.wordCount
            lengths.append(Lengths(side: side, units: units, bytes: text.count))
            let scripts = Scripts.count(in: text)
            letters.merge(scripts.letters) { $0 + $1 }
            if side == .anchor { mainScript = scripts.main }
            // A hard negative is no answer: that it is known gives nothing away.
            guard side != .negative, !sets.isEmpty else { continue }
            let grams = form.gramHashes(LeakSet.gramLength)
            for (place, set) in sets.enumerated() {
                let leak = set.leak(of: form, text, grams: grams)
                leaks[place].isWhole = leaks[place].isWhole || leak.isWhole
                leaks[place].share = max(leaks[place].share, leak.share)
            }
        }
        (self.lengths, self.images, self.letters, self.leaks, self.mainScript) = (lengths, images, letters, leaks, mainScript)
    }
}
