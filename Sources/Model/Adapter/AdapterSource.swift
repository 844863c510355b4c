// Where an adapter lies on disk. What users name is a folder: of the published model's adapters, of a run or a model with `adapters`
// in it, of a checkpoint, or of a plain PEFT adapter; all hold the same two files.

import Files
import Foundation

/// A folder with the two files of an adapter.
package struct AdapterSource: Sendable, Equatable {
    package static let configName = "adapter_config.json"
    package static let weightsName = "adapter_model.safetensors"

    package let folder: String
    package var configPath: String { folder + "/" + Self.configName }
    package var weightsPath: String { folder + "/" + Self.weightsName }
    /// There only where the backbone brings no projector and one was trained with.
    package var projectorPath: String { folder + "/" + ProjectorFile.name }

    private init(folder: String) { self.folder = folder }

    /// Resolves what a user named: a folder with an adapter, or a run's or model's folder with `adapters` in it.
    /// - Throws: `UserError` `.missing`, naming what there is instead
    package static func find(_ path: String) throws(UserError) -> AdapterSource {
        guard FileManager.default.fileExists(atPath: path) else {
            throw UserError(
                .missing, path, "no such folder; name a run, one of its checkpoints, peft/<task>, or a folder with \(configName)")
        }
        for folder in [path, path + "/adapters"] {
            if let source = try inside(folder) { return source }
        }
        throw UserError(.missing, path, "holds no \(weightsName)\(hint(for: path))")
    }

    /// The adapters that come with a model, if there are any.
    /// - Throws: `UserError` `.missing` when only one of their two files is there
    package static func ofModel(_ folder: String) throws(UserError) -> AdapterSource? { try inside(folder + "/adapters") }

    private static func inside(_ folder: String) throws(UserError) -> AdapterSource? {
        let source = AdapterSource(folder: folder)
        let paths = [source.configPath, source.weightsPath]
        let absent = paths.filter { !FileManager.default.fileExists(atPath: $0) }
        guard absent.count < paths.count else { return nil }
        if let path = absent.first { throw UserError(.missing, path, "no such file, though the other half of the adapter is there") }
        return source
    }

    /// What to name instead.
    private static func hint(for path: String) -> String {
        func names(_ folder: String) -> [String] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)/\(weightsName)") }
        }
        if path.hasSuffix(".safetensors") { return "; name the folder that holds it" }
        if FileManager.default.fileExists(atPath: path + "/adapter_model.bin") {
            return "; adapter_model.bin may run code when it is read and is not: save the adapter again with safetensors"
        }
        let checkpoints = names(path + "/checkpoints").sorted { $0.compare($1, options: .numeric) == .orderedAscending }
        if let newest = checkpoints.last { return "; this run is unfinished, its newest checkpoint is \(path)/checkpoints/\(newest)" }
        if let task = names(path + "/peft").min() { return "; its adapters lie one by one in \(path)/peft, such as \(path)/peft/\(task)" }
        if let task = names(path).min() { return "; name one of the folders in it, such as \(path)/\(task)" }
        return "; name a run, one of its checkpoints, peft/<task>, or a folder with \(configName)"
    }
}
