// Rows of unit length, and the way back.

import Support
import Tensor
import Testing

@Suite struct UnitRowsTests {
    @Test(arguments: [8, 37, 128])
    func referenceAndGradient(width: Int) {
        let (x, bias) = (Samples(seed: 1).tensor(100, width), Samples(seed: 2).gaussian(width).map { Float($0) })
        func reference(_ x: [Double]) -> Matrix {
            var y = Matrix(100, width, x)
            for row in 0..<y.rows {
                for i in 0..<width { y[row, i] += Double(bias[i]) }
                let norm = (0..<width).reduce(0) { $0 + y[row, $1] * y[row, $1] }.squareRoot()
                for i in 0..<width { y[row, i] /= norm }
            }
            return y
        }
        let rows = unitRows(x, bias: bias)
        expectClose(rows.unit.values, reference(x.asDoubles).values, "unit rows", shape: x.shape, .float32Elementwise)

        let dUnit = Samples(seed: 3).tensor(100, width)
        let dX = unitRowsBackward(dUnit, rows, as: .float32)
        expectGradient(
            dX.values, of: { Reference.dot(reference($0).values, dUnit.asDoubles) }, at: x.asDoubles, "unit rows, width \(width)")
        let rounded = dX.values.map { BFloat16(rounding: $0).float }
        expectSameBits(unitRowsBackward(dUnit, rows, as: .bfloat16).asFloats, rounded, "rounded once", shape: x.shape)
    }

    @Test func zerosStayZero() {
        #expect(unitRows(.zeros(4, 20), bias: [Float](repeating: 0, count: 20)).unit.values.allSatisfy { $0 == 0 })
    }
}
