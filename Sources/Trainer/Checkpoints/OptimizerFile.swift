// optimizer.safetensors: AdamW's moments, each under the name of its factor, so that the order of the flat buffer may change.
// Names: `TASK.MODULE.lora_A.first_moment`, `….second_moment`, and `TASK.steps` for each task that has been trained.

import Files
import Foundation
import Model
import Tensor

enum OptimizerFile {
    static let name = "optimizer.safetensors"

    /// Writes the moments of the trained tasks.
    /// - Throws: `UserError` `.output`
    static func write(_ state: TrainingState, into folder: borrowing PendingFolder) throws(UserError) -> OutputFile.Summary {
        var arrays: [[Float]] = []
        var steps: [[Int64]] = []
        for optimizer in state.optimizers.compactMap(\.self) {
            arrays += [optimizer.firstMoment, optimizer.secondMoment]
            steps.append([Int64(optimizer.steps)])
        }
        return try withBytes(of: arrays[...]) { (moments) throws(UserError) in
            try withBytes(of: steps[...]) { (steps) throws(UserError) in
                let tensors = tensors(state, moments, steps)
                let size = SafetensorsWriter.fileSize(tensors, metadata: nil)
                var file = try folder.createFile(name, expectedSize: size)
                try SafetensorsWriter.write(tensors, metadata: nil, into: &file)
                return try file.finish()
            }
        }
    }

    private static func tensors(
        _ state: TrainingState, _ moments: [UnsafeRawBufferPointer], _ steps: [UnsafeRawBufferPointer]
    ) -> [SafetensorsWriter.Tensor] {
        var tensors: [SafetensorsWriter.Tensor] = []
        for (index, task) in state.trained.enumerated() {
            let adapter = state.adapters[task]
            tensors.append((stepsName(adapter.task), .i64, [1], steps[index]))
            for (moment, bytes) in zip(Moment.allCases, moments[2 * index..<2 * index + 2]) {
                for factor in factors(adapter.layout, count: bytes.count / 4) {
                    let range = 4 * factor.range.lowerBound..<4 * factor.range.upperBound
                    let name = tensorName(adapter.task, factor, moment)
                    tensors.append((name, .f32, [factor.rows, factor.columns], UnsafeRawBufferPointer(rebasing: bytes[range])))
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
        defer { withExtendedLifetime(tensors) {} }
        var optimizers: [AdamW?] = []
        for adapter in adapters {
            guard tensors.shape(of: stepsName(adapter.task)) != nil else {
                optimizers.append(nil)
                continue
            }
            let steps = try tensors.bytes(stepsName(adapter.task), .i64, [1]).loadUnaligned(as: Int64.self)
            guard steps >= 0 else { throw tensors.fault("has a negative number in the tensor \(quoted(stepsName(adapter.task)))") }
            var optimizer = AdamW(configuration, count: count)
            optimizer.steps = Int(steps)
            for factor in factors(adapter.layout, count: count) {
                let shape = [factor.rows, factor.columns]
                let first = try tensors.bytes(tensorName(adapter.task, factor, .first), .f32, shape)
                let second = try tensors.bytes(tensorName(adapter.task, factor, .second), .f32, shape)
                optimizer.firstMoment.withUnsafeMutableBytes { copy(first, to: $0, at: factor) }
                optimizer.secondMoment.withUnsafeMutableBytes { copy(second, to: $0, at: factor) }
            }
            optimizers.append(optimizer)
        }
        try tensors.expectNoMore()
        return optimizers
    }

    private static func copy(_ bytes: UnsafeRawBufferPointer, to moments: UnsafeMutableRawBufferPointer, at factor: AdapterFactor) {
        memcpy(moments.baseAddress! + 4 * factor.offset, bytes.baseAddress!, bytes.count)
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

extension TrainingState {
    /// Places of the tasks that have moments.
    var trained: [Int] { optimizers.indices.filter { optimizers[$0] != nil } }
}
