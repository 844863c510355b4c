// Canonical decomposition, ordering and composition of a few scalars, by the reference's own version of Unicode. The library
// functions at hand follow newer versions, and were found to miss some Hangul and Tibetan sequences.
//
// Source: Unicode Standard Annex 15; The Unicode Standard, section 3.12 (Hangul).

import Tensor

/// The mappings behind normalisation form C.
struct CanonicalMapping: Sendable {
    /// Made when a text first needs it, which few do.
    static let shared = CanonicalMapping()

    private let classes = UnicodeClasses.shared
    /// One or two scalars for each that decomposes.
    private var parts: [UInt32: [UInt32]] = [:]
    /// By first part in the upper half and second in the lower.
    private var composites: [UInt64: UInt32] = [:]

    private init() {
        let table = NormalizationTables.decompositions
        var place = 0
        while place < table.count {
            let (first, width, count) = (table[place], Int(table[place + 1]), Int(table[place + 2]))
            place += 3
            for scalar in first..<first + UInt32(count) {
                parts[scalar] = Array(table[place..<place + width])
                // What is replaced even when it stands alone is never composed.
                if width == 2, classes.normalisationValue(scalar) != 0xFF {
                    composites[UInt64(table[place]) << 32 | UInt64(table[place + 1])] = scalar
                }
                place += width
            }
        }
    }

    /// Appends the form C of `cluster` (UTF-8): a starter and what follows it up to the next.
    func appendComposed(_ cluster: Slice<UnsafeBufferPointer<UInt8>>, to result: inout [UInt8]) {
        var scalars: [(value: UInt32, combiningClass: UInt8)] = []
        for scalar in String(decoding: cluster, as: UTF8.self).unicodeScalars { decompose(scalar.value, into: &scalars) }
        order(&scalars)
        for scalar in compose(scalars) { result.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8) }
    }

    private func decompose(_ scalar: UInt32, into scalars: inout [(value: UInt32, combiningClass: UInt8)]) {
        if (0xAC00...0xD7A3).contains(scalar) {
            let syllable = scalar - 0xAC00
            scalars.append((0x1100 + syllable / 588, 0))
            scalars.append((0x1161 + syllable / 28 % 21, 0))
            if syllable % 28 != 0 { scalars.append((0x11A7 + syllable % 28, 0)) }
        } else if let parts = parts[scalar] {
            for part in parts { decompose(part, into: &scalars) }
        } else {
            scalars.append((scalar, combiningClass(scalar)))
        }
    }

    private func combiningClass(_ scalar: UInt32) -> UInt8 {
        let value = classes.normalisationValue(scalar)
        guard value == 0xFF else { return value }
        return Unicode.Scalar(scalar)?.properties.canonicalCombiningClass.rawValue ?? 0
    }

    /// Sorts each run of marks by class; equal ones keep their order.
    private func order(_ scalars: inout [(value: UInt32, combiningClass: UInt8)]) {
        var start = 0
        while start < scalars.count {
            guard scalars[start].combiningClass != 0 else {
                start += 1
                continue
            }
            let end = scalars[start...].firstIndex { $0.combiningClass == 0 } ?? scalars.count
            // The standard library's sort is stable.
            scalars[start..<end].sort { $0.combiningClass < $1.combiningClass }
            start = end
        }
    }

    /// Joins marks to the starter before them where nothing of the same or a higher class stands between.
    private func compose(_ scalars: [(value: UInt32, combiningClass: UInt8)]) -> [UInt32] {
        var result: [UInt32] = []
        var starter: Int?
        /// Of the last scalar behind the starter; 0 when there is none.
        var between: UInt8 = 0
        for (scalar, combiningClass) in scalars {
            if let starter, between == 0 || between < combiningClass, let joined = composite(result[starter], scalar) {
                result[starter] = joined
                continue
            }
            if combiningClass == 0 { starter = result.count }
            between = combiningClass
            result.append(scalar)
        }
        return result
    }

    private func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if (0x1100...0x1112).contains(first), (0x1161...0x1175).contains(second) {
            return 0xAC00 + ((first - 0x1100) * 21 + second - 0x1161) * 28
        }
        if (0xAC00...0xD7A3).contains(first), (first - 0xAC00) % 28 == 0, (0x11A8...0x11C2).contains(second) {
            return first + second - 0x11A7
        }
        return composites[UInt64(first) << 32 | UInt64(second)]
    }
}
