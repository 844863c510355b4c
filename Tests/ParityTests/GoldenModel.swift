// The golden values of one tiny model, as Tests/Golden/text/make.py wrote them: what PyTorch, transformers and PEFT compute.

import Foundation
import Model
import Support
import Tensor
import Testing

/// A golden folder: backbone, adapter, and everything that the reference computed with them.
struct GoldenModel: CustomTestStringConvertible, Sendable {
    static let all = ["flat-bf16", "nested-f32"].map(GoldenModel.init)

    let name: String
    var testDescription: String { name }

    var folder: String { PackagePath.golden("text/\(name)") }
    var modelFolder: String { "\(folder)/model" }

    func facts() throws -> JSONValue { try JSONValue.parse(file: "\(folder)/golden.json") }

    /// The numbers of a list in golden.json, such as "batch", "anchors".
    func integers(_ keys: String...) throws -> [Int] {
        let value = try keys.reduce(facts()) { $0[$1] ?? .null }
        return (value.arrayValue ?? []).map { Int($0.integerValue!) }
    }

    func doubles(_ keys: String...) throws -> [Double] {
        let value = try keys.reduce(facts()) { $0[$1] ?? .null }
        return (value.arrayValue ?? [value]).map { $0.numberValue! }
    }

    /// A float32 tensor of golden.safetensors.
    func tensor(_ name: String) throws -> [Float] { try Self.floats(SafetensorsFile(path: "\(folder)/golden.safetensors"), name) }

    func int32s(_ name: String) throws -> [Int32] {
        let file = try SafetensorsFile(path: "\(folder)/golden.safetensors")
        let bytes = file.bytes(of: try #require(file[name]))
        return (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self) }
    }

    /// Token ids of every segment.
    func segments() throws -> [[Int32]] {
        let (tokens, offsets) = (try int32s("tokens"), try int32s("offsets").map(Int.init))
        return zip(offsets, offsets.dropFirst()).map { Array(tokens[$0..<$1]) }
    }

    func checkpoint() throws -> Checkpoint { try Checkpoint.read(folder: modelFolder) }

    func layout(_ config: ModelConfig) throws -> AdapterLayout {
        AdapterLayout(config, rank: Int(try doubles("r")[0]), alpha: try doubles("alpha")[0]) { _ in true }
    }

    /// The golden adapter, `prefix` before each published name ("" for the adapter itself, "gradient." and so on).
    func adapter(_ layout: AdapterLayout, _ prefix: String = "") throws -> Adapter {
        let path = prefix.isEmpty ? "\(folder)/published/adapter_model.safetensors" : "\(folder)/golden.safetensors"
        let file = try SafetensorsFile(path: path)
        var values = [Float](repeating: 0, count: layout.count)
        for factor in layout.factors {
            let name = "\(prefix)base_model.model.\(factor.pair.module).\(factor.part.rawValue).retrieval.weight"
            guard file[name] != nil || prefix.isEmpty else { continue }
            values.replaceSubrange(factor.range, with: try Self.floats(file, name))
        }
        return Adapter(task: "retrieval", layout: layout, values: values)
    }

    private static func floats(_ file: SafetensorsFile, _ name: String) throws -> [Float] {
        let entry = try #require(file[name], "no tensor \(name)")
        let bytes = file.bytes(of: entry)
        return (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
}
