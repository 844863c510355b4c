// The pass over the input, in rounds. In a round every rank reads some blocks, finds out what is to be known of their rows, hears from
// the others which rows were there before, and makes the lines of those that stay; rank 0 writes the lines of all.
//
// No text outlives its round. Everything that differs between ranks is decided in the order of the input: which row is the first of
// equal ones, and which error is the first.

import Comm
import Data
import Files
import Model
import Tensor

/// One pass; its files get their names by `finish`.
final class PreprocessingPass {
    private let world: Communicator
    private let options: PreprocessingOptions
    private let processor: TextProcessor?
    private let sets: [LeakSet]
    private let rows: RawRows
    private var index: DuplicateIndex
    private(set) var tally: Tally
    private let outputs: [(path: String, line: RowLine)]
    private let files: [RowOutput]
    /// Blocks that a rank reads in a round; packed on as many threads.
    private let blocksOfRank: Int
    private var rounds = 0
    /// Rows of the input so far, on all ranks.
    private(set) var rowsRead = 0

    /// Opens the outputs, on rank 0.
    ///
    /// - Throws: `UserError` `.output`
    init(
        _ world: Communicator, _ options: PreprocessingOptions, _ processor: TextProcessor?, _ rule: RowRule, _ sets: [LeakSet]
    ) throws(UserError) {
        (self.world, self.options, self.processor, self.sets) = (world, options, processor, sets)
        rows = RawRows(options.inputs, rule)
        index = DuplicateIndex(world)
        tally = Tally(files: options.inputs.count, sets: sets.count)
        let paths = [options.output] + (options.heldOutOutput.map { [$0] } ?? [])
        outputs = paths.map { ($0, RowLine(file: $0)) }
        var files: [RowOutput] = []
        if world.rank == 0 { for path in paths { files.append(try RowOutput(path: path)) } }
        self.files = files
        blocksOfRank = min(Threads.count, 8)
    }

    /// Does the next blocks of all ranks.
    ///
    /// Collective.
    /// - Returns: whether there were any rows left
    /// - Throws: `UserError` of the first bad row, or of a file that cannot be read on, the same on every rank
    func round() throws -> Bool {
        var (blocks, failure) = read()
        let results = examine(blocks.flatMap(\.rows))
        var good: [(raw: RawRow, facts: RowFacts)] = []
        for block in blocks {
            for (file, count) in block.rowsByFile { tally.rowsByFile[file] += count }
            for (number, error) in block.bad { note(error, number, &failure) }
        }
        for (number, result) in results {
            switch result {
            case .success(let row): good.append(row)
            case .failure(let error): note(error, number, &failure)
            }
        }
        try agree(on: failure)

        var counts = [blocks.reduce(0) { $0 + $1.rowsByFile.values.reduce(0, +) }]
        try world.allReduceSum(&counts)
        rowsRead += counts[0]
        rounds += 1
        guard counts[0] > 0 else { return false }

        blocks = []
        try write(try decide(good))
        return true
    }

    /// This rank's blocks of the round, and what ended the reading.
    private func read() -> ([RawBlock], failure: (number: RowNumber, error: UserError)?) {
        let first = (rounds * world.worldSize + world.rank) * blocksOfRank
        var blocks: [RawBlock] = []
        do throws(UserError) {
            while rows.blocks < first { try rows.pass() }
            for _ in 0..<blocksOfRank { blocks.append(try rows.read()) }
        } catch {
            return (blocks, (RowNumber(block: rows.blocks, place: rows.place), error))
        }
        return (blocks, nil)
    }

    /// Cleans rows where that is asked for, and finds out what is to be known of them.            [rows]
    private func examine(_ rows: [RawRow]) -> [(RowNumber, Result<(raw: RawRow, facts: RowFacts), UserError>)] {
        Threads.map(rows.count, grain: 16) { place in
            let raw = rows[place]
            return (raw.number, Result { () throws(UserError) in try examine(raw) })
        }
    }

    private func examine(_ raw: RawRow) throws(UserError) -> (raw: RawRow, facts: RowFacts) {
        var raw = raw
        if options.cleans {
            guard let row = Cleaning.clean(raw.row) else {
                throw raw.fault("a text of this row has no characters left after cleaning; remove the row")
            }
            raw.row = row
        }
        do { return (raw, try RowFacts(raw, options, processor, sets)) } catch { throw raw.fault("the image \(error.description)") }
    }

    /// Counts a bad row; where one ends the run, keeps the first.
    private func note(_ error: UserError, _ number: RowNumber, _ failure: inout (number: RowNumber, error: UserError)?) {
        tally.addBad(error, number)
        guard options.badRows == .fail, failure.map({ number < $0.number }) ?? true else { return }
        failure = (
            number,
            UserError(
                error.code, error.path, line: error.line, column: error.column,
                error.message + " (--on-bad-row skip leaves such rows out and counts them)")
        )
    }

    /// Throws the first failure of all ranks on all of them.
    private func agree(on failure: (number: RowNumber, error: UserError)?) throws {
        let own = failure?.number.combined ?? .max
        var first = [own]
        try world.allReduceMin(&first)
        guard first[0] < .max else { return }
        try world.together { () -> Void in
            if let failure, own == first[0] { throw failure.error }
        }
    }

    /// Leaves out what is to be left out.
    ///
    /// Collective.
    /// - Parameter rows: this rank's rows, in the order of the input
    /// - Returns: those that stay
    private func decide(_ rows: [(raw: RawRow, facts: RowFacts)]) throws -> [(raw: RawRow, facts: RowFacts)] {
        var staying: [(raw: RawRow, facts: RowFacts)] = []
        for row in rows {
            var worst: (path: String, leak: Leak)?
            for (place, leak) in row.facts.leaks.enumerated() {
                tally.leaks[place].add(leak, from: options.leakShare)
                guard leak.counts(from: options.leakShare), worst.map({ !$0.leak.isWhole && $0.leak.share < leak.share }) ?? true else {
                    continue
                }
                worst = (sets[place].path, leak)
            }
            if let (path, leak) = worst {
                let how =
                    leak.isWhole
                    ? "a text of it is one of \(path)" : "\(Figures.fixed(100 * leak.share, 0)) % of its runs of words are in \(path)"
                tally.addLeaked("\(row.raw.placeInWords): \(how)", row.raw.number)
                if options.leaks == .remove { continue }
            }
            staying.append(row)
        }
        let earlier = try index.take(staying.map(\.facts.keys))
        var kept: [(raw: RawRow, facts: RowFacts)] = []
        for (row, earlier) in zip(staying, earlier) {
            switch earlier {
            case .none: break
            case .same: tally.same += 1
            case .alike: tally.alike += 1
            }
            if earlier == .none || options.duplicates == .keep { kept.append(row) }
        }
        for row in kept { tally.add(row.facts) }
        return kept
    }

    /// Writes the rows of all ranks.
    ///
    /// Collective.
    private func write(_ rows: [(raw: RawRow, facts: RowFacts)]) throws {
        var blocks: [[(raw: RawRow, facts: RowFacts)]] = []
        for row in rows {
            if let last = blocks.last?.last, last.raw.number.block == row.raw.number.block {
                blocks[blocks.count - 1].append(row)
            } else {
                blocks.append([row])
            }
        }
        for (place, output) in outputs.enumerated() {
            let parts = Threads.map(blocks.count, grain: 1) { block in
                var lines: [UInt8] = []
                for row in blocks[block] where row.facts.keys.isHeldOut == (place == 1) { lines += output.line.bytes(row.raw) }
                return lines.isEmpty || !RowOutput.isPacked(output.path) ? lines : GzipMember.packed(lines)
            }
            let all = try world.allGatherVariable(Array(parts.joined()))
            try world.together { () -> Void in
                if world.rank == 0 { for part in all { try files[place].write(part) } }
            }
        }
    }

    /// Adds up the counts of all ranks, and gives the files their names.
    ///
    /// Collective.
    /// - Returns: path, size and hash of each file; empty on ranks other than 0
    /// - Throws: `UserError` when no row is left, or a file cannot be written
    func finish() throws -> [(path: String, summary: OutputFile.Summary)] {
        try tally.merge(world)
        return try world.together { () throws(UserError) in
            guard rowsRead > 0 else { throw UserError(.content, options.inputs[0], "the input holds no row; check the path") }
            guard tally.written + tally.heldOut > 0 else {
                throw UserError(
                    .content, options.inputs[0],
                    "no row is left of \(Figures.count(rowsRead)): \(Figures.count(tally.bad)) cannot be used, \(Figures.count(tally.leaked)) "
                        + "are in an evaluation set, too; nothing was written")
            }
            var committed: [(path: String, summary: OutputFile.Summary)] = []
            for file in files { committed.append((file.path, try file.commit())) }
            return committed
        }
    }
}
