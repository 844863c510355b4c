// The strings of `model.vocab`, while a tokenizer file is read: merges are named by string in the file and by id afterwards.
// All strings lie in one arena behind one hash table, because 151,643 Swift strings would take longer than everything else.

/// Strings, as the file spells them (UTF-8 of the byte alphabet), and their ids.
struct Vocabulary {
    private struct Entry {
        let start: UInt32
        let length: UInt32
        let hash: UInt32
        let id: Int32
    }

    private var arena: [UInt8] = []
    private var entries: [Entry] = []
    /// Places in `entries`, -1 where free; a power of two of them, at most half taken.
    private var slots = [Int32](repeating: -1, count: 1 << 14)

    var count: Int { entries.count }

    /// - Returns: false, and nothing changes, when the string is there already
    mutating func insert(_ text: UnsafeBufferPointer<UInt8>, id: Int32) -> Bool {
        if entries.count * 2 >= slots.count { grow() }
        let hash = Self.hash(text)
        let slot = self.slot(of: text, hash: hash)
        guard slots[slot] < 0 else { return false }
        slots[slot] = Int32(entries.count)
        entries.append(Entry(start: UInt32(arena.count), length: UInt32(text.count), hash: hash, id: id))
        arena.append(contentsOf: text)
        return true
    }

    func id(of text: UnsafeBufferPointer<UInt8>) -> Int32? {
        let place = slots[slot(of: text, hash: Self.hash(text))]
        return place < 0 ? nil : entries[Int(place)].id
    }

    func id(of text: [UInt8]) -> Int32? {
        text.withUnsafeBufferPointer { id(of: $0) }
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
        while slots[slot] >= 0 {
            let entry = entries[Int(slots[slot])]
            if entry.hash == hash, Int(entry.length) == text.count, isEqual(text, at: Int(entry.start)) { return slot }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private func isEqual(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
        for index in 0..<text.count where arena[start + index] != text[index] { return false }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        let mask = slots.count - 1
        for place in entries.indices {
            var slot = Int(entries[place].hash) & mask
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = Int32(place)
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
