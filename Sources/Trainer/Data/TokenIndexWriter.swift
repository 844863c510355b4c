// Making a token index: the ranks of a host share the rows, round by round, and write into one file. The same bytes come out on
// any number of ranks and threads.

import Comm
import Tensor

/// One index in the making.
struct TokenIndexWriter {
    /// Ranks that see the same training file.
    let group: Communicator
    let source: TrainingSource
    /// Index of the training file in `data.train`.
    let number: Int
    /// Bytes of the training file that all ranks together tokenize before they write: a rank holds no more tokens than these.
    var roundBytes = 32 << 20
    /// Receives rows done and rows in all.
    let progress: (Int, Int) -> Void

    /// The tables of this rank's part of a round, and where they belong.
    private struct Piece {
        let row: Int
        let input: Int
        let tables: (rows: [TokenIndex.Row], inputs: [TokenIndex.Input])
    }

    /// Fills a file that every rank of the group has opened.
    ///
    /// Collective over the group.
    /// - Returns: what its first block says
    /// - Throws: `UserError`, the same on every rank: of the first row that cannot be trained on; `.output`
    func write(to output: PlacedFile, _ origin: TokenIndexHeader.Origin) throws -> TokenIndexHeader {
        let pairs = try group.together { try source.open(number) }
        var header = TokenIndexHeader(key: source.key(ofFile: number), origin: origin)
        header.fileRows = pairs.count
        header.holdsOut = source.holdsOut(of: pairs)
        var pieces: [Piece] = []
        let tasks = source.taskNames.count
        var sums = [Int](repeating: 0, count: 2 + 2 * tasks)
        for round in pairs.rounds(ofBytes: roundBytes) {
            let share = Shard.range(of: round.count, rank: group.rank, worldSize: group.worldSize)
            let rows = round.lowerBound + share.lowerBound..<round.lowerBound + share.upperBound
            let part = try group.together { try source.tokenized(rows, of: pairs, file: number) }
            pieces.append(try place(part, behind: &header, in: output))
            sums[0] += part.truncated
            sums[1] += part.droppedNegatives
            for row in part.rows {
                sums[2 + Int(row.task)] += 1
                sums[2 + tasks + Int(row.task)] += Int(row.isGraded)
            }
            progress(round.upperBound, pairs.count)
        }
        try group.allReduceSum(&sums)
        (header.truncated, header.droppedNegatives) = (sums[0], sums[1])
        (header.rowsByTask, header.gradedByTask) = (Array(sums[2..<2 + tasks]), Array(sums[(2 + tasks)...]))
        try finish(pieces, &header, output)
        return header
    }

    /// Writes the tokens of each rank's part of a round, one rank's behind the other's.
    private func place(_ part: TokenPart, behind header: inout TokenIndexHeader, in output: PlacedFile) throws -> Piece {
        let counts = try group.allGatherVariable([part.rows.count, part.inputs.count, part.tokens.count])
        func sum(_ ranks: ArraySlice<[Int]>, _ kind: Int) -> Int { ranks.reduce(0) { $0 + $1[kind] } }
        let before = counts[..<group.rank]
        let (row, input, token) = (header.rows + sum(before, 0), header.inputs + sum(before, 1), header.tokens + sum(before, 2))
        let offset = header.tokensOffset + token * MemoryLayout<Int32>.stride
        try group.together { try output.write(part.tokens, at: offset) }
        header.rows += sum(counts[...], 0)
        header.inputs += sum(counts[...], 1)
        header.tokens += sum(counts[...], 2)
        return Piece(row: row, input: input, tables: part.tables(behindTokens: token, inputs: input))
    }

    /// Tables, whose place is known only now, and the header, which makes the file an index.
    private func finish(_ pieces: [Piece], _ header: inout TokenIndexHeader, _ output: PlacedFile) throws {
        let counted = header
        try group.together {
            for piece in pieces { try write(piece, counted, output) }
            guard group.rank == 0 else { return }
            let end = TokenIndex.Row(
                firstToken: UInt64(counted.tokens), firstInput: UInt64(counted.inputs), check: 0, number: UInt32(counted.fileRows), task: 0,
                isGraded: 0, score: 0)
            try output.write([end], at: counted.rowsOffset + counted.rows * MemoryLayout<TokenIndex.Row>.stride)
        }
        header.tablesHash = try group.broadcast(
            group.together { () throws(UserError) -> [UInt8] in
                guard group.rank == 0 else { return [] }
                let file = try MappedFile(path: output.path)
                defer { withExtendedLifetime(file) {} }
                return TokenIndexHeader.hash(ofTables: UnsafeRawBufferPointer(rebasing: file.bytes[counted.rowsOffset...]))
            })
        let block = header.encoded
        try group.together {
            if group.rank == 0 { try output.write(block, at: 0) }
            try output.sync()
        }
    }

    private func write(_ piece: Piece, _ header: TokenIndexHeader, _ output: PlacedFile) throws(UserError) {
        try output.write(piece.tables.rows, at: header.rowsOffset + piece.row * MemoryLayout<TokenIndex.Row>.stride)
        try output.write(piece.tables.inputs, at: header.inputsOffset + piece.input * MemoryLayout<TokenIndex.Input>.stride)
    }
}
