// What is counted on the way: on each rank for its own rows, and added up at the end.

import Comm
import Files

/// Counts of one rank, and after `merge` of all.
struct Tally {
    /// Which rows an evaluation set has, too.
    struct LeakCounts: Equatable {
        /// Rows with a text that is one of the set.
        var whole = 0
        /// Rows with any run of words of the set, with a quarter of them, half, three quarters, all.
        var shares = [0, 0, 0, 0, 0]
        /// Rows that count as leaked.
        var leaked = 0

        static let limits = [0, 0.25, 0.5, 0.75, 1]

        mutating func add(_ leak: Leak, from limit: Double) {
            if leak.isWhole { whole += 1 }
            for (place, least) in Self.limits.enumerated() where leak.share > 0 && leak.share >= least { shares[place] += 1 }
            if leak.counts(from: limit) { leaked += 1 }
        }
    }

    /// A sentence about a row.
    struct Note: Equatable {
        let number: RowNumber
        let text: String
    }

    /// Rows of each file, bad ones too.                                  [files]
    var rowsByFile: [Int]
    var bad = 0
    var leaked = 0
    /// Rows that an earlier one equals byte for byte, or in normal form alone.
    var (same, alike) = (0, 0)
    var (written, heldOut) = (0, 0)
    var images = 0
    /// Letters by script, and rows by the script of most letters of their anchor.       [scripts]
    var (letters, mainScripts): ([Int], [Int])
    /// Texts of each side in units and in bytes.                          [sides]
    var (units, bytes): ([LengthCounts], [LengthCounts])
    var leaks: [LeakCounts]
    /// The first bad and the first leaked rows.
    private(set) var (firstBad, firstLeaked): ([Note], [Note]) = ([], [])

    /// Rows that a report names.
    static let notesKept = 10

    init(files: Int, sets: Int) {
        rowsByFile = Array(repeating: 0, count: files)
        letters = Array(repeating: 0, count: Scripts.names.count)
        mainScripts = letters
        units = RowSide.allCases.map { _ in LengthCounts() }
        bytes = units
        leaks = Array(repeating: LeakCounts(), count: sets)
    }

    mutating func addBad(_ error: UserError, _ number: RowNumber) {
        bad += 1
        Self.keep(Note(number: number, text: error.description), in: &firstBad)
    }

    mutating func addLeaked(_ text: String, _ number: RowNumber) {
        leaked += 1
        Self.keep(Note(number: number, text: text), in: &firstLeaked)
    }

    /// A row that is written.
    mutating func add(_ facts: RowFacts) {
        if facts.keys.isHeldOut { heldOut += 1 } else { written += 1 }
        images += facts.images
        for length in facts.lengths {
            units[length.side.rawValue].add(length.units)
            bytes[length.side.rawValue].add(length.bytes)
        }
        for (script, count) in facts.letters { letters[script] += count }
        if let script = facts.mainScript { mainScripts[script] += 1 }
    }

    private static func keep(_ note: Note, in notes: inout [Note]) {
        notes.append(note)
        guard notes.count > notesKept else { return }
        notes.sort { $0.number < $1.number }
        notes.removeLast()
    }

    // MARK: All ranks

    /// Adds up the counts of all ranks.
    ///
    /// Collective.
    mutating func merge(_ world: Communicator) throws {
        var numbers = [bad, leaked, same, alike, written, heldOut, images]
        try world.allReduceSum(&numbers)
        (bad, leaked, same, alike, written, heldOut, images) =
            (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6])
        try world.allReduceSum(&rowsByFile)
        try world.allReduceSum(&letters)
        try world.allReduceSum(&mainScripts)
        for place in leaks.indices {
            var numbers = [leaks[place].whole, leaks[place].leaked] + leaks[place].shares
            try world.allReduceSum(&numbers)
            leaks[place] = LeakCounts(whole: numbers[0], shares: Array(numbers[2...]), leaked: numbers[1])
        }
        for place in units.indices {
            units[place] = try Self.merged(units[place], world)
            bytes[place] = try Self.merged(bytes[place], world)
        }
        firstBad = try Self.merged(firstBad, world)
        firstLeaked = try Self.merged(firstLeaked, world)
    }

    private static func merged(_ own: LengthCounts, _ world: Communicator) throws -> LengthCounts {
        var sum = LengthCounts()
        for part in try world.allGatherVariable(own.flattened) { sum.add(LengthCounts(flattened: part)) }
        return sum
    }

    private static func merged(_ own: [Note], _ world: Communicator) throws -> [Note] {
        let lines = own.map { "\($0.number.block) \($0.number.place) \($0.text.filter { !$0.isNewline })\n" }.joined()
        let all = try world.allGatherVariable(Array(lines.utf8)).flatMap { part in
            String(decoding: part, as: UTF8.self).split(separator: "\n").map { line in
                let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
                return Note(number: RowNumber(block: Int(words[0])!, place: Int(words[1])!), text: String(words[2]))
            }
        }
        return Array(all.sorted { $0.number < $1.number }.prefix(notesKept))
    }
}
