// eˣ without a branch or a library call, so that loops over it are vectorised; and what is built from it.

/// eˣ, with a relative error below 2⁻²², for x clamped to [-87.3, 88.37]: from there on n would be 128, whose power is infinite.
///
/// Splits x into n·ln 2 + r with |r| ≤ ½ ln 2 and evaluates a polynomial in r (coefficients of the Cephes library's expf).
@inlinable @inline(__always)
package func exponential(_ x: Float) -> Float {
    let clamped = min(max(x, -87.3), 88.37)
    let shift: Float = 0x1.8p23  // adding it rounds to an integer, which then stands in the lowest bits
    let shifted = shift.addingProduct(clamped, 1.442_695_04)
    let n = shifted - shift
    let r = clamped.addingProduct(n, -0.693_359_375).addingProduct(n, 2.121_944_4e-4)
    var p: Float = 1.987_569_15e-4
    p = Float(1.398_199_95e-3).addingProduct(p, r)
    p = Float(8.333_451_9e-3).addingProduct(p, r)
    p = Float(4.166_579_6e-2).addingProduct(p, r)
    p = Float(1.666_666_55e-1).addingProduct(p, r)
    p = Float(0.5).addingProduct(p, r)
    p = r.addingProduct(p * r, r) + 1
    let power = Int32(bitPattern: shifted.bitPattern) &- Int32(bitPattern: shift.bitPattern)
    return p * Float(bitPattern: UInt32(bitPattern: (power &+ 127) &<< 23))
}

/// The same for sixteen values.
@inline(__always)
package func exponential(_ x: SIMD16<Float>) -> SIMD16<Float> {
    let low = SIMD16<Float>(repeating: -87.3)
    let high = SIMD16<Float>(repeating: 88.37)
    let clamped = x.replacing(with: low, where: x .< low).replacing(with: high, where: x .> high)
    let shift = SIMD16<Float>(repeating: 0x1.8p23)
    let shifted = shift.addingProduct(clamped, SIMD16(repeating: 1.442_695_04))
    let n = shifted - shift
    let r = clamped.addingProduct(n, SIMD16(repeating: -0.693_359_375)).addingProduct(n, SIMD16(repeating: 2.121_944_4e-4))
    var p = SIMD16<Float>(repeating: 1.987_569_15e-4)
    p = SIMD16<Float>(repeating: 1.398_199_95e-3).addingProduct(p, r)
    p = SIMD16<Float>(repeating: 8.333_451_9e-3).addingProduct(p, r)
    p = SIMD16<Float>(repeating: 4.166_579_6e-2).addingProduct(p, r)
    p = SIMD16<Float>(repeating: 1.666_666_55e-1).addingProduct(p, r)
    p = SIMD16<Float>(repeating: 0.5).addingProduct(p, r)
    p = r.addingProduct(p * r, r) + 1
    let power = unsafeBitCast(shifted, to: SIMD16<Int32>.self) &- unsafeBitCast(shift, to: SIMD16<Int32>.self)
    return p * unsafeBitCast((power &+ 127) &<< 23, to: SIMD16<Float>.self)
}

/// 1 / (1 + e⁻ˣ)
@inline(__always)
func sigmoid(_ x: Float) -> Float { 1 / (1 + exponential(-x)) }
