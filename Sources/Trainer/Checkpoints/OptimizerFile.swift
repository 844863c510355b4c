// optimizer.safetensors: AdamW's moments, each under the name of its factor, so that the order of the flat buffer may change.
// Names: `TASK.MODULE.lora_A.first_moment`, `….second_moment`, and `TASK.steps` for each task that has been trained.

import Files
import Model
import Tensor

enum OptimizerFile {
    static let name = "optimizer.safetensors"

    /// Writes the moments of the trained tasks.
    /// - Throws: `UserError` `.output`
    static func write(_ state: TrainingState, into folder: borrowing PendingFolder) throws(UserError) -> OutputFile.Summary {
        let tensors = tensors(state)
        var file = try folder.createFile(name, expectedSize: SafetensorsWriter.fileSize(tensors, metadata: nil))
        try SafetensorsWriter.write(tensors, metadata: nil, into: &file)
        return try file.finish()
    }

    private static func tensors(_ state: TrainingState) -> [SafetensorsWriter.Tensor] {
        var tensors: [SafetensorsWriter.Tensor] = []
        for (adapter, optimizer) in zip(state.adapters, state.optimizers) {
            guard let optimizer else { continue }
            tensors.append((stepsName(adapter.task), .i64, [1], TensorContent([Int64(optimizer.steps)])))
            for (moment, values) in zip(Moment.allCases, [optimizer.firstMoment, optimizer.secondMoment]) {
                for factor in factors(adapter.layout, count: values.count) {
                    let name = tensorName(adapter.task, factor, moment)
                    tensors.append((name, .f32, [factor.rows, factor.columns], TensorContent(values, factor.range)))
                }
            }
        }
        return tensors
    }

    /// Reads the moments of the tasks that have some.
    ///
    /// - Parameter count: moments of a task, the first of its buffer
    /// - Throws: `UserError` `.content` naming the tensor that is missing, superfluous, or of another shape
    static func read(
        _ path: String, for adapters: [Adapter], count: Int, _ configuration: AdamW.Configuration
    ) throws(UserError) -> [AdamW?] {
        var tensors = try CheckpointTensors(path: path)
        var optimizers: [AdamW?] = []
        for adapter in adapters {
            guard tensors.shape(of: stepsName(adapter.task)) != nil else {
                optimizers.append(nil)
                continue
            }
            let steps = try tensors.numbers(stepsName(adapter.task), .i64, [1], as: Int64.self)[0]
            guard steps >= 0 else { throw tensors.fault("has a negative number in the tensor \(quoted(stepsName(adapter.task)))") }
            var optimizer = AdamW(configuration, count: count)
            optimizer.steps = Int(steps)
            for factor in factors(adapter.layout, count: count) {
                let shape = [factor.rows, factor.columns]
                let first = try tensors.numbers(tensorName(adapter.task, factor, .first), .f32, shape, as: Float.self)
                let second = try tensors.numbers(tensorName(adapter.task, factor, .second), .f32, shape, as: Float.self)
                optimizer.firstMoment.replaceSubrange(factor.range, with: first)
                optimizer.secondMoment.replaceSubrange(factor.range, with: second)
            }
            optimizers.append(optimizer)
        }
        try tensors.expectNoMore()
        return optimizers
    }

    /// The factors that the first `count` values of the flat buffer hold.
    private static func factors(_ layout: AdapterLayout, count: Int) -> [AdapterFactor] {
        let factors = layout.factors.filter { $0.range.upperBound <= count }
        precondition(factors.reduce(0) { $0 + $1.range.count } == count, "optimizer: \(count) moments end within a factor")
        return factors
    }

    private enum Moment: String, CaseIterable {
        case first = "first_moment"
        case second = "second_moment"
    }

    private static func tensorName(_ task: String, _ factor: AdapterFactor, _ moment: Moment) -> String {
        "\(task).\(factor.name).\(moment.rawValue)"
    }

    private static func stepsName(_ task: String) -> String { "\(task).steps" }
}
