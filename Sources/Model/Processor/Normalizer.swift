// Normalisation form C, the tokenizer's first stage. Text that is in this form already, as nearly all is, costs one look at
// each byte; elsewhere only a starter and the marks behind it are rewritten.
//
// The reference normalises by Unicode 9.0: scalars assigned later are inert. Foundation's tables are newer, so such scalars are
// kept away from it.

import Foundation

enum Normalizer {
    /// Whether `text` is in form C already.
    static func isNormalized(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
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

    static func normalized(_ text: String) -> String {
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
            let start = startOfCluster(text, at: index)
            index = endOfMarks(text, from: index, classes)
            result.append(contentsOf: text[copied..<start])
            result.append(contentsOf: composed(text[start..<index]))
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

    /// The scalar that the mark at `index` belongs to, unless there is none or the reference does not know it.
    private static func startOfCluster(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> Int {
        guard index > 0 else { return index }
        let start = text.startOfScalar(before: index)
        let (value, length) = text.scalar(at: start)
        guard start + length == index, let scalar = Unicode.Scalar(value), let age = scalar.properties.age, age.major <= 9 else { return index }
        return start
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

    private static func composed(_ cluster: Slice<UnsafeBufferPointer<UInt8>>) -> String.UTF8View {
        var scalars = String.UnicodeScalarView()
        for scalar in String(decoding: cluster, as: UTF8.self).unicodeScalars {
            // Foundation does not reorder the parts of these three, whose decompositions begin with a mark.
            switch scalar.value {
            case 0x0F73: scalars.append(contentsOf: "\u{0F71}\u{0F72}".unicodeScalars)
            case 0x0F75: scalars.append(contentsOf: "\u{0F71}\u{0F74}".unicodeScalars)
            case 0x0F81: scalars.append(contentsOf: "\u{0F71}\u{0F80}".unicodeScalars)
            default: scalars.append(scalar)
            }
        }
        return String(scalars).precomposedStringWithCanonicalMapping.utf8
    }
}
