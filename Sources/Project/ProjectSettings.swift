// Every key of project_config.yaml: the sections as their components declare them, and the rules between sections.
// docs/configuration.md holds the same table, and a test compares the two.

import Config
import Data
import Files
import Loss
import Model

/// The keys of the top, and all sections together. What a key means is said in its declaration.
package enum ProjectSettings {
    package static let baseModelPath = Setting<String>(
        "base_model_path", .text("the path of a folder"), .required, aliases: ["model_name_or_path", "base_model_name_or_path"],
        "Folder of the checkpoint: config.json, tokenizer.json, safetensors.")

    /// All settings of a run.
    package static let schema = ConfigurationSchema(
        top: [baseModelPath],
        sections: [
            DataSettings.section, TrainingSettings.section, LoRASettings.section, LossSettings.section, SystemSettings.section,
        ],
        alternatives: [SettingAlternative(TrainingSettings.gradientCheckpointing, SystemSettings.activationMemory)])

    /// Applies the rules within and between sections; the first that is broken is told.
    ///
    /// - Throws: `UserError` for settings that are missing or contradict each other
    static func join(_ values: inout SettingValues) throws(UserError) {
        try DataSettings.join(&values)
        try checkTasks(values)
        try checkSampling(values)
        try TrainingSettings.join(&values)
        try SystemSettings.join(&values)
        try joinActivations(&values)
        try checkEvaluation(&values)
        try LossSettings.check(values)
    }

    private static func checkTasks(_ values: SettingValues) throws(UserError) {
        guard let tasks = values[LoRASettings.tasks] else { return }
        for file in (values[DataSettings.train] ?? []) + [values[DataSettings.evaluation]].compactMap(\.self) {
            guard let task = file.task, !tasks.contains(task) else { continue }
            throw values.error(at: LoRASettings.tasks, "\(LoRASettings.tasks) has no \(task), the task of \(file.path); add it")
        }
    }

    private static func checkSampling(_ values: SettingValues) throws(UserError) {
        let (setting, temperature) = (DataSettings.samplingTemperature, values[DataSettings.samplingTemperature])
        let weights = (values[DataSettings.train] ?? []).map(\.givenWeight)
        if temperature != 1, let set = weights.firstIndex(where: { $0 != nil }) {
            throw values.error(at: setting, "\(setting) and \(DataSettings.train)[\(set)].weight are both given; keep one of the two")
        }
        let shuffle = TrainingSettings.shuffle
        guard !values[shuffle] else { return }
        let fault = "without shuffling a row is taken a whole number of times in each epoch, but"
        if temperature != 1 {
            throw values.error(at: shuffle, "\(fault) \(setting) is \(temperature); remove one of the two settings")
        }
        for (set, weight) in weights.enumerated() {
            guard let weight, weight != weight.rounded() else { continue }
            throw values.error(
                at: shuffle, "\(fault) \(DataSettings.train)[\(set)].weight is \(weight); use a whole number, or \(shuffle): true")
        }
    }

    private static func joinActivations(_ values: inout SettingValues) throws(UserError) {
        let (short, memory) = (TrainingSettings.gradientCheckpointing, SystemSettings.activationMemory)
        guard values[short] else { return }
        if let given = values.given(memory), given != .recompute {
            let said = memory.valueInWords(given)
            throw values.error(
                at: short, "\(short) means \(memory): recompute, but \(values.place(of: memory)) says \(said); keep one of the two")
        }
        values[memory] = .recompute
    }

    private static func checkEvaluation(_ values: inout SettingValues) throws(UserError) {
        guard values[DataSettings.evaluation] == nil, values[DataSettings.train] != nil else { return }
        let (steps, metric) = (TrainingSettings.evaluationSteps, TrainingSettings.bestMetric)
        guard values[steps] == 0 else {
            throw values.error(at: steps, "\(steps) needs something to evaluate on; add \(DataSettings.evaluation), or remove \(steps)")
        }
        if values.isGiven(metric) {
            values.note(at: metric, "\(metric) is not used, because there is no \(DataSettings.evaluation)")
        }
    }
}
