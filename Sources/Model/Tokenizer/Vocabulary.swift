// The strings of `model.vocab`, while a tokenizer file is read: merges are named by string in the file and by id afterwards.
// All strings lie in one arena behind one hash table, because 151,643 Swift strings would take longer than everything else.

/// Strings, as the file spells them (UTF-8 of the byte alphabet), and their ids.
struct Vocabulary {
    private struct Entry {
        let start: UInt32
        let length: UInt32
        let id: Int32
    }

    /// Hash in the upper half, place in `entries` in the lower: most strangers are told apart without a look at `entries`.
    private typealias Slot = UInt64
    private static let free = Slot.max

    private var arena: [UInt8] = []
    private var entries: [Entry] = []
    /// A power of two, at most two thirds taken; a string lies in its own slot or in one behind it.
    private var slots = [Slot](repeating: free, count: 1 << 15)

    var count: Int { entries.count }

    /// - Returns: false, and nothing changes, when the string is there already
    mutating func insert(_ text: UnsafeBufferPointer<UInt8>, id: Int32) -> Bool {
        if entries.count * 3 >= slots.count * 2 { grow() }
        let hash = Self.hash(text)
        let slot = self.slot(of: text, hash: hash)
        guard slots[slot] == Self.free else { return false }
        slots[slot] = UInt64(hash) << 32 | UInt64(entries.count)
        entries.append(Entry(start: UInt32(arena.count), length: UInt32(text.count), id: id))
        arena.append(contentsOf: text)
        return true
    }

    func id(of text: UnsafeBufferPointer<UInt8>) -> Int32? {
        let slot = slots[slot(of: text, hash: Self.hash(text))]
        return slot == Self.free ? nil : entries[Self.place(in: slot)].id
    }

    /// - Parameter guess: where the string probably stands, counted from 0 in the file's order
    func id(of text: [UInt8], guess: Int? = nil) -> Int32? {
        text.withUnsafeBufferPointer { text in
            if let guess, guess < entries.count, isEqual(text, entries[guess]) { return entries[guess].id }
            return id(of: text)
        }
    }

    /// What is wrong with the ids, which must be 0 to count - 1, each once: the lowest id that is not there and one that is there twice.
    func faultOfIDs() -> (missing: Int, doubled: Int?)? {
        var taken = [Bool](repeating: false, count: entries.count)
        var doubled: Int?
        for entry in entries where entry.id < entries.count {
            if taken[Int(entry.id)] { doubled = doubled ?? Int(entry.id) }
            taken[Int(entry.id)] = true
        }
        return taken.firstIndex(of: false).map { ($0, doubled) }
    }

    /// The slot that holds `text`, or the free one where it belongs.
    private func slot(of text: UnsafeBufferPointer<UInt8>, hash: UInt32) -> Int {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != Self.free {
            if slots[slot] >> 32 == hash, isEqual(text, entries[Self.place(in: slots[slot])]) { return slot }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private static func place(in slot: Slot) -> Int { Int(UInt32(truncatingIfNeeded: slot)) }

    private func isEqual(_ text: UnsafeBufferPointer<UInt8>, _ entry: Entry) -> Bool {
        guard Int(entry.length) == text.count else { return false }
        for index in 0..<text.count where arena[Int(entry.start) + index] != text[index] { return false }
        return true
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Self.free, count: old.count * 2)
        let mask = slots.count - 1
        for filled in old where filled != Self.free {
            var slot = Int(filled >> 32) & mask
            while slots[slot] != Self.free { slot = (slot + 1) & mask }
            slots[slot] = filled
        }
    }

    /// Eight bytes at a time, each folded in by a multiplication.
    private static func hash(_ text: UnsafeBufferPointer<UInt8>) -> UInt32 {
        let bytes = UnsafeRawBufferPointer(text)
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(text.count)
        var index = 0
        while index + 8 <= bytes.count {
            hash = mix(hash, bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            index += 8
        }
        var rest: UInt64 = 0
        while index < bytes.count {
            rest = rest << 8 | UInt64(bytes[index])
            index += 1
        }
        return UInt32(truncatingIfNeeded: mix(hash, rest))
    }

    private static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low
    }
}
