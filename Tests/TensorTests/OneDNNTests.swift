// Which of oneDNN's kernels serves a product: the fast ones are named brg. Others are up to twice slower.

import Support
import Tensor
import Testing

@Suite(.enabled(if: OneDNN.isAvailable, "oneDNN has no bfloat16 products on this processor")) struct OneDNNTests {
    @Test(arguments: [ProductShapes.small[0], .large, .smallTower, .largeTower], [64, 300, 1024])
    func everyHotProductIsServedByAFastKernel(shapes: ProductShapes, rows: Int) {
        for (out, width) in shapes.weights {
            for (accumulate, transposed) in [(false, false), (false, true), (true, false), (true, true)] {
                for element in [Tensor.Element.float32, .bfloat16] {
                    let shape = OneDNN.Shape(
                        rows: rows, columns: transposed ? out : width, depth: transposed ? width : out, transposed: transposed,
                        accumulate: accumulate, element: element)
                    let name = OneDNN.implementation(of: shape)
                    #expect(name.hasPrefix("brg"), "\(shape): \(name)")
                }
            }
        }
    }
}
