// What an input is, for the plan of a step: the same text in two places is embedded once and is never its own negative.
// Made from the text's bytes before prompt and truncation, so that it does not depend on tokenizer or configuration.

import Tensor

/// The first 16 bytes of the SHA-256 of a text's UTF-8 bytes.
///
/// Compares bytes, where Swift's `String` would hold composed and decomposed letters for equal. 128 bits: among 10⁹ different
/// texts the chance of any collision is below 2·10⁻²¹.
package struct ContentHash: Hashable, Sendable {
    package static let byteCount = 16

    /// Bytes 0..<8 and 8..<16, big-endian.
    private let high: UInt64
    private let low: UInt64

    package init(of text: [UInt8]) {
        self.init(bytes: SHA256.hash(of: text).prefix(ContentHash.byteCount))
    }

    /// A hash as another rank sent it.
    /// - Parameter bytes: [16], as `bytes` gives them
    package init(bytes: some Collection<UInt8>) {
        precondition(bytes.count == ContentHash.byteCount, "ContentHash: \(bytes.count) bytes instead of \(ContentHash.byteCount)")
        high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// [16], for the wire.
    package var bytes: [UInt8] {
        [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
    }
}
