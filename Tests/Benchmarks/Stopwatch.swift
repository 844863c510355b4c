// Seconds of something that is done many times.

import Foundation
import Tensor

enum Stopwatch {
    /// Of one call of `body`: the median of five samples, each of as many calls as take `sampleSeconds`. One call before them
    /// takes memory and makes primitives.
    static func median(sampleSeconds: Double = 0.02, _ body: () -> Void) -> Double {
        body()
        let calls = max(1, Int(sampleSeconds / max(seconds(of: body), 1e-7)))
        return median((0..<5).map { _ in seconds { for _ in 0..<calls { body() } } / Double(calls) })
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
        let (stream, target) = (RandomStream(7), tensor.floats)
        Threads.run(tensor.count, grain: 1 << 16) { range in
            for i in range { target[i] = Float(Int32(truncatingIfNeeded: stream.bits(at: i))) * 0x1p-31 }
        }
        return converted(tensor, to: element)
    }
}
