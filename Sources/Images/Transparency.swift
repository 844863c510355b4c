// A transparent picture on white, with the roundings of Pillow's `alpha_composite`.

/// A pixel's colour where its picture lies on white.
///
/// Source: AlphaComposite.c of Pillow 12.3 with an opaque background, where its weights are `alpha` and 255 − `alpha` times 128.
@inline(__always)
func onWhite(_ colour: SIMD3<UInt8>, alpha: UInt8) -> SIMD3<UInt8> {
    let white = 255 * (255 - UInt32(alpha)) + 128
    let sum = (SIMD3<UInt32>(truncatingIfNeeded: colour) &* UInt32(alpha) &+ white) &<< 7
    return SIMD3<UInt8>(truncatingIfNeeded: ((sum &>> 8) &+ sum) &>> 15)
}

extension RGBImage {
    /// Takes a picture with an alpha channel, laid on white.
    ///
    /// - Parameter pixels: red, green, blue and alpha of each pixel.    [height · width · 4]
    func lay(_ pixels: UnsafePointer<UInt8>) {
        for place in 0..<width * height {
            let (source, target) = (pixels + 4 * place, self.pixels + 3 * place)
            let colour = onWhite(SIMD3(source[0], source[1], source[2]), alpha: source[3])
            (target[0], target[1], target[2]) = (colour.x, colour.y, colour.z)
        }
    }

    /// Makes all pixels of one colour white.
    func whiten(_ colour: SIMD3<UInt8>) {
        for place in 0..<width * height {
            let pixel = pixels + 3 * place
            if pixel[0] == colour.x, pixel[1] == colour.y, pixel[2] == colour.z { (pixel[0], pixel[1], pixel[2]) = (255, 255, 255) }
        }
    }
}
