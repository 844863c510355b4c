// What two examples are compared by: hashes of their contents, as they stand or in normal form.

import Data
import Files

/// What counts when two texts are compared.
package enum TextSameness: String, CaseIterable, Sendable {
    /// Their bytes.
    case exact
    /// Their words, as `NormalForm` has them; of rows of the task `code` the words as they stand.
    case normalized
}

/// What of a row makes it a duplicate of an earlier one.
package enum DuplicateUnit: String, CaseIterable, Sendable {
    /// Anchor, positive, hard negatives, task and score.
    case row
    /// Anchor and positive.
    case pair
    /// The anchor alone.
    case anchor
}

/// The hashes of a row.
struct RowKeys: Equatable {
    /// Rows with the same key are duplicates.
    let key: ContentHash
    /// 64 bits of a hash of the same parts as they stand: of duplicates, whether they are the same bytes.
    let exact: Int64
    /// Whether the row is one of those held out.
    let isHeldOut: Bool

    /// - Parameters:
    ///   - forms: the normal forms of anchor, positive and hard negatives; nil of an image
    ///   - heldOutShare: of anchors, from 0 to 1
    /// - Throws: `UserError` when an image cannot be read
    init(
        _ raw: RawRow, _ forms: [NormalForm?], _ sameness: TextSameness, _ unit: DuplicateUnit, heldOutShare: Double
    ) throws(UserError) {
        let row = raw.row
        var parts = [row.anchor]
        if unit != .anchor { parts.append(row.positive) }
        if unit == .row { parts += row.negatives }
        var (key, exact) = (Hasher(), Hasher())
        for (part, form) in zip(parts, forms) {
            if let text = part.text, let form {
                exact.add("t", text)
                guard sameness == .normalized else { continue }
                let form = row.task == Self.exactTask ? NormalForm(wordsAsTheyStand: text) : form
                // A text without words, such as "?!", is what it is.
                if form.wordCount > 0 { key.add("w", form.bytes) } else { key.add("t", text) }
            } else {
                let content = try part.withContent(in: raw.images) { ContentHash(of: $0) }.bytes
                exact.add("i", content)
                key.add("i", content)
            }
        }
        if unit == .row {
            let rest = Array("\(row.task) \(row.score.map(String.init(describing:)) ?? "")".utf8)
            exact.add("r", rest)
            key.add("r", rest)
        }
        let whole = exact.finish()
        self.exact = whole.high
        self.key = sameness == .exact ? whole : key.finish()
        isHeldOut = try Self.isHeldOut(raw, forms[0], share: heldOutShare)
    }

    /// The task whose texts mean something else in other letters.
    private static let exactTask = "code"

    /// Whether the row's anchor, in normal form whatever its task, falls into the share: its hash, as a number from 0 to 1, is below.
    private static func isHeldOut(_ raw: RawRow, _ form: NormalForm?, share: Double) throws(UserError) -> Bool {
        guard share > 0 else { return false }
        let hash =
            if let form, form.wordCount > 0 {
                ContentHash(of: form.bytes)
            } else {
                try raw.row.anchor.withContent(in: raw.images) { ContentHash(of: $0) }
            }
        return Double(UInt64(bitPattern: hash.high) >> 11) * 0x1p-53 < share
    }

    /// A hash of parts, each with its kind and length, so that no two lists of parts are the same bytes.
    private struct Hasher {
        private var bytes: [UInt8] = []

        mutating func add(_ kind: Character, _ part: [UInt8]) {
            bytes.append(kind.asciiValue!)
            add(part.count)
            bytes.append(contentsOf: part)
        }

        private mutating func add(_ count: Int) {
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: count >> shift)) }
        }

        func finish() -> ContentHash { ContentHash(of: bytes) }
    }
}
