// Passes over the flat buffer of an adapter's gradient: the sum of its squares, and a factor for all of it.

/// Σ x² of a flat buffer, summed in Double over fixed chunks, so that it does not depend on the number of threads.
package func squareSum(_ values: [Float]) -> Double {
    let chunk = 1 << 14
    guard !values.isEmpty else { return 0 }
    let sums = values.withUnsafeBufferPointer { values in
        let start = values.baseAddress!
        return Threads.map((values.count + chunk - 1) / chunk, grain: 1) { number in
            let part = start + number * chunk
            var lanes = SIMD8<Double>.zero
            for i in 0..<min(chunk, values.count - number * chunk) { lanes[i & 7] += Double(part[i]) * Double(part[i]) }
            return lanes.sum()
        }
    }
    return sums.reduce(0, +)
}

/// Multiplies every value of a flat buffer, on all threads.
package func multiply(_ values: inout [Float], by factor: Float) {
    values.withUnsafeMutableBufferPointer { values in
        guard let start = values.baseAddress else { return }
        Threads.run(values.count, grain: 1 << 16) { range in
            for i in range { start[i] *= factor }
        }
    }
}
