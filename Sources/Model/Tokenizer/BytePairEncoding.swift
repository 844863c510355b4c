// Byte-pair merging of one word: bytes become tokens, then the adjacent pair of lowest rank, leftmost among equals, is merged
// until none can be. Short words search the whole row for each merge; long ones keep a heap, so that a megabyte without a
// space does not take hours.

/// The merge rule of a vocabulary.
struct BytePairEncoding: Sendable {
    /// Words of this many bytes and fewer are searched.
    static let shortWord = 48

    /// The token of each byte, [256].
    private let byteTokens: [Int32]
    private let merges: MergeTable

    init(byteTokens: [Int32], merges: MergeTable) {
        precondition(byteTokens.count == 256, "BytePairEncoding: \(byteTokens.count) byte tokens")
        self.byteTokens = byteTokens
        self.merges = merges
    }

    /// Appends the tokens of `word` (bytes, not empty).
    func encode(_ word: UnsafeBufferPointer<UInt8>, into result: inout [Int32]) {
        if word.count == 1 {
            result.append(byteTokens[Int(word[0])])
        } else if word.count <= Self.shortWord {
            encodeShort(word, into: &result)
        } else {
            encodeLong(word, into: &result)
        }
    }

    private func encodeShort(_ word: UnsafeBufferPointer<UInt8>, into result: inout [Int32]) {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: word.count) { tokens in
            withUnsafeTemporaryAllocation(of: MergeTable.Merge.self, capacity: word.count) { planned in
                for place in 0..<word.count { tokens.initializeElement(at: place, to: byteTokens[Int(word[place])]) }
                planned.initialize(repeating: .none)
                let count = mergeAll(tokens, planned)
                for place in 0..<count { result.append(tokens[place]) }
            }
        }
    }

    /// Merges a row until nothing merges.
    ///
    /// - Parameters:
    ///   - tokens: [count]
    ///   - planned: [count], each token's merge with its right neighbour; `.none` at first
    /// - Returns: how many tokens are left
    private func mergeAll(_ tokens: UnsafeMutableBufferPointer<Int32>, _ planned: UnsafeMutableBufferPointer<MergeTable.Merge>) -> Int {
        var last = tokens.count - 1
        for place in 0..<last { planned[place] = merges.merge(left: tokens[place], right: tokens[place + 1]) }
        while true {
            var lowest = MergeTable.Merge.none
            var place = 0
            for candidate in 0..<last where planned[candidate] < lowest {
                lowest = planned[candidate]
                place = candidate
            }
            if lowest == .none { return last + 1 }
            tokens[place] = lowest.token
            last -= 1
            var next = place + 1
            while next <= last {
                tokens[next] = tokens[next + 1]
                planned[next] = planned[next + 1]
                next += 1
            }
            planned[place] = place < last ? merges.merge(left: tokens[place], right: tokens[place + 1]) : .none
            if place > 0 { planned[place - 1] = merges.merge(left: tokens[place - 1], right: tokens[place]) }
        }
    }

    private func encodeLong(_ word: UnsafeBufferPointer<UInt8>, into result: inout [Int32]) {
        precondition(word.count < Int32.max, "BytePairEncoding: a word of \(word.count) bytes")
        var row = LinkedRow(tokens: word.map { byteTokens[Int($0)] })
        for place in 0..<word.count { row.plan(at: place, merges) }
        while let candidate = row.heap.pop() { row.merge(candidate, merges) }
        result.append(contentsOf: row.tokens.lazy.filter { $0 >= 0 })
    }
}

/// A long word while it is merged.
private struct LinkedRow {
    /// -1 where a token was merged into its left neighbour.
    var tokens: [Int32]
    var heap = MergeHeap()
    /// Neighbours still there; `tokens.count` behind the last, -1 before the first.
    private var next: [Int32]
    private var previous: [Int32]

    init(tokens: [Int32]) {
        self.tokens = tokens
        next = (0..<tokens.count).map { Int32($0 + 1) }
        previous = (0..<tokens.count).map { Int32($0 - 1) }
    }

    /// Puts the merge of a token with its right neighbour, if there is one, into the heap.
    mutating func plan(at left: Int, _ merges: MergeTable) {
        let merge = merge(at: left, merges)
        if merge != .none { heap.push(rank: merge.rank, place: UInt32(left)) }
    }

    /// Makes a planned merge unless its pair is gone: a rank belongs to one pair.
    mutating func merge(_ candidate: (rank: UInt32, place: UInt32), _ merges: MergeTable) {
        let left = Int(candidate.place)
        let merge = merge(at: left, merges)
        guard tokens[left] >= 0, merge.rank == candidate.rank else { return }
        let right = Int(next[left])
        tokens[left] = merge.token
        tokens[right] = -1
        next[left] = next[right]
        if Int(next[right]) < tokens.count { previous[Int(next[right])] = Int32(left) }
        plan(at: left, merges)
        if previous[left] >= 0 { plan(at: Int(previous[left]), merges) }
    }

    private func merge(at left: Int, _ merges: MergeTable) -> MergeTable.Merge {
        let right = Int(next[left])
        return right < tokens.count ? merges.merge(left: tokens[left], right: tokens[right]) : .none
    }
}

/// Merges waiting to be made, lowest rank first, then leftmost.
private struct MergeHeap {
    /// Rank in the upper half, place in the lower: their order as numbers is the order of merging.
    private var keys: [UInt64] = []

    mutating func push(rank: UInt32, place: UInt32) {
        var index = keys.count
        let key = UInt64(rank) << 32 | UInt64(place)
        keys.append(key)
        while index > 0, keys[(index - 1) / 2] > key {
            keys[index] = keys[(index - 1) / 2]
            index = (index - 1) / 2
        }
        keys[index] = key
    }

    mutating func pop() -> (rank: UInt32, place: UInt32)? {
        guard let first = keys.first, let last = keys.popLast() else { return nil }
        if !keys.isEmpty { sink(last) }
        return (UInt32(first >> 32), UInt32(truncatingIfNeeded: first))
    }

    /// Puts `key` where the first was and lets it sink to its place.
    private mutating func sink(_ key: UInt64) {
        var index = 0
        while true {
            var child = index * 2 + 1
            guard child < keys.count else { break }
            if child + 1 < keys.count, keys[child + 1] < keys[child] { child += 1 }
            guard keys[child] < key else { break }
            keys[index] = keys[child]
            index = child
        }
        keys[index] = key
    }
}
