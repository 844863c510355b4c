// What counts as nothing written: shared by training rows, which refuse such texts, and documents, which are stripped of it.

import Tensor

extension Unicode.Scalar {
    /// Whether this is white space in the sense of Python's `str.strip`, which published retrieval figures were made with: Unicode's
    /// property White_Space and the four separators U+001C to U+001F.
    package var isBlank: Bool {
        properties.isWhitespace || (0x1C...0x1F).contains(value)
    }
}

extension String {
    /// Whether the string is nothing but white space, or empty.
    package var isBlank: Bool { unicodeScalars.allSatisfy(\.isBlank) }

    /// The string without white space at both ends.
    package var stripped: String {
        guard let first = unicodeScalars.firstIndex(where: { !$0.isBlank }), let last = unicodeScalars.lastIndex(where: { !$0.isBlank })
        else { return "" }
        return String(unicodeScalars[first...last])
    }
}
