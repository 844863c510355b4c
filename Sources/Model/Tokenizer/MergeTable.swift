// The merges of a byte-pair vocabulary, looked up by pair of ids: the tokenizer's innermost question.

/// From a pair of adjacent tokens to what they merge into, and when.
struct MergeTable: Sendable {
    /// One merge; of two the one to be made first is the lower.
    struct Merge: Sendable, Comparable {
        /// Rank in the upper half, token in the lower. A rank has one token, so this is the order of ranks.
        private let key: UInt64

        /// - Parameter rank: place in the file's list
        init(rank: UInt32, token: Int32) { key = UInt64(rank) << 32 | UInt64(UInt32(bitPattern: token)) }

        /// For a pair that does not merge: above all others.
        static let none = Merge(rank: .max, token: -1)

        var rank: UInt32 { UInt32(truncatingIfNeeded: key >> 32) }
        var token: Int32 { Int32(truncatingIfNeeded: key) }

        static func < (a: Merge, b: Merge) -> Bool { a.key < b.key }
    }

    private struct Slot {
        /// Left id in the upper half, right id in the lower.
        var pair: UInt64
        var merge: Merge
    }

    /// No pair of ids, since ids are not negative.
    private static let free = UInt64.max

    /// A power of two, at most two thirds taken; a pair lies in its own slot or in one behind it.
    private var slots: [Slot]
    private var shift: UInt64
    private var count = 0

    /// - Parameter expected: pairs that will probably be inserted; more only take time
    init(expected: Int = 0) {
        var bits: UInt64 = 4
        while expected * 3 >= (1 << bits) * 2 { bits += 1 }
        shift = 64 - bits
        slots = [Slot](repeating: Slot(pair: Self.free, merge: .none), count: 1 << bits)
    }

    /// - Returns: false, and nothing changes, when the pair is there already
    mutating func insert(left: Int32, right: Int32, _ merge: Merge) -> Bool {
        if count * 3 >= slots.count * 2 { grow() }
        let pair = Self.pair(left, right)
        let slot = slot(of: pair)
        guard slots[slot].pair == Self.free else { return false }
        slots[slot] = Slot(pair: pair, merge: merge)
        count += 1
        return true
    }

    /// - Returns: `.none` for a pair that does not merge
    @inline(__always)
    func merge(left: Int32, right: Int32) -> Merge {
        slots[slot(of: Self.pair(left, right))].merge
    }

    /// The slot that holds `pair`, or the free one where it belongs, whose merge is `.none`.
    @inline(__always)
    private func slot(of pair: UInt64) -> Int {
        var slot = Int(((pair ^ pair >> 29) &* 0x9E37_79B9_7F4A_7C15) >> shift)
        while slots[slot].pair != pair, slots[slot].pair != Self.free { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(pair: Self.free, merge: .none), count: old.count * 2)
        shift -= 1
        for filled in old where filled.pair != Self.free { slots[slot(of: filled.pair)] = filled }
    }

    private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }
}
