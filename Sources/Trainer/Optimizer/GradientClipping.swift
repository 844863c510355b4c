// The global norm of a gradient and its limit.

import Tensor

/// L2 norm, summed in Double in an order that does not depend on the number of threads.
package func norm(of gradient: [Float]) -> Double { squareSum(gradient).squareRoot() }

/// Scales `gradient` so that its norm is at most `limit`: by min(1, limit / (norm + 1e-6)), as torch does.
package func clip(_ gradient: inout [Float], norm: Double, limit: Double) {
    multiply(&gradient, by: Float(min(1, limit / (norm + 1e-6))))
}
