// Models, and safetensors files by themselves.

import Files
import Foundation
import Model
import Trainer

extension Inspector {
    /// A backbone's folder.
    func model(_ path: String) throws(UserError) -> Inspection {
        let checkpoint = try Checkpoint.read(folder: path)
        let (config, text) = (checkpoint.config, checkpoint.config.text)
        var inspection = Inspection(path, "a model")
        inspection.add("parameters", "\(Figures.count(checkpoint.parameterCount)), \(Self.types(checkpoint.files.flatMap(\.entries)))")
        inspection.add("files", "\(Figures.count(checkpoint.files.count, "file")) of weights, \(Figures.bytes(checkpoint.byteCount))")
        inspection.add(
            "decoder",
            "\(Figures.count(text.layers, "layer")) of width \(text.hiddenSize), feed-forward \(text.intermediateSize), \(text.heads) heads of \(text.headDimension), \(text.keyValueHeads) for keys and values"
        )
        inspection.add("vision tower", config.vision.map { "\(Figures.count($0.depth, "block")) of width \($0.hiddenSize)" } ?? "none")
        inspection.add("projector", checkpoint.projector == nil ? "none" : "to width \(config.projectorDimension)")
        inspection.add("vocabulary", "\(Figures.count(text.vocabularySize)) rows, tokenizer of \(try tokenizerSize(path, config))")
        inspection.add("longest text", "\(Figures.count(config.maxTokens)) tokens")
        inspection.add("tasks", config.taskNames.joined(separator: ", "))
        inspection.add("Matryoshka widths", config.matryoshkaDimensions.map(String.init).joined(separator: ", "))
        inspection.add("fingerprint", SHA256.hex(checkpoint.fingerprint()))

        let source = try AdapterSource.ofModel(path)
        inspection.add("adapters", try source.map { (source) throws(UserError) in try Self.line(AdapterSummary.read(source)) } ?? "none")
        try addHashes(of: checkpoint.files.map(\.path) + [source?.weightsPath].compactMap(\.self), to: &inspection)
        return inspection
    }

    private func tokenizerSize(_ path: String, _ config: ModelConfig) throws(UserError) -> String {
        Figures.count(try TextProcessor.tokenizer(folder: path, config: config).vocabularySize, "id")
    }

    /// A safetensors file, tensor by tensor.
    func tensors(_ path: String) throws(UserError) -> Inspection {
        let file = try SafetensorsFile(path: path)
        var inspection = Inspection(path, "a safetensors file")
        let elements = file.entries.reduce(0) { $0 + $1.shape.reduce(1, *) }
        inspection.add("tensors", Figures.count(file.entries.count))
        inspection.add("elements", file.entries.isEmpty ? "0" : "\(Figures.count(elements)), \(Self.types(file.entries))")
        inspection.add("size", Figures.bytes(file.file.bytes.count))
        for key in file.metadata.keys.sorted(by: { ExactString($0) < ExactString($1) }) {
            inspection.add("metadata \(quoted(key))", quoted(file.metadata[key]!))
        }
        var table = TextTable([.left, .left, .left])
        table.add(["tensor", "type", "shape"])
        for entry in file.entries {
            table.add([entry.name, entry.dtype.rawValue, "[\(entry.shape.map(String.init).joined(separator: ", "))]"])
        }
        inspection.add("In the order of the file", table)
        try addHashes(of: [path], to: &inspection)
        return inspection
    }

    /// The element types of tensors in words: `BF16`, or `BF16 in 80 tensors, F32 in 2`.
    static func types(_ entries: [SafetensorsFile.Entry]) -> String {
        let counts = Dictionary(grouping: entries, by: \.dtype).mapValues(\.count)
        let types = SafetensorsDType.allCases.filter { counts[$0] != nil }
        return types.count == 1 ? types[0].rawValue : types.map { "\($0.rawValue) in \(counts[$0]!) tensors" }.joined(separator: ", ")
    }
}
