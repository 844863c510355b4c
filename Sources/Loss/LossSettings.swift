// The section `loss` of project_config.yaml: what is minimised, over which pool.

import Config
import Files

/// The keys of `loss` that are not one loss's own; those stand in its file. What each means is said in its declaration, where the
/// documentation takes it from.
package enum LossSettings {
    package static let name = Setting<LossConfig.Name>(
        "loss.name", .choice([.infonce, .joint, .cosent, .triplet, .distill], others: ["contrastive": .infonce]), .value(.infonce),
        "`infonce` (or `contrastive`): each anchor against the positives and negatives of all ranks. `joint`: that of dense and of "
            + "late vectors, and the divergence between them. `triplet`: each anchor against its own negatives. "
            + "`distill`: each row's own candidates as a teacher has scored them. Batches of rows with "
            + "scores take CoSENT; with `cosent` a row without a score is an error.")
    package static let distance = Setting<ScoreDistance>(
        "loss.distance", .choice([.cosine, .euclidean]), .value(.cosine),
        "Score of two dense vectors: their cosine, or minus the distance of the unit vectors. Late scores are cosines.")
    package static let reduction = Setting<LossConfig.Reduction>(
        "loss.reduction", .choice([.mean, .sum]), .value(.mean),
        "Of the rows' losses; for `triplet`, of the triplets'.")
    package static let denseWeight = Setting<Double>(
        "loss.dense_weight", .number(.atLeast(0)), .value(1.0),
        "`joint`: weight of the loss of dense vectors.")
    package static let lateWeight = Setting<Double>(
        "loss.late_weight", .number(.atLeast(0)), .value(1.0),
        "`joint`: weight of the loss of late interaction.")
    package static let matryoshkaDimensions = Setting<[Int]>(
        "loss.matryoshka_dims", .widths, .value([]),
        "Prefixes of the dense vectors that are trained beside one another, ascending; empty: the whole vector alone.")
    package static let matryoshkaWeights = Setting<[Double]>(
        "loss.matryoshka_weights", .numbers(.atLeast(0)), .value([]),
        "Weight of each of them; empty: each counts 1.")
    package static let maskDuplicates = Setting<Bool>(
        "loss.mask_duplicates", .boolean, .value(true),
        "Leave a candidate that equals the anchor or its positive out of the anchor's negatives.")
    package static let pool = Setting<LossConfig.Pool?>(
        "loss.pool", .choice(orWord: "auto", [.gather, .stream]), .value(nil), mayDifferOnResume: true,
        "Embeddings of other ranks: all at once, or block by block in memory that does not grow with the pool; `auto`: `gather` "
            + "while it takes less than an eighth of a rank's memory.")
    package static let poolLimit = Setting<Int?>(
        "loss.pool_limit", .optional(.count(from: 1)), .absent("all candidates of the global batch"),
        "Negatives that an anchor sees, drawn anew from the pool in every step.")
    package static let memoryBankSteps = Setting<Int>(
        "loss.memory_bank_steps", .count(from: 0), .value(0),
        "Steps of a task whose candidates stay in the pool as constants, with the vectors that they had then: negatives without "
            + "another forward pass. `0`: none.")
    package static let taskWeights = Setting<TaskValues<Double>?>(
        "loss.task_weights", .optional(.taskNumbers(.atLeast(0))), .absent("1 for every task"),
        "Factors of the gradient in batches of some tasks: `{code: 0.5}`. Logged losses are without them.")

    /// The section as the schema takes it.
    package static let section = SettingSection([
        name, temperature, distance, reduction, isSymmetric, denseWeight, lateWeight, divergenceWeight, direction, detached,
        divergenceCoversNegatives, matryoshkaDimensions, matryoshkaWeights, cosentTemperature, tripletMargin,
        distillObjective, distillHeads, distillWeight, teacherTemperature, maskDuplicates,
        negativeMargin, pool, poolLimit, memoryBankSteps, taskWeights,
    ])
}

extension SettingForm where Value == [Int] {
    /// A list of ascending widths of vectors, or a single one.
    package static var widths: Self {
        Self(
            "a list of ascending widths", encode: { .array($0.map { .integer(Int64($0)) }) },
            read: { (node, key) throws(UserError) -> [Int]? in
                let elements: [YAMLNode]
                switch node.content {
                case .sequence(let list): elements = list
                case .scalar(.integer): elements = [node]
                default: return nil
                }
                var widths: [Int] = []
                for (index, element) in elements.enumerated() {
                    guard case .scalar(.integer(let width)) = element.content, width > 0 else {
                        throw element.place.error("\(key)[\(index)] must be a width, 1 or more, but is \(element.inWords)")
                    }
                    if let last = widths.last, width <= last {
                        throw element.place.error("\(key) must ascend, but \(width) follows \(last); put the widths in order, each once")
                    }
                    widths.append(width)
                }
                return widths
            })
    }
}
