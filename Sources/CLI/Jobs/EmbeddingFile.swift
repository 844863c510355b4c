// Embeddings on disk, one row an input, in the form that the file's name asks for. All forms are written whole or not at all. Token
// vectors have one form, which EmbeddingJob+MultiVector writes.

import Files
import Foundation
import Tensor

/// Where embeddings go.
///
///     try EmbeddingFile(path: "questions.npy").write(embeddings, of: list)
package struct EmbeddingFile: Sendable {
    /// The form of a file. The raw value is the ending of its name.
    package enum Format: String, CaseIterable, Sendable {
        /// NumPy 1.0: float32, little-endian, C order, [inputs, dimension].
        case npy
        /// JSON lines: of a text `{"text", "task", "prompt", "embedding": [...]}`, of an image `{"image", "task", "embedding"}`.
        case jsonLines = "jsonl"
        /// A safetensors file with one float32 tensor `embeddings` [inputs, dimension].
        case safetensors
    }

    /// Name of the tensor in a safetensors file.
    package static let tensorName = "embeddings"

    /// Path of the file.
    package let path: String
    /// The form that the file's name asks for.
    package let format: Format

    /// Takes the form from the ending of the file's name.
    /// - Parameter isMultiVector: whether token vectors go there
    /// - Throws: `UserError` `.usage` when the name has another ending
    package init(path: String, isMultiVector: Bool = false) throws(UserError) {
        let format = Format.allCases.first { path.hasSuffix("." + $0.rawValue) }
        if isMultiVector && format != .safetensors {
            throw UserError(
                .usage, "--output",
                "\(quoted(path)) cannot hold token vectors, a matrix an input; with --multi-vector its name must end in .safetensors")
        }
        guard let format else {
            let endings = Format.allCases.map { "." + $0.rawValue }.joined(separator: ", ")
            throw UserError(.usage, "--output", "\(quoted(path)) says no format; its name must end in one of \(endings)")
        }
        self.path = path
        self.format = format
    }

    /// Writes single vectors, in the place of an older file if there is one.
    /// - Parameters:
    ///   - embeddings: [inputs, dimension], float32 and finite
    ///   - list: the inputs, in the order of the embeddings
    /// - Throws: `UserError` `.output`; an older file is then untouched
    package func write(_ embeddings: Tensor, of list: InputList) throws(UserError) {
        precondition(embeddings.rows == list.entries.count, "embeddings: \(embeddings.rows) rows for \(list.entries.count) inputs")
        switch format {
        case .npy:
            let header = Self.numpyHeader(rows: embeddings.rows, columns: embeddings.columns)
            try AtomicWrite.replace(path, expectedSize: header.count + embeddings.bytes.byteCount) { (file) throws(UserError) in
                try file.write(header)
                try file.write(embeddings.bytes)
            }
        case .jsonLines:
            try AtomicWrite.replace(path, expectedSize: embeddings.count * 12) { (file) throws(UserError) in
                for (row, entry) in list.entries.enumerated() {
                    try file.write(Self.line(entry, embeddings.row(row)))
                }
            }
        case .safetensors:
            try SafetensorsWriter.write(
                [(Self.tensorName, .f32, [embeddings.rows, embeddings.columns], TensorContent(embeddings))], metadata: nil, to: path)
        }
    }

    /// Magic, version 1.0, length, and a Python literal filled with blanks so that the data begin at a multiple of 64 bytes.
    /// Source: numpy.lib.format.
    private static func numpyHeader(rows: Int, columns: Int) -> [UInt8] {
        let literal = Array("{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }".utf8)
        let fixed = 6 + 2 + 2
        let blanks = 63 - (fixed + literal.count) % 64
        let length = literal.count + blanks + 1
        var header: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
        header += literal + [UInt8](repeating: UInt8(ascii: " "), count: blanks) + [UInt8(ascii: "\n")]
        return header
    }

    /// Values in the shortest form that reads back as the same float.
    private static func line(_ entry: InputList.Entry, _ embedding: Span<Float>) -> [UInt8] {
        let head: JSONValue =
            switch entry.content {
            case .text(let text, let prompt):
                [
                    "text": .string(String(decoding: text, as: UTF8.self)), "task": .string(entry.task), "prompt": .string(prompt.name),
                ]
            case .image(let path): ["image": .string(path), "task": .string(entry.task)]
            }
        let values = embedding.indices.map { "\(embedding[$0])" }.joined(separator: ",")
        return head.serialized().dropLast() + Array(",\"embedding\":[\(values)]}\n".utf8)
    }
}
