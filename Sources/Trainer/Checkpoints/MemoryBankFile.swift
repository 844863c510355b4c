// memory_bank.safetensors: what the memory banks hold, of each task step by step, the oldest step 0. Names: `TASK.STEP.contents`
// and `TASK.STEP.anchors` (a hash of 16 bytes for each candidate, and for each row), `.tokens`, `.dense` and `.late`.

import Data
import Files
import Foundation
import Loss
import Model
import Tensor

enum MemoryBankFile {
    static let name = "memory_bank.safetensors"

    /// Writes the banks of all tasks, which must lie on this rank.
    ///
    /// - Throws: `UserError` `.output`
    static func write(_ state: TrainingState, into folder: borrowing PendingFolder) throws(UserError) -> OutputFile.Summary {
        let steps = zip(state.adapters, state.banks).flatMap { adapter, bank in
            bank.steps.enumerated().map { (name: "\(adapter.task).\($0)", step: $1) }
        }
        let tensors = steps.flatMap { self.tensors($0.name, $0.step) }
        var file = try folder.createFile(name, expectedSize: SafetensorsWriter.fileSize(tensors, metadata: nil))
        try SafetensorsWriter.write(tensors, metadata: nil, into: &file)
        return try file.finish()
    }

    private static func tensors(_ name: String, _ step: MemoryBank.Step) -> [SafetensorsWriter.Tensor] {
        precondition(step.embeddings.owners.lists == [Array(step.contents.indices)], "memory bank: \(name) is not whole and in order")
        let (contents, anchors) = (step.contentBytes, step.anchorBytes)
        let tokens = step.embeddings.owners.tokenCounts.map(Int64.init)
        let (hash, count) = (ContentHash.byteCount, step.contents.count)
        var tensors: [SafetensorsWriter.Tensor] = [
            ("\(name).contents", .u8, [count, hash], TensorContent(contents)),
            ("\(name).anchors", .u8, [anchors.count / hash, hash], TensorContent(anchors)),
            ("\(name).tokens", .i64, [count], TensorContent(tokens)),
        ]
        for (part, rows) in [("dense", step.embeddings.rows.dense), ("late", step.embeddings.rows.late)] {
            guard let rows else { continue }
            tensors.append(("\(name).\(part)", .f32, [rows.rows, rows.columns], TensorContent(rows)))
        }
        return tensors
    }

    /// The bank of each task, all of it.
    ///
    /// - Throws: `UserError` `.content` naming the tensor that is missing, superfluous, or of another shape
    static func read(_ path: String, _ setting: ResumeSetting) throws(UserError) -> [MemoryBank] {
        var tensors = try CheckpointTensors(path: path)
        var banks: [MemoryBank] = []
        for task in setting.tasks {
            var bank = MemoryBank()
            while bank.steps.count < setting.memoryBankSteps, let count = tensors.shape(of: "\(task).\(bank.steps.count).contents")?.first {
                bank.steps.append(try step("\(task).\(bank.steps.count)", count: count, &tensors, setting))
            }
            banks.append(bank)
        }
        try tensors.expectNoMore()
        return banks
    }

    private static func step(
        _ name: String, count: Int, _ tensors: inout CheckpointTensors, _ setting: ResumeSetting
    ) throws(UserError) -> MemoryBank.Step {
        let hash = ContentHash.byteCount
        let rows = tensors.shape(of: "\(name).anchors")?.first ?? 0
        guard (1...max(count, 1)).contains(rows) else {
            throw tensors.fault("has \(rows) rows in \(quoted("\(name).anchors")) for \(count) candidates")
        }
        let contents = try tensors.numbers("\(name).contents", .u8, [count, hash], as: UInt8.self)
        let anchors = try tensors.numbers("\(name).anchors", .u8, [rows, hash], as: UInt8.self)
        let tokens = try tensors.numbers("\(name).tokens", .i64, [count], as: Int64.self)
        guard tokens.allSatisfy({ (1...Int64(Int32.max)).contains($0) }) else {
            throw tensors.fault("has a number of tokens below 1 in \(quoted("\(name).tokens"))")
        }
        let model = setting.model
        let dense = setting.heads.hasDense ? try tensors.matrix("\(name).dense", rows: count, columns: model.text.hiddenSize) : nil
        let total = Int(tokens.reduce(0, +))
        let late = setting.heads.hasLate ? try tensors.matrix("\(name).late", rows: total, columns: model.projectorDimension) : nil
        return MemoryBank.Step(
            contentBytes: contents, anchorBytes: anchors, tokens: tokens.map { Int($0) }, Embeddings(dense: dense, late: late))
    }
}
