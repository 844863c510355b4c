// The objective that a configuration describes.

import Config
import Loss

extension Objective {
    /// - Parameter dimension: of whole dense vectors
    package init(_ config: LossConfig, dimension: Int) {
        let trainsDense = config.denseWeight > 0 || config.divergenceWeight > 0
        var widths = trainsDense ? (config.matryoshkaDimensions.isEmpty ? [dimension] : config.matryoshkaDimensions) : []
        var weights =
            trainsDense && !config.matryoshkaWeights.isEmpty ? config.matryoshkaWeights : Array(repeating: 1, count: widths.count)
        if config.negativeMargin != nil && widths.last != dimension {
            widths.append(dimension)
            weights.append(0)
        }
        self.init(
            heads: ScoreHeads(dimension: dimension, widths: widths, hasLate: config.usesLate, distance: config.distance),
            widthWeights: weights)
        form = config.name == .triplet ? .triplet : .contrastive
        denseWeight = config.denseWeight
        lateWeight = config.lateWeight
        divergenceWeight = config.divergenceWeight
        direction = config.direction
        detached = config.detached
        divergenceCoversNegatives = config.divergenceCoversNegatives
        temperature = config.temperature
        cosentTemperature = config.cosentTemperature
        isSymmetric = config.isSymmetric
        tripletMargin = config.tripletMargin
        negativeMargin = config.negativeMargin
        isMean = config.reduction == .mean
    }
}
