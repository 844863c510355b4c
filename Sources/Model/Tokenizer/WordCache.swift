// Words met before, with their tokens. Most words of a text are among a few thousand; merging them anew would take most of
// the time. Owned by one `encode` call at a time, so it needs no lock; what it holds never changes a result.

/// Tokens of short words: a table with one place for each hash, where a new word replaces the old.
struct WordCache {
    /// Longest word kept, in bytes, and most tokens of one.
    static let maximumBytes = 15
    static let maximumTokens = 4

    /// A word's bytes, and its length in the topmost.
    struct Key: Equatable {
        fileprivate let low: UInt64
        fileprivate let high: UInt64

        /// - Parameter word: 1 to `maximumBytes` bytes of `text`
        @inline(__always)
        init(_ text: UnsafeBufferPointer<UInt8>, _ word: Range<Int>) {
            let length = UInt64(word.count)
            var low: UInt64 = 0
            var high: UInt64 = 0
            if word.lowerBound + 16 <= text.count {
                let bytes = UnsafeRawBufferPointer(text)
                low = bytes.loadUnaligned(fromByteOffset: word.lowerBound, as: UInt64.self)
                high = bytes.loadUnaligned(fromByteOffset: word.lowerBound + 8, as: UInt64.self)
                // Smart shifts: by 64 or more they give 0, by a negative count they shift the other way.
                low &= length < 8 ? (1 << (length * 8)) - 1 : .max
                high &= length > 8 ? (1 << ((length - 8) * 8)) - 1 : 0
            } else {
                for (place, byte) in text[word].enumerated() {
                    if place < 8 { low |= UInt64(byte) << (place * 8) } else { high |= UInt64(byte) << ((place - 8) * 8) }
                }
            }
            self.low = low
            self.high = high | length << 56
        }
    }

    private struct Entry {
        var low: UInt64 = 0
        /// 0 where nothing is kept: a word's length is not 0.
        var high: UInt64 = 0
        var tokens = SIMD4<Int32>()
        var count = 0
    }

    private static let bits: UInt64 = 14
    private var entries = [Entry](repeating: Entry(), count: 1 << bits)

    /// Appends the word's tokens when they are known.
    @inline(__always)
    func append(_ key: Key, to result: inout [Int32]) -> Bool {
        let entry = entries[Self.place(of: key)]
        guard entry.low == key.low, entry.high == key.high else { return false }
        for place in 0..<entry.count { result.append(entry.tokens[place]) }
        return true
    }

    /// Keeps a word's tokens unless there are too many.
    mutating func insert(_ key: Key, _ tokens: ArraySlice<Int32>) {
        guard tokens.count <= Self.maximumTokens else { return }
        var entry = Entry(low: key.low, high: key.high, count: tokens.count)
        for (place, token) in tokens.enumerated() { entry.tokens[place] = token }
        entries[Self.place(of: key)] = entry
    }

    private static func place(of key: Key) -> Int {
        let product = (key.low ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: key.high ^ 0xA076_1D64_78BD_642F)
        return Int((product.high ^ product.low) >> (64 - bits))
    }
}
