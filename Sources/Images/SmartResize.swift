// How large a picture is scaled and how many tokens it becomes: a function of its header and the settings alone, so that a plan
// knows every length before any picture is decoded.

import Files
import Foundation

extension ImageProcessorConfig {
    /// The grid of a picture, turned where the settings say so.
    ///
    /// - Parameter path: names the file in the message
    /// - Throws: `UserError` `.content` when one side is more than 200 times the other
    package func grid(of header: ImageHeader, path: String) throws(UserError) -> ImageGrid {
        let size = header.size(view)
        return try grid(height: size.height, width: size.width, path: path)
    }

    /// - Throws: as `grid(of:path:)`
    package func grid(height: Int, width: Int, path: String) throws(UserError) -> ImageGrid {
        guard let size = smartResize(height: height, width: width) else {
            throw UserError(
                .content, path, "has \(width) × \(height) pixels; one side may be at most 200 times the other: crop the picture")
        }
        return ImageGrid(frames: 1, height: size.height / patchSize, width: size.width / patchSize)
    }

    /// The size to which a picture is scaled: sides that are multiples of `factor`, an area from `minPixels` to `maxPixels` where
    /// that is possible, nearly the same shape.
    ///
    /// - Returns: nil when one side is more than 200 times the other
    /// Source: `smart_resize` in image_processing_qwen2_vl.py of transformers 5.23, whose divisions are in double precision.
    package func smartResize(height: Int, width: Int) -> (height: Int, width: Int)? {
        precondition(height > 0 && width > 0, "smartResize: \(height) × \(width)")
        guard Double(max(height, width)) / Double(min(height, width)) <= 200 else { return nil }
        let unit = Double(factor)
        let (h, w) = (Double(height), Double(width))
        // Python's round: halves to the even neighbour.
        let rounded = (height: multiple((h / unit).rounded(.toNearestOrEven)), width: multiple((w / unit).rounded(.toNearestOrEven)))
        let area = rounded.height * rounded.width
        if area > maxPixels {
            let shrink = (h * w / Double(maxPixels)).squareRoot()
            return (max(factor, multiple((h / shrink / unit).rounded(.down))), max(factor, multiple((w / shrink / unit).rounded(.down))))
        }
        if area < minPixels {
            let grow = (Double(minPixels) / (h * w)).squareRoot()
            return (multiple((h * grow / unit).rounded(.up)), multiple((w * grow / unit).rounded(.up)))
        }
        return rounded
    }

    private func multiple(_ count: Double) -> Int { Int(count) * factor }
}
