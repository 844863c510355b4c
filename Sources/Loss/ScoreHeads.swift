// The ways in which a step scores an anchor against a candidate: by prefixes of their dense vectors, and by late interaction.

import Glibc

/// How two dense vectors are compared.
package enum ScoreDistance: String, Sendable {
    /// a · c of unit vectors.
    case cosine
    /// -‖a - c‖ of unit vectors.
    case euclidean
}

/// The heads of an objective: one a width of the dense vectors, then late interaction.
///
/// A prefix is divided by its length; the whole vector is a unit vector already.
package struct ScoreHeads: Sendable, Equatable {
    /// Of whole dense vectors.
    package let dimension: Int
    /// Ascending.
    package let widths: [Int]
    /// Whether late interaction is one of the heads.
    package let hasLate: Bool
    /// How two dense vectors are compared.
    package let distance: ScoreDistance

    /// Creates the heads of ascending widths, none above `dimension`.
    package init(dimension: Int, widths: [Int], hasLate: Bool, distance: ScoreDistance = .cosine) {
        precondition(widths == Array(Set(widths)).sorted() && widths.allSatisfy { (1...dimension).contains($0) }, "widths \(widths)")
        self.dimension = dimension
        self.widths = widths
        self.hasLate = hasLate
        self.distance = distance
    }

    /// Number of heads.
    package var count: Int { widths.count + (hasLate ? 1 : 0) }
    /// The number of the late head.
    package var late: Int? { hasLate ? widths.count : nil }
    /// The number of the head of whole dense vectors.
    package var whole: Int? { widths.last == dimension ? widths.count - 1 : nil }

    /// The score that stands for a cosine.
    @inline(__always)
    package func score(cosine: Float) -> Float {
        distance == .cosine ? cosine : -(max(2 - 2 * cosine, 0)).squareRoot()
    }

    /// The cosine that a score stands for.
    @inline(__always)
    package func cosine(score: Float) -> Float { distance == .cosine ? score : 1 - 0.5 * score * score }

    /// d score / d cosine. Equal vectors have no direction to move apart in: 0.
    @inline(__always)
    func slope(score: Float) -> Float { distance == .cosine ? 1 : score < 0 ? -1 / score : 0 }
}
