// Normalisation form C, the tokenizer's first stage. Text that is in this form already, as nearly all is, costs one look at
// each byte; elsewhere only a starter and the marks behind it are rewritten, by `CanonicalMapping`.

/// Unicode's normalisation form C (UAX #15).
package enum Normalizer {
    /// Whether `text` is in form C already.
    package static func isNormalized(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let classes = UnicodeClasses.shared
        var index = firstAboveLatin(text, from: 0)
        var previous: UInt8 = 0
        while index < text.count {
            let (scalar, length) = text.scalar(at: index)
            let value = classes.normalisationValue(scalar)
            guard value == 0 || value != 0xFF && value >= previous else { return false }
            previous = value
            index += length
            if value == 0 { index = firstAboveLatin(text, from: index) }
        }
        return true
    }

    package static func normalized(_ text: String) -> String {
        var text = text
        return text.withUTF8 { String(decoding: normalized($0), as: UTF8.self) }
    }

    /// `text` in form C.
    static func normalized(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        let classes = UnicodeClasses.shared
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var copied = 0
        var index = 0
        while index < text.count {
            let (scalar, length) = text.scalar(at: index)
            guard classes.normalisationValue(scalar) != 0 else {
                index += length
                continue
            }
            let start = max(copied, index > 0 ? text.startOfScalar(before: index) : 0)
            index = endOfMarks(text, from: index, classes)
            result.append(contentsOf: text[copied..<start])
            CanonicalMapping.shared.appendComposed(text[start..<index], to: &result)
            copied = index
        }
        result.append(contentsOf: text[copied...])
        return result
    }

    /// Index of the next byte that can begin a scalar from U+0300 on, the first that normalisation may touch.
    private static func firstAboveLatin(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        let bytes = UnsafeRawBufferPointer(text)
        var index = start
        while index + 32 <= bytes.count, bytes.loadUnaligned(fromByteOffset: index, as: SIMD32<UInt8>.self).max() < 0xCC { index += 32 }
        while index < bytes.count, bytes[index] < 0xCC { index += 1 }
        return index
    }

    private static func endOfMarks(_ text: UnsafeBufferPointer<UInt8>, from start: Int, _ classes: UnicodeClasses) -> Int {
        var index = start
        while index < text.count {
            let (scalar, length) = text.scalar(at: index)
            guard classes.normalisationValue(scalar) != 0 else { break }
            index += length
        }
        return index
    }
}
