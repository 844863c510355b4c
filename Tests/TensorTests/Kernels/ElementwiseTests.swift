// Passes that scale, cut and join the low-rank parts of adapters.

import Support
import Tensor
import Testing

@Suite struct ElementwiseTests {
    private let rows = 333
    private let width = 21

    private func expected(_ value: Float, _ element: Tensor.Element) -> Float {
        element == .float32 ? value * 0.3 : BFloat16(rounding: value * 0.3).float
    }

    @Test(arguments: [Tensor.Element.float32, .bfloat16])
    func blocksAreScaledColumns(element: Tensor.Element) {
        let x = Samples(seed: 3).tensor(rows, 3 * width)
        let (source, blocks) = (x.values, scaledBlocks(x, count: 3, by: 0.3, to: element))
        for (block, tensor) in blocks.enumerated() {
            let values = (0..<rows).flatMap { row in
                (0..<width).map { expected(source[row * 3 * width + block * width + $0], element) }
            }
            expectSameBits(tensor.asFloats, values, "block \(block)", shape: [rows, width])
        }
    }

    @Test(arguments: [Tensor.Element.float32, .bfloat16])
    func sideBySideIsTheWayBack(element: Tensor.Element) {
        let x = Samples(seed: 4).tensor(rows, 3 * width)
        let joined = scaledSideBySide(scaledBlocks(x, count: 3, by: 1, to: .float32), by: 0.3, to: element)
        expectSameBits(joined.asFloats, x.values.map { expected($0, element) }, "joined", shape: x.shape)
    }

    @Test(arguments: [Float(0.3), 1, 0]) func inPlaceEveryValueIsScaled(factor: Float) {
        let x = Samples(seed: 5).tensor(rows, width)
        let source = x.values
        x.multiply(by: factor)
        expectSameBits(x.values, source.map { $0 * factor }, "scaled", shape: x.shape)
    }
}
