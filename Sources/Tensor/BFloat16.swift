// The storage type of frozen weights and of activations on their way into a bf16 product: the upper half of a Float.

/// A 16-bit floating-point number with Float's exponent and eight significant bits.
package struct BFloat16: Scalar, BitwiseCopyable, Sendable {
    /// Sign, exponent and seven digits: the upper half of a float32.
    package var bits: UInt16

    static var element: Tensor.Element { .bfloat16 }

    /// Rounds to nearest, ties to even; NaN stays NaN.
    @inline(__always)
    package init(rounding value: Float) {
        let bits = value.bitPattern
        let rounded = (bits &+ 0x7fff &+ ((bits &>> 16) & 1)) &>> 16
        self.bits = UInt16(truncatingIfNeeded: (bits & 0x7fff_ffff) > 0x7f80_0000 ? (bits &>> 16) | 0x40 : rounded)
    }

    /// The same value in float32.
    @inline(__always)
    package var float: Float { Float(bitPattern: UInt32(bits) &<< 16) }
}
