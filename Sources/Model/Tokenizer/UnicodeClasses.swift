// Unicode in table form for the tokenizer's loops: what a scalar is to the split rule, what normalisation may do to it,
// and the decoding of UTF-8. One byte per scalar, filled once from `UnicodeTables` and `NormalizationTables`.

/// What a scalar is to the split rule.
package enum ScalarClass: UInt8 {
    /// None of the others: punctuation, symbols, marks, unassigned.
    case other
    /// `\p{L}`
    case letter
    /// `\p{N}`
    case number
    /// `\s` without carriage return and line feed
    case space
    /// Carriage return and line feed
    case newline
}

/// Looks a scalar's properties up.
package struct UnicodeClasses: Sendable {
    package static let shared = UnicodeClasses()

    /// Raw values of `ScalarClass`. What lies beyond the end is `.other`.
    private let classes: [UInt8]
    /// Values of `NormalizationTables.values`, 0 elsewhere. What lies beyond the end is 0.
    private let normalisation: [UInt8]

    private init() {
        let lastOfClass = [UnicodeTables.letters, UnicodeTables.numbers, UnicodeTables.spaces].compactMap(\.last).max() ?? 0
        var classes = [UInt8](repeating: ScalarClass.other.rawValue, count: Int(lastOfClass) + 1)
        for (runs, name) in [
            (UnicodeTables.letters, ScalarClass.letter), (UnicodeTables.numbers, .number), (UnicodeTables.spaces, .space),
        ] {
            for run in stride(from: 0, to: runs.count, by: 2) {
                for scalar in runs[run]...runs[run + 1] { classes[Int(scalar)] = name.rawValue }
            }
        }
        classes[0x0A] = ScalarClass.newline.rawValue
        classes[0x0D] = ScalarClass.newline.rawValue
        self.classes = classes

        let runs = NormalizationTables.values
        var normalisation = [UInt8](repeating: 0, count: Int(runs[runs.count - 2]) + 1)
        for run in stride(from: 0, to: runs.count, by: 3) {
            for scalar in runs[run]...runs[run + 1] { normalisation[Int(scalar)] = UInt8(runs[run + 2]) }
        }
        self.normalisation = normalisation
    }

    package func scalarClass(_ scalar: UInt32) -> ScalarClass {
        let scalar = Int(scalar)
        return scalar < classes.count ? ScalarClass(rawValue: classes[scalar]).unsafelyUnwrapped : .other
    }

    /// 0 for a scalar that normalisation leaves alone and that never moves; else its combining class; 0xFF for one
    /// that is replaced or may be joined to the scalar before it.
    func normalisationValue(_ scalar: UInt32) -> UInt8 {
        let scalar = Int(scalar)
        return scalar < normalisation.count ? normalisation[scalar] : 0
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The scalar whose encoding begins at `index`, and the bytes it takes. Where the bytes are no UTF-8: U+FFFD and one.
    @inline(__always)
    func scalar(at index: Int) -> (value: UInt32, length: Int) {
        let lead = UInt32(self[index])
        if lead < 0x80 { return (lead, 1) }
        return scalar(lead: lead, at: index)
    }

    private func scalar(lead: UInt32, at index: Int) -> (value: UInt32, length: Int) {
        let length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1
        guard length > 1, length <= count - index else { return (0xFFFD, 1) }
        // The lead byte carries 7 - length bits.
        var value = lead & (0x7F >> UInt32(length))
        for next in index + 1..<index + length {
            let byte = UInt32(self[next])
            guard byte & 0xC0 == 0x80 else { return (0xFFFD, 1) }
            value = value << 6 | byte & 0x3F
        }
        return (value, length)
    }

    /// Where the scalar before `index` begins; `index` must not be 0.
    func startOfScalar(before index: Int) -> Int {
        var start = index - 1
        while start > 0, index - start < 4, self[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }
}
