// The settings of the contrastive losses, `infonce` and `joint`.

import Config

extension LossSettings {
    package static let temperature = Setting<Double>(
        "loss.temperature", .number(.above(0)), .value(ContrastiveLoss().temperature),
        "`infonce`, `joint` and the divergence of `distill` divide similarities by it.")
    package static let isSymmetric = Setting<Bool>(
        "loss.symmetric", .boolean, .value(false),
        "Half of the contrastive loss from anchors to candidates, half from positives to all anchors.")
    package static let negativeMargin = Setting<Double?>(
        "loss.negative_margin", .optional(.number(.closed(-2, 2))), .absent("all candidates are negatives"),
        "Leave a candidate whose cosine with the anchor lies above the positive's less this out of its negatives.")
    package static let divergenceWeight = Setting<Double>(
        "loss.kl_weight", .number(.atLeast(0)), .value(1.0),
        "`joint`: weight of the divergence between dense and late scores.")
    package static let direction = Setting<DivergenceDirection>(
        "loss.kl_direction", .choice([.denseToLate, .lateToDense]), .value(.denseToLate),
        "`joint`: KL(dense ‖ late), or KL(late ‖ dense).")
    package static let detached = Setting<DetachedSide>(
        "loss.kl_detach", .choice([.none, .dense, .late]), .value(.none),
        "`joint`: the side that the divergence takes as given.")
    package static let divergenceCoversNegatives = Setting<Bool>(
        "loss.kl_negatives", .boolean, .value(true),
        "`joint`: whether the divergence covers hard negatives beside positives.")
}

extension ContrastiveLoss {
    /// The settings that it reads and not every loss does.
    static let settings: [any AnySetting] = [
        LossSettings.temperature, LossSettings.isSymmetric, LossSettings.negativeMargin, LossSettings.poolLimit,
        LossSettings.memoryBankSteps, LossSettings.reduction, LossSettings.maskDuplicates,
    ]

    /// Those that it reads beside them as the joint loss.
    static let jointSettings: [any AnySetting] = [
        LossSettings.denseWeight, LossSettings.lateWeight, LossSettings.divergenceWeight, LossSettings.direction, LossSettings.detached,
        LossSettings.divergenceCoversNegatives,
    ]

    /// Takes its values from the section `loss`.
    init(_ values: SettingValues, isJoint: Bool) {
        temperature = values[LossSettings.temperature]
        isSymmetric = values[LossSettings.isSymmetric]
        negativeMargin = values[LossSettings.negativeMargin]
        isMean = values[LossSettings.reduction] == .mean
        divergenceWeight = isJoint ? values[LossSettings.divergenceWeight] : 0
        direction = values[LossSettings.direction]
        detached = values[LossSettings.detached]
        divergenceCoversNegatives = values[LossSettings.divergenceCoversNegatives]
    }
}
