// The frozen linear of the multi-vector head: the backbone's own, or a random one that is saved with the adapter.

import Files
import Tensor

/// `multi_vector_projector`: from a token's state to its late vector, before the adapter's part.
package struct Projector: Sendable {
    /// [projectorDimension, hidden]
    package let weight: WeightMatrix
    /// [projectorDimension]
    package let bias: [Float]

    static let weightName = "multi_vector_projector.weight"
    static let biasName = "multi_vector_projector.bias"

    package init(weight: WeightMatrix, bias: [Float]) {
        precondition(weight.rows == bias.count, "projector: weight [\(weight.rows), \(weight.columns)], bias [\(bias.count)]")
        self.weight = weight
        self.bias = bias
    }

    /// SHA-256 of all values.
    package var fingerprint: [UInt8] { SHA256.hash(of: (weight.widened() + bias).span.bytes) }

    /// - Throws: `UserError` `.content` when one of the two tensors is absent or has another shape
    init(_ tensors: inout TensorTable, _ config: ModelConfig) throws(UserError) {
        self.init(
            weight: try tensors.matrix(Self.weightName, rows: config.projectorDimension, columns: config.text.hiddenSize),
            bias: try tensors.vector(Self.biasName, count: config.projectorDimension))
    }

    /// A random projector for a backbone that has none: weight and bias uniform within ±1/√hidden, as torch begins a linear. Every
    /// value is a function of the seed and the name of its tensor.
    package init(_ config: ModelConfig, seed: UInt64) {
        let (rows, columns) = (config.projectorDimension, config.text.hiddenSize)
        func uniform(_ name: String, _ count: Int) -> [Float] {
            let stream = RandomStream(seed).stream("projector").stream(name)
            return (0..<count).map { Float((2 * stream.uniform(at: $0) - 1) / Double(columns).squareRoot()) }
        }
        let weight = Tensor(uniform(Self.weightName, rows * columns), rows: rows, columns: columns)
        self.init(weight: WeightMatrix(weight), bias: uniform(Self.biasName, rows))
    }
}
