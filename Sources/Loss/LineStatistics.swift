// What is known of each row of scores once all its columns have been seen: made by the anchor's owner, gathered, and read by
// every gradient.

import Glibc
import Tensor

/// Of one line: a row over its columns, or the column of a positive over the rows.
struct LineStatistics: Equatable {
    /// One a head.
    var softmax: [SoftmaxSum]
    /// One a width, between its scores and the late ones; empty without a divergence, and for columns.
    var divergence: [DivergenceSum]

    init(heads: Int, divergences: Int) {
        softmax = Array(repeating: SoftmaxSum(), count: heads)
        divergence = Array(repeating: DivergenceSum(), count: divergences)
    }

    /// As numbers that ranks exchange.
    var encoded: [Double] {
        softmax.flatMap { [Double($0.maximum), $0.sum] }
            + divergence.flatMap { [Double($0.p.maximum), $0.p.sum, Double($0.q.maximum), $0.q.sum, $0.gap] }
    }

    init(decoding numbers: ArraySlice<Double>, heads: Int, divergences: Int) {
        self.init(heads: heads, divergences: divergences)
        var numbers = numbers
        func sum() -> SoftmaxSum { SoftmaxSum(maximum: Float(numbers.removeFirst()), sum: numbers.removeFirst()) }
        for head in 0..<heads { softmax[head] = sum() }
        for width in 0..<divergences { divergence[width] = DivergenceSum(p: sum(), q: sum(), gap: numbers.removeFirst()) }
    }
}

/// exp((score - maximum) / τ) · factor for many lines: a softmax with its weight in the loss.
struct SoftmaxLines {
    let maxima: [Float]
    let factors: [Float]

    /// - Parameters:
    ///   - head: nil: lines that have no part, to be `count`
    ///   - scale: what a whole line weighs
    init(_ lines: [LineStatistics], head: Int, scale: Double, paddedTo count: Int) {
        let rest = [Float](repeating: 0, count: count - lines.count)
        maxima = lines.map { $0.softmax[head].maximum } + rest
        factors = lines.map { Float(scale / $0.softmax[head].sum) } + rest
    }
}

/// log P and log Q of many lines, and KL(P ‖ Q).
struct DivergenceLines {
    let pMaxima, pLogarithms, qMaxima, qLogarithms, values: [Float]

    init(_ lines: [LineStatistics], width: Int, temperature: Double) {
        let sums = lines.map { $0.divergence[width] }
        pMaxima = sums.map(\.p.maximum)
        pLogarithms = sums.map { Float(log($0.p.sum)) }
        qMaxima = sums.map(\.q.maximum)
        qLogarithms = sums.map { Float(log($0.q.sum)) }
        values = sums.map { Float($0.value(temperature: temperature)) }
    }
}
