// Sums over a row, with sixteen partial sums: a Float sum is never reordered by the compiler, so it would not be vectorised.

/// Σ x[i]·y[i] of two rows of `Scalar`s, summed in Float by sixteen lanes.
@inline(__always)
func dot<X: Scalar, Y: Scalar>(_ x: UnsafePointer<X>, _ y: UnsafePointer<Y>, _ count: Int) -> Float {
    var lanes = SIMD16<Float>.zero
    var i = 0
    while i &+ 16 <= count {
        lanes.addProduct(load16(x + i), load16(y + i))
        i &+= 16
    }
    var sum = lanes.sum()
    while i < count {
        sum.addProduct(x[i].float, y[i].float)
        i &+= 1
    }
    return sum
}

/// Sixteen consecutive values as floats.
@inline(__always)
func load16<S: Scalar>(_ source: UnsafePointer<S>) -> SIMD16<Float> {
    if S.self == Float.self { return UnsafeRawPointer(source).loadUnaligned(as: SIMD16<Float>.self) }
    let halves = UnsafeRawPointer(source).loadUnaligned(as: SIMD16<UInt16>.self)
    return unsafeBitCast(SIMD16<UInt32>(truncatingIfNeeded: halves) &<< 16, to: SIMD16<Float>.self)
}
