// Rows into an order and back.

import Support
import Tensor
import Testing

@Suite struct RowOrderTests {
    @Test(arguments: [Tensor.Element.float32, .bfloat16])
    func groupsOfSeveralMatrices(element: Tensor.Element) {
        let sources = [Samples(seed: 1).tensor(4, 21), Samples(seed: 2).tensor(2, 21)]
        let y = gatheredRows(sources, order: [2, 0, 1], group: 2, as: element)
        let expected = converted(sources[1], to: element).asFloats + converted(sources[0], to: element).asFloats
        expectSameBits(y.asFloats, expected, "groups", shape: y.shape)
    }

    @Test(arguments: [Tensor.Element.float32, .bfloat16])
    func scatteringIsTheWayBack(element: Tensor.Element) {
        let (x, bias) = (Samples(seed: 3).tensor(70, 21), Samples(seed: 4).tensor(1, 21).values)
        let order = Array((0..<70).reversed())
        let gathered = gatheredRows([x], order: order, group: 1, as: .float32)
        let y = scatteredRows(gathered, bias: bias, order: order, as: element)
        expectSameBits(y.asFloats, converted(x, bias: bias, to: element).asFloats, "rows", shape: y.shape)
    }
}
