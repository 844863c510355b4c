// A key for dictionaries and sets of names read from files.
// Swift's String takes canonically equivalent texts for equal ("é" in one scalar or two); names in files are bytes.

/// A string that equals another only byte for byte.
package struct ExactString: Hashable, Comparable, Sendable {
    /// The text.
    package let string: String

    /// Creates the key of a text.
    package init(_ string: String) {
        var string = string
        string.makeContiguousUTF8()
        self.string = string
    }

    /// Whether the bytes are the same; Swift's own comparison takes other spellings of a letter for the same.
    package static func == (a: ExactString, b: ExactString) -> Bool { a.string.utf8.elementsEqual(b.string.utf8) }

    /// Compares strings in the order of their UTF-8 bytes, which is that of Unicode scalars.
    package static func < (a: ExactString, b: ExactString) -> Bool { a.string.utf8.lexicographicallyPrecedes(b.string.utf8) }

    /// Hashes the bytes.
    package func hash(into hasher: inout Hasher) {
        string.utf8.withContiguousStorageIfAvailable { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)  // ends the text; never part of UTF-8
    }
}
