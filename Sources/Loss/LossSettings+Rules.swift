// Rules between the settings of the section `loss`: a setting that the chosen loss does not read is a mistake, not a detail.

import Config
import Files

extension LossSettings {
    /// Of which terms of the joint loss a setting is, by their weights.
    private static let terms: [(setting: any AnySetting, weights: [Setting<Double>])] = [
        (matryoshkaDimensions, [denseWeight, divergenceWeight]), (matryoshkaWeights, [denseWeight, divergenceWeight]),
        (distance, [denseWeight, divergenceWeight]),
        (distillWeight, [denseWeight, lateWeight]),
        (direction, [divergenceWeight]), (detached, [divergenceWeight]), (divergenceCoversNegatives, [divergenceWeight]),
    ]

    /// Checks what the settings of the section say together.
    ///
    /// - Throws: for a setting without effect, weights that are all zero, and widths and weights that do not fit each other
    package static func check(_ values: SettingValues) throws(UserError) {
        let chosen = values[name]
        for setting in section.settings where values.changesDefault(setting) {
            let names = LossConfig.Name.allCases.filter { $0.settings.contains { $0.key == setting.key } }
            guard !names.isEmpty, !names.contains(chosen) else { continue }
            let readers = names.map(\.rawValue).joined(separator: " and ")
            throw values.error(
                at: setting, "\(setting) has no part in \(name): \(chosen.rawValue), only in \(readers); remove it or change \(name)")
        }
        if chosen == .joint { try checkJoint(values) }
        try checkDistillation(values)
        try checkMatryoshka(values)
    }

    private static func checkJoint(_ values: SettingValues) throws(UserError) {
        let weights = [denseWeight, lateWeight, divergenceWeight]
        if weights.allSatisfy({ values[$0] == 0 }) {
            let all = weights.map(\.key).joined(separator: ", ")
            throw values.error(at: denseWeight, "\(all) are all 0: nothing would be trained; raise one of them")
        }
        for (setting, weights) in terms where weights.allSatisfy({ values[$0] == 0 }) && values.changesDefault(setting) {
            let zero = "\(weights.map(\.key).joined(separator: " and ")) \(weights.count == 1 ? "is" : "are") 0"
            throw values.error(at: setting, "\(setting) has no part where \(zero); remove it or raise the weight")
        }
    }

    private static func checkDistillation(_ values: SettingValues) throws(UserError) {
        func refuse(_ settings: [any AnySetting], where reason: String) throws(UserError) {
            for setting in settings where values.changesDefault(setting) {
                throw values.error(at: setting, "\(setting) has no part where \(reason); remove it or change that")
            }
        }
        guard values[name] == .distill else {
            if values[distillWeight] == 0 { try refuse([distillObjective, teacherTemperature], where: "\(distillWeight) is 0") }
            return
        }
        if values[distillObjective] == .marginMSE { try refuse([temperature], where: "\(distillObjective) is margin_mse") }
        if values[distillHeads] == .late {
            try refuse([matryoshkaDimensions, matryoshkaWeights, distance], where: "\(distillHeads) is late")
        }
    }

    private static func checkMatryoshka(_ values: SettingValues) throws(UserError) {
        let (widths, weights) = (values[matryoshkaDimensions], values[matryoshkaWeights])
        guard !weights.isEmpty else { return }
        guard weights.count == widths.count else {
            throw values.error(
                at: matryoshkaWeights,
                "\(matryoshkaWeights) has \(weights.count) entries and \(matryoshkaDimensions) \(widths.count); give one weight for each width"
            )
        }
        guard weights.contains(where: { $0 != 0 }) else {
            throw values.error(at: matryoshkaWeights, "\(matryoshkaWeights) are all 0: nothing would be trained; raise one of them")
        }
    }
}
