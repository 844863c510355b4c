// Late interaction as a loss compares texts: MaxSim divided by the number of the query's tokens, and its way back to the tokens.

/// Which texts the rows of a block of scores are; its columns are the others.
package enum MaxSimRows: Sendable {
    /// Rows are queries, columns are documents.
    case queries
    /// Rows are documents, columns are queries.
    case documents
}

extension ScorePlanes {
    /// Scores of all rows and columns: MaxSim of the query and the document, divided by the query's tokens.
    ///
    /// - Parameters:
    ///   - plane: where the scores go, a line a row
    ///   - kind: what the rows are
    ///   - queries: [tokens, dimension], float32, with the rows of each query
    ///   - documents: what they are compared with
    ///   - findsBest: whether each query token's best token is asked for
    /// - Returns: the best tokens, counted within the document, [query tokens, documents]; empty where not asked for
    package func scoreLate(
        into plane: Int, rowsAre kind: MaxSimRows, _ queries: Tensor, _ queryTokens: [Range<Int>], _ documents: DocumentTokens,
        findsBest: Bool
    ) -> [Int32] {
        let counts = (queries: queryTokens.count, documents: documents.ranges.count)
        let (count, columns) = kind == .queries ? (counts.queries, counts.documents) : (counts.documents, counts.queries)
        precondition(count == rows && columns <= stride, "ScorePlanes: late scores [\(count), \(columns)]")
        guard rows > 0 else { return [] }
        let steps = kind == .queries ? (query: stride, document: 1) : (query: 1, document: stride)
        let scores = MaxSimScores(memory, from: plane * rows * stride, queryStride: steps.query, documentStride: steps.document)
        var best: [Int32] = []
        if findsBest {
            best = MaxSim.scoreAndFind(queries, queryTokens, documents, into: scores)
        } else {
            MaxSim.score(queries, queryTokens, documents, into: scores)
        }
        let start = line(plane, 0)
        for (query, range) in queryTokens.enumerated() {
            let tokens = Float(range.count)
            for document in documents.ranges.indices { start[query * steps.query + document * steps.document] /= tokens }
        }
        return best
    }

    /// Moves each query token towards its best document token, and that one towards it: adds the gradient of the rows' tokens.
    ///
    /// - Parameters:
    ///   - gradients: the plane of the gradients
    ///   - kind: what the rows are
    ///   - rowTokens, columnTokens: tokens of each row and of each column; the columns' are rows of `others`
    ///   - best: what `scoreLate` found, [query tokens, documents]
    ///   - others: the columns' token vectors, [tokens, width], float32
    ///   - target: gradients of the rows' tokens, [tokens, width], float32
    ///   - targetRows: the rows of `target` that each row's tokens have
    package func addLateGradient(
        _ gradients: Int, rowsAre kind: MaxSimRows, _ rowTokens: [Range<Int>], _ columnTokens: [Range<Int>], best: [Int32],
        _ others: Tensor, to target: Tensor, _ targetRows: ArraySlice<Range<Int>>
    ) {
        let width = others.columns
        precondition(
            rowTokens.count == rows && targetRows.count == rows && columnTokens.count <= stride && target.columns == width
                && columnTokens.allSatisfy { $0.upperBound <= others.rows } && targetRows.allSatisfy { $0.upperBound <= target.rows },
            "ScorePlanes: late gradients of \(rowTokens.count) rows and \(columnTokens.count) columns")
        let documents = kind == .queries ? columnTokens.count : rows
        for row in 0..<rows {
            let line = line(gradients, row)
            let own = target.start + targetRows[targetRows.startIndex + row].lowerBound * width
            for column in columnTokens.indices where line[column] != 0 {
                let queryTokens = kind == .queries ? rowTokens[row] : columnTokens[column]
                let change = line[column] / Float(queryTokens.count)
                let document = kind == .queries ? column : row
                for (place, token) in queryTokens.enumerated() {
                    let found = Int(best[token * documents + document])
                    let (to, from) = kind == .queries ? (place, columnTokens[column].lowerBound + found) : (found, token)
                    addProduct(change, others.start + from * width, to: own + to * width, width)
                }
            }
        }
    }

    @inline(__always)
    private func addProduct(_ factor: Float, _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int) {
        for i in 0..<count { target[i].addProduct(factor, source[i]) }
    }
}
