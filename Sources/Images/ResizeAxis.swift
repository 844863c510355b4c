// The weights by which a resized axis is mixed from the original one: cubic convolution, widened by the ratio where the picture
// shrinks (antialiased), in fixed point. Both of the reference's backends use these weights and differ in the precision.

/// One axis of a resize.
struct ResizeAxis {
    let input: Int
    let output: Int
    /// Entries of `weights` an output; the first `counts[o]` of them are in use.
    let taps: Int
    /// The first input that an output sees.                          [output]
    private(set) var starts: [Int]
    /// How many inputs an output sees, one after another.            [output]
    private(set) var counts: [Int]
    /// Times 2^precision.                                            [output, taps]
    private(set) var weights: [Int32]
    /// Binary places of the weights.
    let precision: Int

    /// - Parameters:
    ///   - input, output: pixels along the axis
    ///   - backend: decides the binary places
    /// Source: Keys 1981, a = −1/2; ATen/native/cpu/UpSampleKernel.cpp of torch 2.13; libImaging/Resample.c of Pillow 12.3.
    init(input: Int, output: Int, backend: ImageProcessorConfig.Backend) {
        precondition(input > 0 && output > 0, "ResizeAxis: \(input) to \(output)")
        let scale = Double(input) / Double(output)
        let widening = max(scale, 1)
        let support = 2 * widening
        let taps = 2 * Int(support.rounded(.up)) + 1
        var (starts, counts) = ([Int](), [Int]())
        var exact = [Double](repeating: 0, count: output * taps)
        for place in 0..<output {
            let center = scale * (Double(place) + 0.5)
            let start = max(Int(center - support + 0.5), 0)
            let count = min(min(Int(center + support + 0.5), input) - start, taps)
            starts.append(start)
            counts.append(count)
            let window = place * taps..<place * taps + count
            for tap in 0..<count { exact[window.lowerBound + tap] = Self.cubic((Double(tap + start) - center + 0.5) * (1 / widening)) }
            let sum = exact[window].reduce(0, +)
            if sum != 0 { for tap in window { exact[tap] /= sum } }
        }
        let precision = Self.precision(largestWeight: exact.max() ?? 0, backend)
        let one = Double(1 << precision)
        (self.input, self.output, self.taps, self.precision) = (input, output, taps, precision)
        (self.starts, self.counts) = (starts, counts)
        weights = exact.map { Int32($0 * one + ($0 < 0 ? -0.5 : 0.5)) }
    }

    /// Keys' cubic convolution kernel with a = −1/2.
    private static func cubic(_ x: Double) -> Double {
        let (a, x) = (-0.5, abs(x))
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
    }

    /// Pillow always takes 22 places; torchvision at most so many, as long as the largest weight stays below 2¹⁵.
    private static func precision(largestWeight: Double, _ backend: ImageProcessorConfig.Backend) -> Int {
        let most = 22
        guard backend == .torchvision else { return most }
        return (1...most).last { Int(0.5 + largestWeight * Double(1 << $0)) < 1 << 15 } ?? 1
    }
}
