// The tensors of one of a checkpoint's files, each taken once: what is missing, of another shape, or left over is named.

import Files
import Tensor

/// Reads a safetensors file of known content.
///
///     var tensors = try CheckpointTensors(path: path)
///     let steps = try tensors.numbers("code.steps", .i64, [1], as: Int64.self)
///     try tensors.expectNoMore()
struct CheckpointTensors {
    private let file: SafetensorsFile
    private var unused: Set<ExactString>

    init(path: String) throws(UserError) {
        file = try SafetensorsFile(path: path)
        unused = Set(file.entries.map { ExactString($0.name) })
    }

    /// The shape of a tensor; nil when there is none of this name.
    func shape(of name: String) -> [Int]? { file[name]?.shape }

    /// The content of a tensor as numbers of its type, copied.
    ///
    /// - Throws: `UserError` `.content` when it is missing or of another type or shape
    mutating func numbers<Number: BitwiseCopyable>(
        _ name: String, _ dtype: SafetensorsDType, _ shape: [Int], as _: Number.Type
    ) throws(UserError) -> [Number] {
        file.numbers(of: try take(name, dtype, shape))
    }

    /// The content of a matrix of float32, copied.
    ///
    /// - Throws: `UserError` `.content` when it is missing or of another type or shape
    mutating func matrix(_ name: String, rows: Int, columns: Int) throws(UserError) -> Tensor {
        Tensor(try numbers(name, .f32, [rows, columns], as: Float.self), rows: rows, columns: columns)
    }

    private mutating func take(_ name: String, _ dtype: SafetensorsDType, _ shape: [Int]) throws(UserError) -> SafetensorsFile.Entry {
        guard let entry = file[name], entry.dtype == dtype, entry.shape == shape else {
            throw fault("lacks the tensor \(quoted(name)) of shape \(shape) and type \(dtype.rawValue)")
        }
        unused.remove(ExactString(name))
        return entry
    }

    /// - Throws: `UserError` `.content` when the file holds a tensor that nobody asked for
    func expectNoMore() throws(UserError) {
        if let name = unused.min() { throw fault("holds \(quoted(name.string)), which this run does not know") }
    }

    /// - Parameter what: a sentence without its subject, the file
    func fault(_ what: String) -> UserError { UserError(.content, file.path, what) }
}
