// What an input is, for the plan of a step: the same text or image in two places is embedded once and is never its own negative.
// Made from a text's bytes before prompt and truncation, or an image file's, so that it does not depend on the configuration.

import Files

/// The first 16 bytes of the SHA-256 of a text's UTF-8 bytes, or of an image file.
///
/// Compares bytes, where Swift's `String` would hold composed and decomposed letters for equal. 128 bits: among 10⁹ different
/// texts the chance of any collision is below 2·10⁻²¹.
package struct ContentHash: Hashable, Sendable, BitwiseCopyable {
    /// Bytes 0..<8 and 8..<16, big-endian.
    package let high: Int64
    /// The lower half.
    package let low: Int64

    /// Takes the two halves of a hash, as another rank sent them.
    package init(high: Int64, low: Int64) { (self.high, self.low) = (high, low) }

    /// Hashes a text.
    package init(of text: [UInt8]) { self.init(of: text.span.bytes) }

    /// Hashes bytes that something else holds, such as an image file.
    package init(of bytes: RawSpan) { self.init(SHA256.hash(of: bytes)[..<Self.byteCount]) }

    /// - Parameter bytes: the sixteen
    private init(_ bytes: ArraySlice<UInt8>) {
        func word(_ bytes: ArraySlice<UInt8>) -> Int64 { bytes.reduce(0) { $0 << 8 | Int64($1) } }
        (high, low) = (word(bytes.prefix(8)), word(bytes.dropFirst(8)))
    }

    /// Bytes of a hash.
    package static let byteCount = 16

    /// The hash as bytes, the highest first.                         [16]
    package var bytes: [UInt8] { [high, low].flatMap { word in (0..<8).reversed().map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } } }

    /// Those whose bytes lie one after the other.
    package static func all(in bytes: [UInt8]) -> [ContentHash] {
        stride(from: 0, to: bytes.count, by: byteCount).map { ContentHash(bytes[$0..<$0 + byteCount]) }
    }
}
