// The objective that a configuration describes.

import Loss
import Project

extension Objective {
    /// - Parameter dimension: of whole dense vectors
    package init(_ config: LossConfig, dimension: Int) {
        var graded = CoSENTLoss()
        graded.temperature = config.cosentTemperature
        let ungraded: Form =
            switch config.name {
            case .infonce, .joint: .contrastive(ContrastiveLoss(config))
            case .triplet: .triplet(TripletLoss(config))
            case .cosent: .cosent(graded)
            }
        self.init(WeightedHeads(config, dimension: dimension), ungraded, graded: .cosent(graded))
    }
}

extension ContrastiveLoss {
    fileprivate init(_ config: LossConfig) {
        self.init()
        temperature = config.temperature
        isSymmetric = config.isSymmetric
        negativeMargin = config.negativeMargin
        isMean = config.reduction == .mean
        divergenceWeight = config.divergenceWeight
        direction = config.direction
        detached = config.detached
        divergenceCoversNegatives = config.divergenceCoversNegatives
    }
}

extension TripletLoss {
    fileprivate init(_ config: LossConfig) {
        self.init()
        margin = config.tripletMargin
        isMean = config.reduction == .mean
    }
}

extension WeightedHeads {
    fileprivate init(_ config: LossConfig, dimension: Int) {
        let trainsDense = config.denseWeight > 0 || config.divergenceWeight > 0
        var widths = trainsDense ? (config.matryoshkaDimensions.isEmpty ? [dimension] : config.matryoshkaDimensions) : []
        var weights =
            trainsDense && !config.matryoshkaWeights.isEmpty ? config.matryoshkaWeights : Array(repeating: 1, count: widths.count)
        // Near duplicates are known by whole vectors.
        if config.negativeMargin != nil && widths.last != dimension {
            widths.append(dimension)
            weights.append(0)
        }
        self.init(
            ScoreHeads(dimension: dimension, widths: widths, hasLate: config.usesLate, distance: config.distance),
            widthWeights: weights, denseWeight: config.denseWeight, lateWeight: config.lateWeight)
    }
}
