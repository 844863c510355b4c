// RMSNorm against its formula, its gradient, and bits that do not depend on the number of threads.

import Support
import Tensor
import Testing

@Suite struct RMSNormTests {
    private let epsilon = 1e-6

    @Test(arguments: [1, 15, 16, 17, 64, 100, 256, 2048])
    func reference(hidden: Int) {
        let (x, weight) = (Samples(seed: 1).tensor(37, hidden, scale: 3), Samples(seed: 2).tensor(1, hidden))
        let expected = Reference.rmsNorm(Matrix(x), weight: weight.asDoubles, epsilon: epsilon)
        let unit = Reference.rmsNorm(Matrix(x), weight: [Double](repeating: 1, count: hidden), epsilon: epsilon)
        for (element, tolerance) in [(Tensor.Element.float32, Tolerance.float32Elementwise), (.bfloat16, .bfloat16)] {
            let (y, kept) = rmsNorm(x, weight: weight.values, epsilon: Float(epsilon), as: element)
            #expect(y.element == element)
            expectClose(y.asFloats, expected.values, "rmsNorm as \(element)", shape: y.shape, tolerance)
            expectClose(kept.unit.asFloats, unit.values, "unit as \(element)", shape: y.shape, tolerance)
            expectSameBits(rescaled(kept, weight: weight.values).asFloats, y.asFloats, "rescaled as \(element)", shape: y.shape)
        }
    }

    @Test(arguments: [16, 37, 96])
    func gradient(hidden: Int) {
        let (x, weight) = (Samples(seed: 3).tensor(5, hidden), Samples(seed: 4).tensor(1, hidden))
        let dY = Samples(seed: 5).tensor(5, hidden)
        var dX = Samples(seed: 6).tensor(5, hidden)
        let before = dX.values
        let kept = rmsNorm(x, weight: weight.values, epsilon: Float(epsilon), as: .float32).kept
        rmsNormBackward(dY, kept, weight: weight.values, addingTo: &dX)
        let gradient = zip(dX.values, before).map { $0 - $1 }
        expectGradient(
            gradient,
            of: {
                let y = Reference.rmsNorm(Matrix(5, hidden, $0), weight: weight.asDoubles, epsilon: epsilon)
                return Reference.dot(y.values, dY.asDoubles)
            }, at: x.asDoubles, "rmsNorm, hidden \(hidden)")
    }

    @Test func bfloat16GradientIsNear() {
        let (x, weight, dY) = (Samples(seed: 7).tensor(9, 80), Samples(seed: 8).tensor(1, 80), Samples(seed: 9).tensor(9, 80))
        func gradient(_ element: Tensor.Element) -> Tensor {
            var dX = Tensor.zeros(9, 80)
            rmsNormBackward(dY, rmsNorm(x, weight: weight.values, epsilon: 1e-6, as: element).kept, weight: weight.values, addingTo: &dX)
            return dX
        }
        expectClose(gradient(.bfloat16).values, gradient(.float32).asDoubles, "dX", shape: [9, 80], .bfloat16)
    }

    @Test(arguments: [2, 3])
    func threadsDoNotMatter(threads: Int) {
        let (x, weight) = (Samples(seed: 10).tensor(300, 100), Samples(seed: 11).tensor(1, 100).values)
        func run() -> (y: [Float], dX: [Float]) {
            let (y, kept) = rmsNorm(x, weight: weight, epsilon: 1e-6, as: .float32)
            var dX = Tensor.zeros(300, 100)
            rmsNormBackward(y, kept, weight: weight, addingTo: &dX)
            return (y.values, dX.values)
        }
        let (one, several) = (withThreads(1, run), withThreads(threads, run))
        expectSameBits(several.y, one.y, "y", shape: x.shape)
        expectSameBits(several.dX, one.dX, "dX", shape: x.shape)
    }

    @Test func notFinite() {
        let x = Samples(seed: 12).tensor(3, 32)
        x[40 / x.columns, 40 % x.columns] = .nan
        let y = rmsNorm(x, weight: [Float](repeating: 1, count: 32), epsilon: 1e-6, as: .bfloat16).y.asFloats
        #expect(y[32..<64].allSatisfy { $0.isNaN } && !y[..<32].contains { $0.isNaN } && !y[64...].contains { $0.isNaN })
    }
}
