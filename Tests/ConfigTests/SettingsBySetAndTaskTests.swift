// Settings of each data set, and settings that go by task.

import Loss
import Project
import Support
import Testing

@testable import Model

@Suite("Settings by data set and by task")
struct SettingsBySetAndTaskTests {
    @Test("how data sets are sampled, and what scores may be")
    func sampling() throws {
        let config = try decode(
            """
            base_model_path: m
            data:
              train: [a, {path: b, weight: 2.5, score_range: [0, 5]}, {path: c, weight: null, score_range: null}]
            training: {output_dir: o}
            """)
        #expect(config.data.train.map(\.weight) == [1, 2.5, 1] && config.data.train.map(\.scoreRange) == [nil, 0...5, nil])
        #expect(config.data.samplingTemperature == 1)
        let whole = try decode(requiredSettings, set: "training.shuffle=false", "data.train=[{path: a, weight: 3}]")
        #expect(whole.data.train[0].weight == 3 && !whole.training.shuffle)
        #expect(try decode(requiredSettings, set: "data.sampling_temperature=3").data.samplingTemperature == 3)
    }

    @Test("settings by task")
    func byTask() throws {
        let config = try decode(
            requiredSettings + """
                lora:
                  start_from:
                    retrieval: pair
                    code: {path: pair, task: retrieval}
                loss: {name: cosent, task_weights: {code: 0.5, retrieval: 0}}
                """, set: "training.task_learning_rates={code: 5e-5}")
        #expect(config.loss.name == .cosent && config.loss.taskWeights == ["code": 0.5, "retrieval": 0])
        #expect(config.training.taskLearningRates == ["code": 5e-5])
        #expect(
            config.lora.startFrom
                == .byTask(["retrieval": .init(path: "pair", task: nil), "code": .init(path: "pair", task: "retrieval")]))
        #expect(config.error(at: LossSettings.taskWeights, entry: "code", "no").description == "p.yaml:8:37: no")
        #expect(config.error(at: LoRASettings.startFrom, entry: "code", "no").description == "p.yaml:7:5: no")
        let rate = config.error(at: TrainingSettings.taskLearningRates, entry: "code", "no")
        #expect(rate.description == "--set training.task_learning_rates: no")
        let none = try decode(requiredSettings)
        #expect(none.loss.name == .infonce && none.loss.taskWeights.isEmpty && none.training.taskLearningRates.isEmpty)
    }
}
