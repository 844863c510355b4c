// The seed project's way of making an evaluation set: one row in five, chosen by its anchor, never seen in training.

import Files

/// Which rows of the training data are kept for evaluation.
package enum HeldOutRows {
    /// Files with this many rows or fewer are trained on whole.
    package static let smallestFile = 10

    /// Whether a row is held out: by its anchor. Rows with a score never are: evaluation ranks positives.
    ///
    /// - Throws: `UserError` when the anchor is an image that cannot be read
    static func contain(_ row: TrainingRow, images: ImageFolder) throws(UserError) -> Bool {
        guard row.score == nil else { return false }
        return try row.anchor.withContent(in: images) { contain(anchor: $0) }
    }

    /// Whether the row with this anchor is held out: the SHA-256 of its bytes, as a number, is divisible by 5.
    ///
    /// 256 ≡ 1 modulo 5, so the number's remainder is that of the sum of its bytes.
    package static func contain(anchor: [UInt8]) -> Bool { contain(anchor: anchor.span.bytes) }

    private static func contain(anchor: RawSpan) -> Bool {
        SHA256.hash(of: anchor).reduce(0) { $0 + Int($1) } % 5 == 0
    }
}
