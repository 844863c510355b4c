// The norm that completes the residual stream: the same numbers as the norm of a training pass.

import Support
import Tensor
import Testing

@Suite struct ResidualNormTests {
    @Test(arguments: [16, 100, 1280], [Tensor.Element.float32, .bfloat16])
    func addsTheBiasAndNormalises(hidden: Int, element: Tensor.Element) {
        var x = Samples(seed: 1).tensor(36, hidden, scale: 3)
        let bias = Samples(seed: 2).tensor(1, hidden).values
        let weight = Samples(seed: 3).tensor(1, hidden).values
        let sum = converted(x, bias: bias, to: .float32)
        let expected = rmsNorm(sum, weight: weight, epsilon: 1e-6, as: element).y
        let y = withThreads(2) { rmsNorm(addingTo: &x, bias: bias, weight: weight, epsilon: 1e-6, together: 4, as: element) }
        #expect(y.shape == [9, 4 * hidden] && y.element == element)
        expectSameBits(y.asFloats, expected.asFloats, "norm", shape: y.shape)
        expectSameBits(x.values, sum.values, "stream", shape: x.shape)
        let again = rmsNorm(addingTo: &x, bias: nil, weight: weight, epsilon: 1e-6, as: element)
        expectSameBits(again.asFloats, expected.asFloats, "norm without bias", shape: again.shape)
    }
}
