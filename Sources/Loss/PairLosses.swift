// Losses over the scores of pairs: CoSENT for graded rows, and triplets. In Double, alike on every rank.

import Glibc

/// A loss and what each score changes in it.
struct PairLoss: Equatable {
    var value = 0.0
    /// d loss / d score.                                           [pairs]
    var changes: [Double]
}

/// CoSENT: of any two graded rows the one with the higher grade should have the higher score.
///
///     L = log(1 + Σ over a, b with grade(a) > grade(b) of exp((score(b) - score(a)) / τ))
///
/// In the order of grades the sums over all higher, and over all lower, rows grow row by row: n rows cost n log n.
func cosentLoss(scores: [Double], grades: [Float], temperature: Double) -> PairLoss {
    let order = grades.indices.sorted { grades[$0] > grades[$1] }
    var above = [Double](repeating: -.infinity, count: scores.count)
    var below = above
    collectLogarithms(order, grades, into: &above) { -scores[$0] / temperature }
    collectLogarithms(order.reversed(), grades, into: &below) { scores[$0] / temperature }
    let value = scores.indices.reduce(0) { logarithmOfSum($0, scores[$1] / temperature + above[$1]) }
    let changes = scores.indices.map { row in
        (exp(scores[row] / temperature + above[row] - value) - exp(below[row] - scores[row] / temperature - value)) / temperature
    }
    return PairLoss(value: value, changes: changes)
}

/// For each row, log Σ exp(exponent) over the rows before it in `order` that have another grade.
private func collectLogarithms(_ order: [Int], _ grades: [Float], into sums: inout [Double], _ exponent: (Int) -> Double) {
    var (sum, start) = (-Double.infinity, 0)
    for (place, row) in order.enumerated() {
        if grades[row] != grades[order[start]] {
            for earlier in order[start..<place] { sum = logarithmOfSum(sum, exponent(earlier)) }
            start = place
        }
        sums[row] = sum
    }
}

/// log(exp(x) + exp(y))
private func logarithmOfSum(_ x: Double, _ y: Double) -> Double {
    let larger = max(x, y)
    return larger == -.infinity ? larger : larger + log1p(exp(min(x, y) - larger))
}

/// A row's hard negatives should score at least `margin` below its positive: max(0, margin + s(negative) - s(positive)), added
/// up over all triplets.
///
/// - Parameters:
///   - pairs: each row's pair with its positive (the column of its own number), and with its hard negatives
///   - scores: of the pairs
func tripletLoss(pairs: [ScoredPair], scores: [Double], margin: Double) -> PairLoss {
    var loss = PairLoss(changes: Array(repeating: 0, count: pairs.count))
    let positives = Dictionary(uniqueKeysWithValues: pairs.indices.filter { pairs[$0].isPositive }.map { (pairs[$0].row, $0) })
    for (pair, entry) in pairs.enumerated() where !entry.isPositive {
        let positive = positives[entry.row]!
        let hinge = margin + scores[pair] - scores[positive]
        guard hinge > 0 else { continue }
        loss.value += hinge
        loss.changes[pair] += 1
        loss.changes[positive] -= 1
    }
    return loss
}

extension ScoredPair {
    /// Positives are the first columns, one a row in row order.
    var isPositive: Bool { row == column }
}
