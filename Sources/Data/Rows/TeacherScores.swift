// A teacher's scores of a row's own candidates: what a larger model, a reranker or late interaction said of them.

import Files

/// The scores of one row, as it names them. Without any the row has no teacher.
package struct TeacherScores: Equatable, Sendable {
    /// Of the positives, in the row's order.                       [positives]
    package let positives: [Float]
    /// Of the hard negatives, in the row's order.                   [negatives]
    package let negatives: [Float]

    /// The keys under which scores stand in a row; nil where the row has none of the kind.
    package struct Keys: Sendable {
        /// Of all candidates: positives first, then negatives.
        let all: String?
        /// Of the positives alone.
        let positives: String?
        /// Of the negatives alone.
        let negatives: String?
    }

    /// Reads a row's scores.
    ///
    ///     {"query": "...", "positive": "...", "negatives": ["...", "..."], "scores": [7.1, 2.5, -3]}
    ///     {"query": "...", "pos": ["..."], "neg": ["...", "..."], "pos_scores": [7.1], "neg_scores": [2.5, -3]}
    ///
    /// - Parameters:
    ///   - keys: where they stand
    ///   - positives: number of the row's positives
    ///   - negatives: number of its hard negatives
    ///   - isGraded: whether people have graded the row
    /// - Throws: `UserError` `.content` for one of the two keys without the other, scores that are no finite numbers or not as many as
    ///   candidates, and scores of a graded row
    package init(
        of row: RowObject, keys: Keys, positives: Int, negatives: Int, isGraded: Bool
    ) throws(UserError) {
        let given = [keys.all, keys.positives, keys.negatives].compactMap(\.self)
        guard let first = given.first else {
            (self.positives, self.negatives) = ([], [])
            return
        }
        guard !isGraded else {
            throw row.fault(
                at: first, "a row with a \"score\" is trained by it and by no teacher; remove \"\(first)\" or the \"score\"")
        }
        if let all = keys.all {
            if given.count > 1 {
                throw row.fault(at: given[1], "\"\(all)\" and \"\(given[1])\" both hold a teacher's scores; remove one")
            }
            let scores = try numbers(all, of: row, count: positives + negatives, "one for each positive, then one for each negative")
            (self.positives, self.negatives) = (Array(scores[..<positives]), Array(scores[positives...]))
            return
        }
        guard let ofPositives = keys.positives, let ofNegatives = keys.negatives else {
            let other = (keys.positives == nil ? RowPart.positiveScores : .negativeScores).rawValue
            throw row.fault(
                at: first, "\"\(first)\" stands without \"\(other)\"; a teacher scores all candidates of a row: add it or remove both")
        }
        self.positives = try numbers(ofPositives, of: row, count: positives, "one for each positive")
        self.negatives = try numbers(ofNegatives, of: row, count: negatives, "one for each negative")
    }

    /// The scores of an example's candidates: of one of the row's positives, then of all negatives; none without a teacher.
    package func ofExample(positive: Int) -> [Float] { positives.isEmpty ? [] : [positives[positive]] + negatives }
}

/// The numbers of a list; of a single number one.
private func numbers(_ key: String, of row: RowObject, count: Int, _ rule: String) throws(UserError) -> [Float] {
    var scores: [Double] = []
    switch row[key] {
    case .array(let entries)?:
        for (index, entry) in entries.enumerated() {
            guard let score = entry.numberValue else {
                throw row.fault(
                    at: key, "entry \(index + 1) of \"\(key)\" is \(entry.kind.rawValue); a teacher's score is a number, without quotes")
            }
            scores.append(score)
        }
    case .integer?, .number?, .string?: scores = [try row.number(key)!]
    case let value: throw row.fault(at: key, "\"\(key)\" is \(value!.kind.rawValue); a teacher's scores are a list of numbers")
    }
    guard scores.count == count else {
        throw row.fault(
            at: key, "\"\(key)\" has \(Figures.count(scores.count, "number")) where the row needs \(count): \(rule); add or remove some")
    }
    if let index = scores.firstIndex(where: { !Float($0).isFinite }) {
        throw row.fault(
            at: key, "entry \(index + 1) of \"\(key)\" is \(scores[index]); the largest that is read is \(Float.greatestFiniteMagnitude)")
    }
    return scores.map { Float($0) }
}
