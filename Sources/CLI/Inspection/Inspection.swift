// `shoal inspect`: says what lies at a path, by what is found there. One file beside this one for each family of things:
// models and tensors, adapters and runs, data.

import Comm
import Data
import Files
import Foundation
import Model
import Tensor
import Trainer

/// The answer of `shoal inspect`: what a file or folder holds.
///
///     print(try Inspector(modelFolder: nil, verifies: true).inspect("outputs/run").text)
package struct Inspection: Sendable {
    private let path: String
    private let kind: String
    private var facts = TextTable([.left, .left])
    private var sections: [(title: String, text: String)] = []
    /// What is wrong with the thing all the same; the command ends with it after the answer. nil: nothing.
    var fault: UserError?

    init(_ path: String, _ kind: String) {
        self.path = path
        self.kind = kind
    }

    mutating func add(_ name: String, _ value: String) { facts.add(["  " + name, value]) }

    mutating func add(_ title: String, _ table: TextTable) { add(section: title, table.text) }

    /// Adds a section.
    /// - Parameter text: whole lines
    mutating func add(section title: String, _ text: String) { sections.append((title, text)) }

    /// The answer as text: a heading, a line for each fact, then the tables.
    package var text: String {
        var text = "\(path): \(kind)\n\(facts.text)"
        for section in sections {
            let lines = section.text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "  " + $0 }
            text += "\n\(section.title)\n\(lines.joined(separator: "\n"))"
        }
        return text
    }
}

/// Looks at files and folders.
package struct Inspector: Sendable {
    /// The model whose tokenizer measures texts, and whose shape adapters are held against; nil: texts are measured in bytes.
    let modelFolder: String?
    /// Whether every byte is read and hashed, and checkpoints are held against their manifests.
    let verifies: Bool

    /// Creates an inspector.
    package init(modelFolder: String? = nil, verifies: Bool = false) {
        self.modelFolder = modelFolder
        self.verifies = verifies
    }

    /// Says what lies at a path. Rank 0 looks; the others wait.
    ///
    /// Collective.
    /// - Returns: nil on ranks other than 0
    /// - Throws: `UserError` `.missing` when there is nothing; `.content` when it is none of what Shoal reads, or faulty
    package func inspect(_ path: String, _ world: Communicator) throws -> Inspection? {
        Threads.count = world.hosts.coresPerRank
        return try world.together { () throws(UserError) in world.rank == 0 ? try inspect(path) : nil }
    }

    /// Says what lies at a path.
    /// - Throws: `UserError` `.missing` when there is nothing; `.content` when it is none of what Shoal reads, or faulty
    func inspect(_ path: String) throws(UserError) -> Inspection {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw UserError(.missing, path, "no such file or folder; check the path")
        }
        if isFolder.boolValue { return try inspectFolder(path) }
        if path.hasSuffix(".safetensors") { return try tensors(path) }
        if RowFile.isNamed(path) { return try rows(path) }
        throw UserError(.content, path, "is none of the files that can be inspected: .safetensors, \(RowFile.endings)")
    }

    private func inspectFolder(_ path: String) throws(UserError) -> Inspection {
        func holds(_ names: String...) -> Bool { names.contains { FileManager.default.fileExists(atPath: path + "/" + $0) } }
        if holds(RunRecord.fileName) { return try run(path) }
        if holds(CheckpointManifest.fileName, CheckpointStore.stateName) { return try checkpoint(path) }
        if holds(AdapterSource.configName, AdapterSource.weightsName) { return try adapter(path) }
        if holds("corpus.jsonl", "corpus.jsonl.gz") { return try dataset(path) }
        if holds("config.json", "model.safetensors", "model.safetensors.index.json") { return try model(path) }
        throw UserError(
            .content, path, "is none of the folders that can be inspected: a model, adapters, a run, one of its checkpoints, a BEIR dataset"
        )
    }

    /// Adds the SHA-256 of files where every byte is to be read: `model.safetensors  0123...`
    func addHashes(of paths: [String], to inspection: inout Inspection) throws(UserError) {
        guard verifies else { return }
        var table = TextTable([.left, .left])
        for path in paths {
            let hash = try MappedFile(path: path).sha256()
            table.add([String(path.split(separator: "/").last ?? ""), SHA256.hex(hash)])
        }
        inspection.add("SHA-256", table)
    }
}
