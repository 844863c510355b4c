// An evaluation set, as far as a row can be held against it: which texts it has, and which runs of words they have.
//
// Texts are compared in normal form. Of longer ones parts are found: runs of 13 words, as GPT-3's authors and many since have compared
// training with evaluation texts. A text of fewer words is found as a whole alone. Memory: about 20 bytes a word of the set.

import Data
import Files
import Tensor

/// What a row has in common with an evaluation set.
struct Leak: Equatable {
    /// Whether a text of the row is one of the set.
    var isWhole = false
    /// Of a row's text the share of its runs of words that the set has, too; of both texts the larger one.
    var share = 0.0

    /// Whether the row counts as leaked.
    ///
    /// - Parameter limit: the smallest share that does; 0: any share above 0
    func counts(from limit: Double) -> Bool { isWhole || share > 0 && share >= limit }
}

/// The texts of an evaluation set, by hashes.
struct LeakSet: Sendable {
    /// Words of a run.
    static let gramLength = 13

    /// The set as the user named it.
    let path: String
    /// Number of texts.
    private(set) var texts = 0
    private var whole: Set<ContentHash> = []
    private var grams: Set<UInt64> = []
    private let gramLength: Int

    /// Creates a set without texts.
    init(path: String, gramLength: Int = LeakSet.gramLength) { (self.path, self.gramLength) = (path, gramLength) }

    /// Reads the texts of a set.
    ///
    /// - Throws: `UserError` when it cannot be read, or holds no text
    init(path: String, _ side: EvaluationSide) throws(UserError) {
        self.init(path: path)
        var (texts, room): ([[UInt8]], Int) = ([], 0)
        var set = self
        try EvaluationTexts.read(path, side) { text in
            texts.append(text)
            room += text.count
            if room > 8 << 20 {
                set.add(texts)
                (texts, room) = ([], 0)
            }
        }
        set.add(texts)
        self = set
        guard self.texts > 0 else { throw UserError(.content, path, "the evaluation set holds no text; check the path") }
    }

    /// Adds texts to the set.
    mutating func add(_ texts: [[UInt8]]) {
        let length = gramLength
        let hashes = Threads.map(texts.count, grain: 16) { place in
            let form = NormalForm(texts[place])
            return (LeakSet.hash(form, texts[place]), form.gramHashes(length))
        }
        for (hash, grams) in hashes {
            whole.insert(hash)
            self.grams.formUnion(grams)
        }
        self.texts += texts.count
    }

    /// What a text has in common with the set.
    ///
    /// - Parameters:
    ///   - form: the text's normal form
    ///   - text: the text itself, in UTF-8
    ///   - grams: the hashes of its runs of words, `form.gramHashes`
    func leak(of form: NormalForm, _ text: [UInt8], grams: [UInt64]) -> Leak {
        let common = grams.count { self.grams.contains($0) }
        return Leak(isWhole: whole.contains(Self.hash(form, text)), share: grams.isEmpty ? 0 : Double(common) / Double(grams.count))
    }

    private static func hash(_ form: NormalForm, _ text: [UInt8]) -> ContentHash {
        ContentHash(of: form.wordCount > 0 ? form.bytes : text)
    }
}
