// Making a token index: the ranks of a host share the rows, round by round, and write into one file. The same bytes come out on
// any number of ranks and threads.

import Comm
import Files

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
        let behind: TokenPart.Sizes
        let tables: TokenPart.Tables
    }

    /// Fills a file that every rank of the group has opened.
    ///
    /// Collective over the group.
    /// - Returns: what its first block says
    /// - Throws: `UserError`, the same on every rank: of the first row that cannot be trained on; `.output`
    func write(to output: PlacedFile, _ origin: TokenIndexHeader.Origin) throws -> TokenIndexHeader {
        let pairs = try group.together { try source.open(number) }
        var header = TokenIndexHeader(key: try group.together { try source.key(ofFile: number) }, origin: origin)
        header.fileRows = pairs.count
        header.holdsOut = source.holdsOut(of: pairs)
        var pieces: [Piece] = []
        let tasks = source.taskNames.count
        var sums = [Int](repeating: 0, count: 4 + 2 * tasks)
        var report = RowReport()
        for round in pairs.rounds(ofBytes: roundBytes) {
            let share = Shard.range(of: round.count, rank: group.rank, worldSize: group.worldSize)
            let rows = round.lowerBound + share.lowerBound..<round.lowerBound + share.upperBound
            let endsRun = source.badRows == .fail && report.badRows > 0
            let part = try group.together { try source.tokenized(rows, of: pairs, file: number, onlyChecks: endsRun) }
            pieces.append(try place(part, behind: &header, in: output))
            report.add(try sum(part.report))
            sums[0] += part.truncated
            sums[1] += part.droppedNegatives
            sums[2] += part.skippedRows
            sums[3] += part.inputs.count { $0.image >= 0 }
            for row in part.rows {
                sums[4 + Int(row.task)] += 1
                sums[4 + tasks + Int(row.task)] += Int(row.isGraded)
            }
            progress(round.upperBound, pairs.count)
        }
        try group.together { try check(report, pairs) }
        try group.allReduceSum(&sums)
        (header.truncated, header.droppedNegatives, header.skippedRows, header.imageInputs) = (sums[0], sums[1], sums[2], sums[3])
        (header.rowsByTask, header.gradedByTask) = (Array(sums[4..<4 + tasks]), Array(sums[(4 + tasks)...]))
        try finish(pieces, report, &header, output)
        return header
    }

    /// What all ranks of the group have found in a round.
    private func sum(_ own: RowReport) throws -> RowReport {
        let all = try group.allGatherVariable(own.json.serialized(pretty: false))
        return all.reduce(into: RowReport()) { sum, bytes in
            guard let json = try? JSONValue.parse(bytes, path: nil), let part = RowReport(json) else {
                preconditionFailure("token index: a report that is none")
            }
            sum.add(part)
        }
    }

    /// Whether the file can be trained on: its rows, and what their keys mean.
    private func check(_ report: RowReport, _ pairs: PairFile) throws(UserError) {
        switch source.badRows {
        case .fail:
            if let error = report.badRowError(path: pairs.path) { throw error }
        case .skip(let limit):
            guard Double(report.badRows) > limit * Double(pairs.count) || report.badRows == pairs.count else { break }
            let share = Figures.fixed(100 * Double(report.badRows) / Double(pairs.count), 1)
            throw UserError(
                .content, pairs.path, line: report.firstBad[0].line, column: report.firstBad[0].column,
                "\(report.firstBad[0].message); with this one \(Figures.count(report.badRows, "row")) of \(Figures.count(pairs.count)) "
                    + "(\(share) %) cannot be used, more than data.bad_row_limit: \(Figures.short(limit)); mend them or raise the limit")
        }
        try report.keys.check(path: pairs.path, pairs.rules)
    }

    /// Writes the tokens of each rank's part of a round, one rank's behind the other's.
    private func place(_ part: TokenPart, behind header: inout TokenIndexHeader, in output: PlacedFile) throws -> Piece {
        let counts = try group.allGatherVariable([
            part.rows.count, part.inputs.count, part.tokens.count, part.images.count, part.names.count,
        ])
        let own = header.sizes + counts[..<group.rank]
        let offset = header.tokensOffset + own.tokens * MemoryLayout<Int32>.stride
        try group.together { try output.write(part.tokens, at: offset) }
        header.sizes = header.sizes + counts[...]
        return Piece(behind: own, tables: part.tables(behind: own))
    }

    /// Tables, whose place is known only now, and the header, which makes the file an index.
    private func finish(_ pieces: [Piece], _ report: RowReport, _ header: inout TokenIndexHeader, _ output: PlacedFile) throws {
        let reportBytes = report.json.serialized(pretty: false)
        header.report = reportBytes.count
        let counted = header
        try group.together {
            for piece in pieces { try write(piece, counted, output) }
            guard group.rank == 0 else { return }
            let end = TokenIndex.Row(
                firstToken: UInt64(counted.tokens), firstInput: UInt64(counted.inputs), check: 0, number: UInt32(counted.fileRows), task: 0,
                isGraded: 0, score: 0)
            try output.write([end], at: counted.rowsOffset + counted.rows * MemoryLayout<TokenIndex.Row>.stride)
            try output.write(reportBytes, at: counted.reportOffset)
        }
        header.tablesHash = try group.broadcast(
            group.together { () throws(UserError) -> [UInt8] in
                guard group.rank == 0 else { return [] }
                let file = try MappedFile(path: output.path)
                return TokenIndexHeader.hash(ofTables: file.contents.extracting(droppingFirst: counted.rowsOffset))
            })
        let block = header.encoded
        try group.together {
            if group.rank == 0 { try output.write(block, at: 0) }
            try output.sync()
        }
    }

    private func write(_ piece: Piece, _ header: TokenIndexHeader, _ output: PlacedFile) throws(UserError) {
        let (behind, tables) = (piece.behind, piece.tables)
        try output.write(tables.rows, at: header.rowsOffset + behind.rows * MemoryLayout<TokenIndex.Row>.stride)
        try output.write(tables.inputs, at: header.inputsOffset + behind.inputs * MemoryLayout<TokenIndex.Input>.stride)
        try output.write(tables.images, at: header.imagesOffset + behind.images * MemoryLayout<TokenIndex.Image>.stride)
        try output.write(tables.names, at: header.namesOffset + behind.names)
    }
}

extension TokenIndexHeader {
    fileprivate var sizes: TokenPart.Sizes {
        get { TokenPart.Sizes(rows: rows, inputs: inputs, tokens: tokens, images: images, names: names) }
        set { (rows, inputs, tokens, images, names) = (newValue.rows, newValue.inputs, newValue.tokens, newValue.images, newValue.names) }
    }
}

extension TokenPart.Sizes {
    /// With the parts of some ranks added, each as rows, inputs, tokens, images, names.
    fileprivate static func + (sizes: Self, parts: ArraySlice<[Int]>) -> Self {
        func sum(_ kind: Int) -> Int { parts.reduce(0) { $0 + $1[kind] } }
        return Self(
            rows: sizes.rows + sum(0), inputs: sizes.inputs + sum(1), tokens: sizes.tokens + sum(2), images: sizes.images + sum(3),
            names: sizes.names + sum(4))
    }
}
