// The golden values of the training objectives, as Tests/Golden/objectives wrote them with PyTorch: value and gradient of every
// loss setting, on embeddings alone and through the tiny models. Formulas and names of tensors: Tests/Golden/README.md.

import Files
import Model
import Support
import Testing

@testable import Data

/// One objective on one batch. `@Test(arguments: try GoldenObjective.all(.embeddings))` runs a test on every case.
struct GoldenObjective: CustomTestStringConvertible, Sendable {
    /// What the objective is computed from.
    enum Layer: String, CaseIterable, Sendable {
        /// Given vectors; arithmetic in float64, gradients by vector.
        case embeddings
        /// Token ids through the golden model of this name; float32, gradients by adapter factor.
        case flatBFloat16 = "flat-bf16"
        case nestedFloat32 = "nested-f32"
        /// Token ids and patches through the golden model of this name and its tower; float32, gradients by adapter factor.
        case pictures2 = "merge-2"
        case pictures3 = "merge-3"

        static let models: [Layer] = [.flatBFloat16, .nestedFloat32]

        var model: GoldenModel? { self == .embeddings ? nil : GoldenModel(subject: hasImages ? "vision" : "text", name: rawValue) }

        var hasImages: Bool { self == .pictures2 || self == .pictures3 }
    }

    let layer: Layer
    let name: String
    let batch: GoldenBatch
    /// The settings that differ from the defaults, by their names in the configuration file.
    let given: JSONObject
    private let defaults: JSONObject
    /// Columns left out of each row for equal contents, and those that `loss.negative_margin` adds. Ascending.   [rows][...]
    let masked: [[Int]]
    let marginMasked: [[Int]]
    let value: Double
    /// What is weighted and added: `dense`, `distill_dense` and `kl` one number a width, `late` and `distill_late` one.
    let terms: [String: [Double]]

    var testDescription: String { "\(layer.rawValue)/\(name)" }

    /// Whether late vectors have a part.
    var usesLate: Bool { terms["late"] != nil }

    static func all(_ layers: Layer...) throws -> [GoldenObjective] {
        try layers.flatMap { layer in
            let file = try JSONValue.parse(file: PackagePath.golden("objectives/\(layer.rawValue).json"))
            let defaults = try #require(file["defaults"]?.objectValue)
            return try #require(file["cases"]?.arrayValue).map { facts in
                let name = try #require(facts["rows"]?.stringValue)
                let batch = try GoldenBatch(layer, name, #require(file["rows"]?[name]))
                return try GoldenObjective(layer, batch, defaults, facts)
            }
        }
    }

    private init(_ layer: Layer, _ batch: GoldenBatch, _ defaults: JSONObject, _ facts: JSONValue) throws {
        (self.layer, self.batch, self.defaults) = (layer, batch, defaults)
        name = try #require(facts["name"]?.stringValue)
        given = try #require(facts["settings"]?.objectValue)
        func columns(_ key: String) throws -> [[Int]] {
            let pairs = try #require(facts[key]?.arrayValue).map { try $0.integers() }
            return batch.anchors.indices.map { row in pairs.filter { $0[0] == row }.map { $0[1] } }
        }
        (masked, marginMasked) = try (columns("masked"), columns("margin_masked"))
        value = try #require(facts["value"]?.numberValue)
        let entries = try #require(facts["terms"]?.objectValue).entries
        terms = try Dictionary(uniqueKeysWithValues: entries.map { ($0.key, try $0.value.numbers()) })
    }

    /// A setting or its default.
    /// - Parameter key: such as `loss.temperature`
    func setting(_ key: String) throws -> JSONValue { try #require(given[key] ?? defaults[key], "no setting \(key)") }

    func number(_ key: String) throws -> Double { try #require(try setting(key).numberValue, "\(key) is no number") }

    /// d value / d dense vectors [inputs, width] and d value / d late vectors [tokens, late width], zero where these have no part.
    /// Of layer `embeddings`.
    func gradient() throws -> (dense: [Float], late: [Float]) {
        let (file, vectors) = try (batch.tensors(), batch.vectors())
        let late = usesLate ? try file.floats("\(name).gradient.late") : [Float](repeating: 0, count: vectors.late.count)
        return (try file.floats("\(name).gradient.dense"), late)
    }

    /// Whether each row is compared with the whole pool.
    var contrasts: Bool {
        get throws { try batch.scores == nil && ["infonce", "late", "joint"].contains(setting("loss.name").stringValue) }
    }

    /// d value / d adapter, zero where the objective does not reach. Of a layer with a model.   [layout.count]
    func gradient(_ layout: AdapterLayout) throws -> [Float] {
        try batch.tensors().factors(of: layout, "\(name).gradient.")
    }
}

/// Rows as numbers of inputs. Equal numbers are equal contents, different numbers different ones.
struct GoldenBatch: Sendable {
    let layer: GoldenObjective.Layer
    let name: String
    let anchors: [Int]
    let positives: [Int]
    /// [rows][...]
    let negatives: [[Int]]
    /// Of graded rows.
    let scores: [Double]?
    /// A teacher's scores of each row's positive, then of its negatives; empty for a row without.   [rows][...]
    let teacher: [[Double]]

    /// Positives in row order, then negatives in row order.
    var columns: [Int] { positives + negatives.joined() }

    init(_ layer: GoldenObjective.Layer, _ name: String, _ facts: JSONValue) throws {
        (self.layer, self.name) = (layer, name)
        anchors = try #require(facts["anchors"]).integers()
        positives = try #require(facts["positives"]).integers()
        negatives = try #require(facts["negatives"]?.arrayValue).map { try $0.integers() }
        scores = try facts["scores"]?.numbers()
        teacher = try facts["teacher"]?.arrayValue?.map { try $0.numbers() } ?? anchors.map { _ in [] }
    }

    func tensors() throws -> GoldenTensors { try GoldenTensors("objectives/\(layer.rawValue)") }

    /// Unit vectors of all inputs, those without a role included.
    func vectors() throws -> GoldenVectors {
        let file = try tensors()
        return GoldenVectors(
            dense: try file.floats("\(name).dense"), late: try file.floats("\(name).late"), offsets: try file.integers("\(name).offsets"))
    }

    /// Token ids of all inputs. Of a layer with a model.
    func segments() throws -> [[Int32]] {
        let file = try tensors()
        let (tokens, offsets) = try (file.values("\(name).tokens", as: Int32.self), file.integers("\(name).offsets"))
        return zip(offsets, offsets.dropFirst()).map { Array(tokens[$0..<$1]) }
    }

    /// The images of all inputs, by their number. Of a layer with images.   [inputs][...]
    func images() throws -> [[Int]] {
        let file = try tensors()
        let (images, offsets) = try (file.integers("\(name).images"), file.integers("\(name).image_offsets"))
        return zip(offsets, offsets.dropFirst()).map { Array(images[$0..<$1]) }
    }

    /// The rows as a plan takes them, to be planned with one prompt for both sides: `input(of:)` finds an input's number again.
    func summaries() throws -> [RowSummary] {
        let offsets = try tensors().integers("\(name).offsets")
        func summary(_ input: Int) -> InputSummary {
            InputSummary(content: ContentHash(of: Array("input \(input)".utf8)), tokens: Int32(offsets[input + 1] - offsets[input]))
        }
        return anchors.indices.map { row in
            RowSummary(
                file: 0, row: row, task: 0, anchor: summary(anchors[row]), positive: summary(positives[row]),
                negatives: negatives[row].map(summary), negativePlaces: Array(negatives[row].indices),
                score: scores.map { Float($0[row]) }, teacherScores: teacher[row].map { Float($0) })
        }
    }

    /// The number of a planned input.
    func input(of planned: PlannedInput) -> Int {
        switch planned.text {
        case .anchor: anchors[planned.row]
        case .positive: positives[planned.row]
        case .negative(let place): negatives[planned.row][place]
        }
    }
}

/// Vectors of a batch's inputs: dense [inputs, width]; late [tokens, late width], of input k those from `offsets[k]` on.
struct GoldenVectors {
    let dense: [Float]
    let late: [Float]
    let offsets: [Int]

    var inputs: Int { offsets.count - 1 }
    var width: Int { dense.count / inputs }
    var lateWidth: Int { late.count / offsets[inputs] }

    func dense(_ input: Int) -> ArraySlice<Float> { dense[input * width..<(input + 1) * width] }

    /// [tokens, late width]
    func late(_ input: Int) -> ArraySlice<Float> { late[offsets[input] * lateWidth..<offsets[input + 1] * lateWidth] }
}

extension JSONValue {
    fileprivate func integers() throws -> [Int] { try #require(arrayValue).map { Int(try #require($0.integerValue)) } }

    fileprivate func numbers() throws -> [Double] { try #require(arrayValue).map { try #require($0.numberValue) } }
}
