// The heads of an objective and what each counts in it.

import Model

/// Score heads with their weights.
package struct WeightedHeads: Sendable {
    /// How scores come about; its widths carry `widthWeights`.
    package let heads: ScoreHeads
    /// μ, one a width of `heads`; 0 where a width only serves the margin of negatives.
    package let widthWeights: [Double]
    /// Weight of the loss of dense vectors.
    package let denseWeight: Double
    /// Weight of the loss of late interaction.
    package let lateWeight: Double

    /// Creates weighted heads.
    ///
    /// - Parameter widthWeights: one a width; nil: each counts 1
    package init(_ heads: ScoreHeads, widthWeights: [Double]? = nil, denseWeight: Double = 1, lateWeight: Double = 0) {
        self.heads = heads
        self.widthWeights = widthWeights ?? heads.widths.map { _ in 1 }
        (self.denseWeight, self.lateWeight) = (denseWeight, lateWeight)
    }

    /// What a pass through the model has to make.
    package var embeddingHeads: EmbeddingHeads { !heads.hasLate ? .dense : heads.widths.isEmpty ? .late : .both }

    /// The head whose scores are reported: the widest dense one, else the late one.
    var reportedHead: Int { heads.widths.isEmpty ? 0 : heads.widths.count - 1 }

    /// The weight of a head's own term.
    package func weight(ofHead head: Int) -> Double {
        head < heads.widths.count ? denseWeight * widthWeights[head] : lateWeight
    }

    /// Σ over the heads of weight times `term`.
    func weightedSum(_ term: (_ head: Int) -> Double) -> Double {
        (0..<heads.count).reduce(0) { $0 + weight(ofHead: $1) * term($1) }
    }
}

extension WeightedHeads {
    /// The heads that a configuration trains, and one of whole vectors where near duplicates are known by them.
    init(_ config: LossConfig, dimension: Int) {
        let trainsDense = config.denseWeight > 0 || config.comparesHeads
        var widths = trainsDense ? (config.matryoshkaDimensions.isEmpty ? [dimension] : config.matryoshkaDimensions) : []
        var weights =
            trainsDense && !config.matryoshkaWeights.isEmpty ? config.matryoshkaWeights : Array(repeating: 1, count: widths.count)
        if config.ungraded.loss.needsWholeVectors && widths.last != dimension {
            widths.append(dimension)
            weights.append(0)
        }
        self.init(
            ScoreHeads(dimension: dimension, widths: widths, hasLate: config.usesLate, distance: config.distance),
            widthWeights: weights, denseWeight: config.denseWeight, lateWeight: config.lateWeight)
    }
}
