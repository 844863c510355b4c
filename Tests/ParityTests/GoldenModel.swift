// The golden values of one tiny model, as a script of Tests/Golden wrote them: what PyTorch, transformers and PEFT compute.

import Files
import Foundation
import Model
import Support
import Testing

/// A golden folder: backbone, adapter, and everything that the reference computed with them.
struct GoldenModel: CustomTestStringConvertible, Sendable {
    static let all = ["flat-bf16", "nested-f32"].map { GoldenModel(subject: "text", name: $0) }

    /// The folder of Tests/Golden.
    let subject: String
    let name: String
    var testDescription: String { name }

    var folder: String { PackagePath.golden("\(subject)/\(name)") }
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
    func tensor(_ name: String) throws -> [Float] { try GoldenTensors("\(subject)/\(self.name)/golden").floats(name) }

    /// Token ids of every segment.
    func segments() throws -> [[Int32]] {
        let golden = try GoldenTensors("\(subject)/\(name)/golden")
        let (tokens, offsets) = try (golden.values("tokens", as: Int32.self), golden.integers("offsets"))
        return zip(offsets, offsets.dropFirst()).map { Array(tokens[$0..<$1]) }
    }

    func checkpoint() throws -> Checkpoint { try Checkpoint.read(folder: modelFolder) }

    func layout(_ config: ModelConfig) throws -> AdapterLayout {
        AdapterLayout(config, rank: Int(try doubles("r")[0]), alpha: try doubles("alpha")[0]) { _ in true }
    }

    /// The golden adapter, `prefix` before each published name ("" for the adapter itself, "gradient." and so on).
    func adapter(_ layout: AdapterLayout, _ prefix: String = "") throws -> Adapter {
        let file = try GoldenTensors("\(subject)/\(name)/\(prefix.isEmpty ? "published/adapter_model" : "golden")")
        return Adapter(task: "retrieval", layout: layout, values: try file.factors(of: layout, prefix))
    }
}

extension GoldenTensors {
    /// The retrieval task's factors in the order of `layout`, `prefix` before each published name. Where a gradient or a trained
    /// adapter has no tensor, zeros.                               [layout.count]
    func factors(of layout: AdapterLayout, _ prefix: String) throws -> [Float] {
        var values = [Float](repeating: 0, count: layout.count)
        for factor in layout.factors {
            let name = "\(prefix)base_model.model.\(factor.pair.module).\(factor.part.rawValue).retrieval.weight"
            guard contains(name) || prefix.isEmpty else { continue }
            values.replaceSubrange(factor.range, with: try floats(name))
        }
        return values
    }
}
