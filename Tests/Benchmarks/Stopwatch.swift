// Seconds of things that are done many times, in turns: a machine that is slow for a while is then slow for all of them, and
// each of them has repetitions in which it was not.

import Foundation
import Tensor

/// What the repetitions of one thing took, seconds each, in the order in which they were done.
struct Repetitions {
    var seconds: [Double] = []

    var best: Double { seconds.min()! }
    var median: Double { Stopwatch.median(seconds) }
}

enum Stopwatch {
    /// Of one call of each body: a burst of the first, a burst of the second and so on, then again. One call of each before them
    /// takes memory and makes primitives.
    ///
    /// - Parameter burstSeconds: a burst is as many calls as take this long, one at least
    static func inTurns(_ bodies: [() -> Void], rounds: Int, burstSeconds: Double = 0.01) -> [Repetitions] {
        let calls = bodies.map { body in
            body()
            return burstSeconds > 0 ? max(1, Int(burstSeconds / max(seconds(of: body), 1e-7))) : 1
        }
        var repetitions = bodies.map { _ in Repetitions() }
        for _ in 0..<rounds {
            for (place, body) in bodies.enumerated() {
                let seconds = seconds { for _ in 0..<calls[place] { body() } }
                repetitions[place].seconds.append(seconds / Double(calls[place]))
            }
        }
        return repetitions
    }

    static func seconds(of body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return start.duration(to: .now) / .seconds(1)
    }

    static func median(_ values: [Double]) -> Double {
        precondition(!values.isEmpty, "median of nothing")
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

extension Tensor {
    /// Uniform in ±1, the same at every run.                       [rows, columns]
    static func sample(_ rows: Int, _ columns: Int, _ element: Element = .float32) -> Tensor {
        let tensor = Tensor(rows, columns)
        let stream = RandomStream(7)
        tensor.withMutableFloats { target in
            Threads.run(target.count, grain: 1 << 16) { range in
                for i in range { target[i] = Float(Int32(truncatingIfNeeded: stream.bits(at: i))) * 0x1p-31 }
            }
        }
        return converted(tensor, to: element)
    }
}
