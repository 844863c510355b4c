// Which backbone a command runs on: one that is there, or one made for it.

import ArgumentParser
import Files
import Foundation
import Synthetic

struct CheckpointOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A checkpoint to run on. Default: one with random weights is made.", valueName: "folder"),
        completion: .directory)
    var model: String?

    @Option(help: ArgumentHelp("Decoder layers of the checkpoint that is made, in the shapes of jina-embeddings-v4.", valueName: "count"))
    var layers: Int?

    @Option(help: ArgumentHelp("Where made files lie.", valueName: "folder"), completion: .directory)
    var folder = ".build/benchmark"

    @Option(help: ArgumentHelp("The folder whose tokenizer and vision tower the checkpoint takes over.", valueName: "folder"))
    var template = "examples/jina-tiny"

    func validate() throws {
        if model != nil && layers != nil { throw ValidationError("--model has its own number of layers; leave out --layers") }
        if let layers, !(1...1024).contains(layers) { throw ValidationError("--layers is \(layers); it must be 1 to 1024") }
    }

    /// The folder of the checkpoint, which is made where there is none.
    func checkpoint(usualLayers: Int) throws(UserError) -> String {
        if let model { return model }
        return try made(.jinaV4(layers: layers ?? usualLayers))
    }

    func made(_ shape: SyntheticShape) throws(UserError) -> String {
        let path = folder + "/" + shape.name
        try SyntheticCheckpoint.make(shape, template: template, in: path)
        return path
    }

    /// A file of pairs for the tokenizer of a checkpoint.
    func pairs(_ count: Int, _ lengths: SyntheticPairs.Lengths, checkpoint: String) throws(UserError) -> String {
        let kind = if case .equal(let tokens) = lengths { "equal-\(tokens)" } else { "log-normal" }
        let path = "\(folder)/pairs-\(count)-\(kind).jsonl"
        try createFolder()
        try SyntheticPairs.write(rows: count, lengths, tokenizer: checkpoint + "/tokenizer.json", to: path)
        return path
    }

    func createFolder() throws(UserError) {
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            throw UserError(.output, folder, "cannot be created: \(error.localizedDescription); name another --folder")
        }
    }
}
