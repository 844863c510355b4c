// Which way up a picture is, as its camera noted it, and the way from its pixels to those of the upright picture.

/// A picture's orientation by its number in EXIF: what must be done to its pixels so that it stands upright.
package enum ImageOrientation: Int, Sendable, CaseIterable {
    case upright = 1
    /// Left and right change places.
    case mirrored = 2
    /// Half a turn.
    case halfTurn = 3
    /// Top and bottom change places.
    case flipped = 4
    /// Rows become columns.
    case transposed = 5
    /// A quarter turn clockwise: a telephone held upright.
    case clockwise = 6
    /// Rows become columns, and half a turn.
    case transversed = 7
    /// A quarter turn counterclockwise.
    case counterclockwise = 8

    /// Whether the upright picture is as wide as the stored one is high.
    package var swapsSides: Bool { rawValue >= 5 }

    /// Where the upright picture's pixels lie in the stored one: the first, and the way to the next row and the next column, counted in
    /// pixels of a stored picture of this size.
    fileprivate func steps(width: Int, height: Int) -> (first: Int, row: Int, column: Int) {
        let (right, bottom) = (width - 1, (height - 1) * width)
        return switch self {
        case .upright: (0, width, 1)
        case .mirrored: (right, width, -1)
        case .halfTurn: (bottom + right, -width, -1)
        case .flipped: (bottom, -width, 1)
        case .transposed: (0, 1, width)
        case .clockwise: (bottom, 1, -width)
        case .transversed: (bottom + right, -1, -width)
        case .counterclockwise: (right, -1, width)
        }
    }
}

extension RGBImage {
    /// The picture upright. For a moment both are held.
    func turned(_ orientation: ImageOrientation) -> RGBImage {
        guard orientation != .upright else { return self }
        let swaps = orientation.swapsSides
        let result = RGBImage(width: swaps ? height : width, height: swaps ? width : height)
        let steps = orientation.steps(width: width, height: height)
        // By squares, so that rows read as columns stay in the cache.
        let side = 64
        for top in stride(from: 0, to: result.height, by: side) {
            for left in stride(from: 0, to: result.width, by: side) {
                for row in top..<min(top + side, result.height) {
                    var target = result.row(row) + 3 * left
                    var source = pixels + 3 * (steps.first + row * steps.row + left * steps.column)
                    for _ in left..<min(left + side, result.width) {
                        (target[0], target[1], target[2]) = (source[0], source[1], source[2])
                        target += 3
                        source += 3 * steps.column
                    }
                }
            }
        }
        return result
    }
}
