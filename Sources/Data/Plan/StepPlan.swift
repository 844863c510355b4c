// The plan of one step: which inputs are embedded, who embeds which, and who is whose candidate. A pure function of the rows'
// lengths and contents and of the world size, computed alike on every rank.
//
//     rows → unique inputs in global order → gradient chunks → ranks, longest first

/// Everything that the ranks must agree on for a step.
package struct StepPlan: Sendable {
    /// Index of the batch's task among the model's tasks.
    package let task: Int
    /// The inputs to embed, each once, in the order of first occurrence: anchors in row order, then candidates by column.
    package let inputs: [PlannedInput]
    /// The input of each row's anchor.                             [rows]
    package let anchors: [Int]
    /// The input of each candidate: positives in row order, then negatives in row order.   [columns]
    package let candidates: [Int]
    /// The row of each candidate.                                   [columns]
    package let rowsOfCandidates: [Int]
    /// The content of each candidate, by which duplicates are told.    [columns]
    package let contents: [CandidateContent]
    /// Number of candidates of earlier steps that the rows see behind the step's own columns.
    package let earlierColumns: Int
    /// Grades of the rows of a graded batch; nil in any other.      [rows]
    package let scores: [Float]?
    /// A teacher's scores of each row's own candidates, in the order of `ownColumns`; empty for a row without.   [rows][...]
    package let teacherScores: [[Float]]
    /// Which columns count as negatives of which rows.
    package let visibility: Visibility
    /// The gradient chunks, as ranges of inputs. Independent of the world size.
    package let chunks: [Range<Int>]
    /// The rank of each chunk.                                       [chunks]
    package let owners: [Int]

    /// Columns that are no negatives of a row: duplicates of its anchor or of a known positive. Ascending.   [rows][...]
    package var masked: [[Int]] { visibility.hidden }
    /// Number of pairs of a row and a column that are left out as duplicates.
    package var maskedPairs: Int { visibility.hiddenPairs }
    /// Number of columns of the scores: the step's own, then the earlier ones.
    package var columnCount: Int { candidates.count + earlierColumns }
    /// The columns of each row's own candidates: its positive, then its hard negatives.   [rows][...]
    package var ownColumns: [[Int]] {
        rowsOfCandidates.enumerated().reduce(into: anchors.map { _ in [] }) { $0[$1.element].append($1.offset) }
    }
    /// Tokens of all inputs.
    package var tokens: Int { inputs.reduce(0) { $0 + $1.tokens } }

    /// Plans a step.
    ///
    /// - Parameters:
    ///   - rows: of the global batch, all of one kind
    ///   - batch: their indices in the RowIndex
    ///   - prompts: a number for each file's prompts: equal texts with equal prompts are one input, and equal images, which have none
    ///   - negatives: how many a row sees, and the stream that draws them; nil: all
    ///   - earlier: candidates that the task's memory bank holds; rows of a graded batch do not see them
    ///   - chunkTokens: a chunk takes whole inputs up to this many tokens; a longer input is a chunk of its own
    package init(
        _ rows: [RowSummary], batch: [Int], prompts: PromptNumbers, masksDuplicates: Bool, negatives limit: PoolLimit? = nil,
        earlier: [CandidateContent] = [], chunkTokens: Int, worldSize: Int, cost: InputCost
    ) {
        var unique = UniqueInputs()
        task = rows[0].task
        let scores = rows.compactMap(\.score)
        precondition(scores.isEmpty || scores.count == rows.count, "plan: \(scores.count) of \(rows.count) rows have scores")
        self.scores = scores.isEmpty ? nil : scores
        teacherScores = rows.map(\.teacherScores)
        precondition(
            rows.allSatisfy { $0.teacherScores.isEmpty || $0.teacherScores.count == 1 + $0.negatives.count },
            "plan: a teacher has scored some candidates of a row")
        anchors = batch.indices.map { i in
            unique.index(of: rows[i].anchor, prompt: prompts.anchor(rows[i].file, rows[i].task), row: batch[i], .anchor)
        }
        let positives = batch.indices.map { i in
            unique.index(of: rows[i].positive, prompt: prompts.candidate(rows[i].file, rows[i].task), row: batch[i], .positive)
        }
        let negatives = batch.indices.flatMap { i in
            zip(rows[i].negatives, rows[i].negativePlaces).map { summary, place in
                unique.index(
                    of: summary, prompt: prompts.candidate(rows[i].file, rows[i].task), row: batch[i], .negative(place))
            }
        }
        inputs = unique.inputs
        candidates = positives + negatives
        rowsOfCandidates = Array(rows.indices) + rows.indices.flatMap { Array(repeating: $0, count: rows[$0].negatives.count) }
        contents = rows.candidateContents
        let columns = contents + (scores.isEmpty ? earlier : [])
        earlierColumns = columns.count - contents.count
        let masked = masksDuplicates ? maskedColumns(rows, columns) : siblingColumns(rows)
        visibility = Visibility(hidden: masked, seen: limit?.drawn(columns: columns.count, hidden: masked))
        chunks = inputs.map(\.tokens).ranges(filledUpTo: chunkTokens)
        owners = ChunkAssignment.owners(
            of: chunks.map { chunk in chunk.reduce(0) { $0 + cost.of(unique.inputs[$1]) } }, worldSize: worldSize)
    }

    /// The chunks of `rank` packed into microbatches of at most `limit` tokens (a longer chunk is one by itself), as few as can
    /// be and, among so few, as even: products of few rows are slow.
    package func microbatches(rank: Int, limit: Int) -> [[Int]] {
        let own = chunks.indices.filter { owners[$0] == rank }
        let fewest = packed(own, limit: limit).count
        // The lowest limit that needs no more of them.
        var (low, high) = (1, limit)
        while low < high {
            let middle = (low + high) / 2
            if packed(own, limit: middle).count > fewest { low = middle + 1 } else { high = middle }
        }
        return packed(own, limit: high)
    }

    /// Runs of chunks, each filled until the next one does not fit.
    private func packed(_ own: [Int], limit: Int) -> [[Int]] {
        own.map { tokenCount(of: [$0]) }.ranges(filledUpTo: limit).map { Array(own[$0]) }
    }

    /// Number of tokens of some chunks together.
    package func tokenCount(of chunks: [Int]) -> Int {
        chunks.reduce(0) { $0 + self.chunks[$1].reduce(0) { $0 + inputs[$1].tokens } }
    }

    /// The inputs of a rank in the order in which it embeds them.
    package func inputs(ofRank rank: Int) -> [Int] {
        chunks.indices.filter { owners[$0] == rank }.flatMap { chunks[$0] }
    }

    /// The rows whose anchor each rank embeds, ascending.           [ranks][...]
    package func rows(worldSize: Int) -> [[Int]] { places(of: anchors, worldSize) }

    /// The rows whose positive each rank embeds, ascending.         [ranks][...]
    package func rowsByPositive(worldSize: Int) -> [[Int]] { places(of: Array(candidates[..<anchors.count]), worldSize) }

    private func places(of inputs: [Int], _ worldSize: Int) -> [[Int]] {
        let owner = ownerOfInput
        var places = [[Int]](repeating: [], count: worldSize)
        for (place, input) in inputs.enumerated() { places[owner[input]].append(place) }
        return places
    }

    /// The rank of each input.                                       [inputs]
    package var ownerOfInput: [Int] {
        var owner = [Int](repeating: 0, count: inputs.count)
        for (chunk, rank) in zip(chunks, owners) {
            for input in chunk { owner[input] = rank }
        }
        return owner
    }

    /// Mean load of the ranks over the largest: 1 when all finish together.
    package func efficiency(worldSize: Int, cost: InputCost) -> Double {
        var load = [Int](repeating: 0, count: worldSize)
        for (chunk, owner) in zip(chunks, owners) {
            load[owner] += chunk.reduce(0) { $0 + cost.of(inputs[$1]) }
        }
        return Double(load.reduce(0, +)) / Double(max(load.max() ?? 0, 1) * worldSize)
    }
}

/// Inputs by content and prompt, in the order of first occurrence.
private struct UniqueInputs {
    private struct Key: Hashable {
        let content: ContentHash
        /// Number of the input's prompt; nil for an image, and where the row brings its own.
        let prompt: Int?
        /// Hash of the row's own prompt; 0 without one.
        let ownPrompt: Int64
    }

    private(set) var inputs: [PlannedInput] = []
    private var places: [Key: Int] = [:]

    mutating func index(of summary: InputSummary, prompt: Int, row: Int, _ text: RowText) -> Int {
        let sharesPrompt = !summary.isImage && summary.ownPrompt == 0
        let key = Key(content: summary.content, prompt: sharesPrompt ? prompt : nil, ownPrompt: summary.ownPrompt)
        if let place = places[key] { return place }
        places[key] = inputs.count
        inputs.append(PlannedInput(row: row, text: text, tokens: Int(summary.tokens), isImage: summary.isImage))
        return inputs.count - 1
    }
}

extension [RowSummary] {
    /// Positives in row order, then negatives in row order.
    fileprivate var candidateContents: [CandidateContent] {
        map { CandidateContent(content: $0.positive.content, anchor: $0.anchor.content) }
            + flatMap { $0.negatives.map { CandidateContent(content: $0.content, anchor: nil) } }
    }
}

/// Positives of the same row of a file, which brought several: none is a negative of another.
private func siblingColumns(_ rows: [RowSummary]) -> [[Int]] {
    let siblings = Dictionary(grouping: rows.indices) { [rows[$0].file, rows[$0].row] }
    return rows.map { row in siblings[[row.file, row.row]]!.filter { rows[$0].positive.content != row.positive.content } }
}

/// Columns other than the own positive whose content is the row's positive or anchor, and positives of rows with an equal anchor.
private func maskedColumns(_ rows: [RowSummary], _ columns: [CandidateContent]) -> [[Int]] {
    let wanted = Set(rows.flatMap { [$0.anchor.content, $0.positive.content] })
    var (byContent, byAnchor): ([ContentHash: [Int]], [ContentHash: [Int]]) = ([:], [:])
    for (place, column) in columns.enumerated() {
        if wanted.contains(column.content) { byContent[column.content, default: []].append(place) }
        if let anchor = column.anchor, wanted.contains(anchor) { byAnchor[anchor, default: []].append(place) }
    }
    return rows.enumerated().map { own, row in
        let same = (byContent[row.positive.content] ?? []) + (byContent[row.anchor.content] ?? []) + (byAnchor[row.anchor.content] ?? [])
        return Set(same).subtracting([own]).sorted()
    }
}
