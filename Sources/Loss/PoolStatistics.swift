// How hard the pool is for its rows: what a step reports beside the loss.

import Glibc
import Tensor

/// Of one row, over the candidates it sees, by the reported head.
struct PoolStatistics {
    let positive: Float
    private(set) var hardest: Float = -.infinity
    /// Σ of the negatives' scores, and how many there are.
    private(set) var sum = 0.0
    private(set) var negatives = 0
    /// Negatives that score above the positive.
    private(set) var above = 0
    /// Σ w and Σ w² over the negatives, w = exp((score - positive) / τ), both relative to the hardest.
    private var weights = SoftmaxSum()
    private var squares = SoftmaxSum()

    init(positive: Float) { self.positive = positive }

    /// Takes more of the row; -∞ is hidden.
    mutating func add(_ line: UnsafePointer<Float>, _ columns: Range<Int>, positive own: Int, temperature: Double) {
        for (place, column) in columns.enumerated() where column != own && line[place] > -.infinity {
            hardest = max(hardest, line[place])
            sum += Double(line[place])
            negatives += 1
            if line[place] > positive { above += 1 }
        }
        // The own positive is no negative; the pieces on both sides of it are.
        let split = columns.contains(own) ? own - columns.lowerBound : columns.count
        add(line, split, temperature)
        if split < columns.count { add(line + split + 1, columns.count - split - 1, temperature) }
    }

    private mutating func add(_ line: UnsafePointer<Float>, _ count: Int, _ temperature: Double) {
        weights.add(line, count, temperature: temperature)
        squares.add(line, count, temperature: temperature / 2)
    }

    /// (Σ w)² / Σ w²: the number of equally hard negatives that would weigh as these do.
    private var effectiveNegatives: Double { negatives == 0 ? 0 : weights.sum * weights.sum / squares.sum }

    /// The probability of the positive among the candidates seen.
    private func share(temperature: Double) -> Double {
        guard negatives > 0 else { return 1 }
        return 1 / (1 + weights.sum * exp(Double(weights.maximum - positive) / temperature))
    }

    /// As numbers that ranks exchange, in the order of `PoolReport`.
    func encoded(temperature: Double) -> [Double] {
        [
            Double(positive), negatives == 0 ? 0 : Double(hardest), negatives == 0 ? 0 : sum / Double(negatives), Double(above + 1),
            share(temperature: temperature) > PoolReport.saturation ? 1 : 0, effectiveNegatives, Double(negatives),
        ]
    }

    static let fields = 7
}

/// The pool of a step: means over its rows.
package struct PoolReport: Sendable, Equatable {
    /// Scores of the positives, of each row's hardest negative, and of all negatives.
    package let positive: Double
    /// Mean over the rows of the highest score of a negative.
    package let hardestNegative: Double
    /// Mean over the rows of the mean score of their negatives.
    package let meanNegative: Double
    /// Place of the positive among the candidates, counted from 1.
    package let positionOfPositive: Double
    /// Share of rows whose positive has more than `saturation` of the probability: they teach little any more.
    package let saturatedRows: Double
    /// How many equally hard negatives would weigh as a row's do.
    package let effectiveNegatives: Double
    /// Negatives that a row sees.
    package let negatives: Double

    static let saturation = 0.99

    /// - Parameter rows: `PoolStatistics.encoded` of each
    package init(_ rows: [ArraySlice<Double>]) {
        func mean(_ field: Int) -> Double {
            rows.reduce(0) { $0 + $1[$1.startIndex + field] } / Double(max(rows.count, 1))
        }
        positive = mean(0)
        hardestNegative = mean(1)
        meanNegative = mean(2)
        positionOfPositive = mean(3)
        saturatedRows = mean(4)
        effectiveNegatives = mean(5)
        negatives = mean(6)
    }
}
