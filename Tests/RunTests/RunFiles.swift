// What a run leaves in its folder, as the tests compare it.

import Files
import Foundation
import Support
import Testing

struct RunFiles {
    /// Of the run's folder.
    let path: String

    /// Numbers that every world size must agree on, to the bit.
    struct Step: Equatable {
        let step: Int
        let loss: Double
        let learningRate: Double
        let gradientNorm: Double
        let maskedPairs: Int
    }

    func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }

    /// Of the checkpoints, and of what else lies beside them.
    var checkpoints: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path + "/checkpoints")) ?? []).sorted() }

    /// Every regular file below the folder, by relative path.
    func everything() throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in FileManager.default.enumerator(atPath: path)?.compactMap({ $0 as? String }) ?? [] {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder), !isFolder.boolValue else { continue }
            files[name] = try bytes(name)
        }
        return files
    }

    /// The events of metrics.jsonl of one kind.
    func events(_ kind: String) throws -> [JSONValue] {
        try bytes("metrics.jsonl").split(separator: UInt8(ascii: "\n")).map { try JSONValue.parse(Array($0), path: "metrics.jsonl") }
            .filter { $0["event"]?.stringValue == kind }
    }

    func steps() throws -> [Step] {
        try events("step").map { event in
            Step(
                step: Int(try #require(event["step"]?.integerValue)), loss: try #require(event["loss"]?.numberValue),
                learningRate: try #require(event["learning_rate"]?.numberValue),
                gradientNorm: try #require(event["grad_norm"]?.numberValue),
                maskedPairs: Int(try #require(event["masked_pairs"]?.integerValue)))
        }
    }

    /// Returns when metrics.jsonl has the event of a step.
    func wait(forStep step: Int) throws {
        let deadline = Date().addingTimeInterval(60)
        while try !exists("metrics.jsonl") || !bytes("metrics.jsonl").contains("\"step\":\(step),\"epoch\"") {
            guard Date() < deadline else { throw JobError(description: "no step \(step) after a minute") }
            usleep(10_000)
        }
    }

    func record() throws -> JSONValue { try JSONValue.parse(file: path + "/run.json") }
}

extension Data {
    fileprivate func contains(_ text: String) -> Bool { range(of: Data(text.utf8)) != nil }
}
