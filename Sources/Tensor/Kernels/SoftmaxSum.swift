// Sums of exponentials that grow tile by tile: what a line of scores leaves behind for its gradient.

import Glibc

/// Σ exp(score / τ) over a line, relative to its highest score, so that nothing overflows.
package struct SoftmaxSum: Equatable, Sendable {
    /// Highest score so far.
    package private(set) var maximum: Float
    /// Σ exp((score - maximum) / τ) over the scores that are not hidden.
    package fileprivate(set) var sum: Double

    /// Creates the sum of what has been seen already, of nothing by default.
    package init(maximum: Float = -.infinity, sum: Double = 0) {
        self.maximum = maximum
        self.sum = sum
    }

    /// Takes `count` more scores of the line; -∞ is hidden.
    ///
    /// - Returns: what sums relative to the maximum before must be multiplied with
    @discardableResult
    package mutating func add(_ line: UnsafePointer<Float>, _ count: Int, temperature: Double) -> Double {
        let scale = raise(to: line, count, temperature)
        for place in 0..<count where line[place] > -.infinity {
            sum += exp(Double(line[place] - maximum) / temperature)
        }
        return scale
    }

    /// Takes the maximum of more of the line, without its exponentials.
    fileprivate mutating func raise(to line: UnsafePointer<Float>, _ count: Int, _ temperature: Double) -> Double {
        var highest = maximum
        for place in 0..<count { highest = max(highest, line[place]) }
        guard highest > maximum else { return 1 }
        let scale = exp(Double(maximum - highest) / temperature)
        sum *= scale
        maximum = highest
        return scale
    }

    /// log Σ exp(score / τ)
    package func logarithm(temperature: Double) -> Double { Double(maximum) / temperature + log(sum) }
}

/// KL(P ‖ Q) of two softmaxes over the same line.
package struct DivergenceSum: Equatable, Sendable {
    /// The sum of P.
    package private(set) var p: SoftmaxSum
    /// The sum of Q.
    package private(set) var q: SoftmaxSum
    /// Σ exp((score_p - maximum_p) / τ) · (score_p - score_q) / τ
    package private(set) var gap: Double

    /// Creates the sums of what has been seen already, of nothing by default.
    package init(p: SoftmaxSum = SoftmaxSum(), q: SoftmaxSum = SoftmaxSum(), gap: Double = 0) {
        (self.p, self.q, self.gap) = (p, q, gap)
    }

    /// Takes `count` more scores of the line by both sides, which hide the same places.
    package mutating func add(p pLine: UnsafePointer<Float>, q qLine: UnsafePointer<Float>, _ count: Int, temperature: Double) {
        gap *= p.raise(to: pLine, count, temperature)
        for place in 0..<count where pLine[place] > -.infinity {
            let weight = exp(Double(pLine[place] - p.maximum) / temperature)
            p.sum += weight
            gap += weight * Double(pLine[place] - qLine[place]) / temperature
        }
        q.add(qLine, count, temperature: temperature)
    }

    /// KL(P ‖ Q)
    package func value(temperature: Double) -> Double {
        gap / p.sum - p.logarithm(temperature: temperature) + q.logarithm(temperature: temperature)
    }
}
