// Sums of exponentials that grow tile by tile: what a line of scores leaves behind for its gradient.

import Glibc

/// Σ exp(score / τ) over a line, relative to its highest score, so that nothing overflows.
struct SoftmaxSum: Equatable {
    /// Highest score so far.
    var maximum: Float = -.infinity
    /// Σ exp((score - maximum) / τ) over the scores that are not hidden.
    var sum: Double = 0

    /// Takes more of the line; -∞ is hidden.
    ///
    /// - Returns: what sums relative to the maximum before must be multiplied with
    @discardableResult
    mutating func add(_ line: UnsafePointer<Float>, _ count: Int, temperature: Double) -> Double {
        let scale = raise(to: line, count, temperature)
        for place in 0..<count where line[place] > -.infinity {
            sum += exp(Double(line[place] - maximum) / temperature)
        }
        return scale
    }

    /// Takes the maximum of more of the line, without its exponentials.
    mutating func raise(to line: UnsafePointer<Float>, _ count: Int, _ temperature: Double) -> Double {
        var highest = maximum
        for place in 0..<count { highest = max(highest, line[place]) }
        guard highest > maximum else { return 1 }
        let scale = exp(Double(maximum - highest) / temperature)
        sum *= scale
        maximum = highest
        return scale
    }

    /// log Σ exp(score / τ)
    func logarithm(temperature: Double) -> Double { Double(maximum) / temperature + log(sum) }
}

/// KL(P ‖ Q) of two softmaxes over the same line.
struct DivergenceSum: Equatable {
    var p = SoftmaxSum()
    var q = SoftmaxSum()
    /// Σ exp((score_p - maximum_p) / τ) · (score_p - score_q) / τ
    var gap: Double = 0

    /// Takes more of the line; both sides hide the same places.
    mutating func add(p pLine: UnsafePointer<Float>, q qLine: UnsafePointer<Float>, _ count: Int, temperature: Double) {
        gap *= p.raise(to: pLine, count, temperature)
        for place in 0..<count where pLine[place] > -.infinity {
            let weight = exp(Double(pLine[place] - p.maximum) / temperature)
            p.sum += weight
            gap += weight * Double(pLine[place] - qLine[place]) / temperature
        }
        q.add(qLine, count, temperature: temperature)
    }

    func value(temperature: Double) -> Double {
        gap / p.sum - p.logarithm(temperature: temperature) + q.logarithm(temperature: temperature)
    }
}
