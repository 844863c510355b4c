// Whether the machine kept its speed while something was measured. In a virtual machine a unit for matrices can be three times
// slower for seconds at a time, as its neighbours have it.

import Files
import Trainer

/// What peaks say that were measured in turns with other things.
struct MachineModes {
    /// Operations a second.
    private let peaks: [Double]
    /// Of every turn: the peaks before and after it.
    private let turns: [(before: Double, after: Double)]

    /// - Parameter chains: peaks that follow one another, a turn between each two
    init(_ chains: [[Double]]) {
        peaks = chains.flatMap { $0 }
        turns = chains.flatMap { zip($0, $0.dropFirst()).map { (before: $0, after: $1) } }
        precondition(!peaks.isEmpty, "no peak was measured")
    }

    var best: Double { peaks.max()! }
    var median: Double { Stopwatch.median(peaks) }

    /// Halfway between the fastest and the slowest peak, as a ratio; nil: the peaks differ by a quarter at most.
    private var border: Double? {
        let slowest = peaks.min()!
        return best > 1.25 * slowest ? (best * slowest).squareRoot() : nil
    }

    /// `412.3 GFLOP/s, in the median 409.8`
    var rates: String { "\(Self.rate(best)) GFLOP/s, in the median \(Self.rate(median))" }

    /// A sentence or two.
    var text: String {
        guard let border else {
            return "The machine kept its speed: peaks of \(Self.rate(peaks.min()!)) to \(Self.rate(best)) GFLOP/s in \(peaks.count) bursts."
        }
        let (fast, slow) = (peaks.filter { $0 > border }, peaks.filter { $0 <= border })
        let inFast = turns.count { min($0.before, $0.after) > border }
        let inSlow = turns.count { max($0.before, $0.after) <= border }
        var text = "The machine changed its speed: "
        text += "\(fast.count) peaks of about \(Self.rate(Stopwatch.median(fast))) GFLOP/s, "
        text += "\(slow.count) of about \(Self.rate(Stopwatch.median(slow))). "
        text += "\(Figures.count(inFast, "turn")) fast, \(inSlow) slow, \(turns.count - inFast - inSlow) across a change: "
        return text + "compare only the best."
    }

    private static func rate(_ operationsPerSecond: Double) -> String { Figures.fixed(operationsPerSecond * 1e-9, 1) }
}
