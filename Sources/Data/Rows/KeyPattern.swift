// A key of a row, or many at once: `neg_*` for columns that are numbered or named alike.

import Files

/// A key as the configuration writes it: `*` stands for any letters, and in our own table `#` for a number.
package struct KeyPattern: Equatable, Sendable {
    /// As it was written.
    package let text: String

    /// Creates a pattern.
    package init(_ text: String) { self.text = text }

    /// Whether it means one key only.
    package var isExact: Bool { !text.utf8.contains(where: Self.isSign) }

    /// Whether a key is meant.
    package func matches(_ key: String) -> Bool { Self.matches(Array(text.utf8)[...], Array(key.utf8)[...]) }

    /// The keys that are meant, `neg_2` before `neg_10`.
    package func matching(_ keys: [String]) -> [String] {
        guard !isExact else { return keys.filter { $0.utf8.elementsEqual(text.utf8) } }
        return keys.filter(matches).sorted { ($0.utf8.count, ExactString($0)) < ($1.utf8.count, ExactString($1)) }
    }

    private static func isSign(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "*") || byte == UInt8(ascii: "#") }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func matches(_ pattern: ArraySlice<UInt8>, _ key: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return key.isEmpty }
        let rest = pattern.dropFirst()
        switch first {
        case UInt8(ascii: "*"): return (0...key.count).contains { matches(rest, key.dropFirst($0)) }
        case UInt8(ascii: "#"):
            let digits = key.prefix(while: isDigit)
            return !digits.isEmpty && matches(rest, key.dropFirst(digits.count))
        default: return key.first == first && matches(rest, key.dropFirst())
        }
    }
}
