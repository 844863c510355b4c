// Dropout whose mask is a function of what a value is, not of where it lies: the same on every rank, in every
// microbatch, and in a second pass.

/// Which values an adapter's input loses in training.
///
/// A mask belongs to a row's key and a channel: value = f(key, channel). The row keys are made from (seed, step, input,
/// token); `stream` separates the places in the model that draw their own masks.
package struct Dropout: Sendable {
    /// Share of the values that become 0.
    package let probability: Float
    /// One key a row of the microbatch.                            [tokens]
    package let rowKeys: [UInt64]

    /// Creates the dropout of rows with these keys.                   [rows]
    package init(probability: Float, rowKeys: [UInt64]) {
        precondition(probability >= 0 && probability < 1, "dropout: probability \(probability)")
        self.probability = probability
        self.rowKeys = rowKeys
    }

    /// x with each value zeroed with the probability, the others divided by 1 - probability.
    ///
    /// - Parameter stream: the place in the model
    /// - Returns: [tokens, width] in x's element type
    package func applied(to x: Tensor, stream: UInt64) -> Tensor {
        let y = Tensor(x.rows, x.columns, x.element)
        mask(x, into: y, stream)
        return y
    }

    /// The same in place. As a gradient is masked and scaled like its value, this is also the backward pass.
    package func apply(to x: inout Tensor, stream: UInt64) { mask(x, into: x, stream) }

    private func mask(_ x: Tensor, into y: Tensor, _ stream: UInt64) {
        precondition(x.rows == rowKeys.count, "dropout: \(rowKeys.count) keys for [\(x.rows), \(x.columns)]")
        x.element == .float32 ? mask(x, into: y, stream, Float.self) : mask(x, into: y, stream, BFloat16.self)
    }

    private func mask<S: Scalar>(_ x: Tensor, into y: Tensor, _ stream: UInt64, _: S.Type) {
        let (from, to, width) = (x.pointer(to: S.self), y.pointer(to: S.self), x.columns)
        let (threshold, scale) = (threshold, 1 / (1 - probability))
        Threads.run(x.rows, grain: 32) { rows in
            for row in rows {
                let key = Self.key(rowKeys[row], stream)
                let (from, to) = (from + row * width, to + row * width)
                for i in 0..<width {
                    let kept = from[i].float * scale
                    to[i] = S(rounding: Self.hash(UInt32(truncatingIfNeeded: i), key) < threshold ? 0 : kept)
                }
            }
        }
    }

    /// A 32-bit draw below this is a zero.
    private var threshold: UInt32 { UInt32(Double(probability) * 0x1p32) }

    @inline(__always)
    private static func key(_ row: UInt64, _ stream: UInt64) -> SIMD2<UInt32> {
        let mixed = RandomStream.mix(row ^ RandomStream.mix(stream))
        return SIMD2(UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32))
    }

    /// 32 bits of (channel, key): two rounds of an integer hash, 32 bits wide so that the loop is vectorised.
    ///
    /// Constants: C. Wellons, "Prospecting for hash functions" (lowbias32), public domain.
    @inline(__always)
    private static func hash(_ channel: UInt32, _ key: SIMD2<UInt32>) -> UInt32 {
        var h = channel &* 0x9e37_79b9 &+ key.x
        h = (h ^ (h &>> 16)) &* 0x21f0_aaad
        h = (h ^ (h &>> 15)) &* 0x735a_2d97
        h = (h ^ (h &>> 15)) &+ key.y
        h = (h ^ (h &>> 16)) &* 0x21f0_aaad
        h = (h ^ (h &>> 15)) &* 0x735a_2d97
        return h ^ (h &>> 15)
    }
}
