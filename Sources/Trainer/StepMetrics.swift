// What a step reports of itself.

import Loss

/// The numbers of one step, the same on every rank but for the seconds.
package struct StepMetrics: Sendable {
    /// Counted from 1.
    package let step: Int
    package let task: String
    /// Mean over the global batch, before the update.
    package let loss: Double
    package let learningRate: Double
    package let gradientNorm: Double
    package let rows: Int
    /// Columns of the pool: positives and hard negatives of all rows, and those of earlier steps that the rows could see.
    package let candidates: Int
    /// Texts that were embedded, each once.
    package let inputs: Int
    package let tokens: Int
    /// Pairs of a row and a column left out of the negatives as duplicates.
    package let maskedPairs: Int
    /// How hard the pool is; nil where a row looks at its own pairs alone.
    package let pool: PoolReport?
    /// How far the rows agree with their teacher; nil where the loss asks none.
    package var distillation: DistillationReport?
    /// On this rank.
    package let seconds: [Phase: Double]

    package var totalSeconds: Double { seconds.values.reduce(0, +) }
    package var tokensPerSecond: Double { Double(tokens) / max(totalSeconds, 1e-9) }
}

/// The phases of a step that take time.
package enum Phase: String, CaseIterable, Sendable {
    case embed, gather, loss, backward, reduce, update
}

/// Seconds by phase.
struct PhaseTimer {
    private(set) var seconds: [Phase: Double] = [:]

    mutating func measure<T>(_ phase: Phase, _ body: () throws -> T) rethrows -> T {
        let start = ContinuousClock.now
        defer { seconds[phase, default: 0] += start.duration(to: .now) / .seconds(1) }
        return try body()
    }
}
