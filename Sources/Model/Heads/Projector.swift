// The frozen linear of the multi-vector head.

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
}
