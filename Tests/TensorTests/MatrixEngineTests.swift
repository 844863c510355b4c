// Every engine against Double, and the promise under all others: a row's bits do not depend on the other rows.

import Support
import Testing

@testable import Tensor

private let engines = MatrixEngines.own + MatrixEngines.libraries

@Suite struct MatrixEngineTests {
    @Test(arguments: [(64, 160), (160, 64), (224, 96), (256, 256), (300, 70), (16, 256), (256, 32), (1, 100), (40, 8), (97, 65)])
    func reference(out: Int, in width: Int) {
        let rows = 37
        for engine in engines {
            let (x, dY) = (Samples(seed: 1).tensor(rows, width, engine.element), Samples(seed: 2).tensor(rows, out, engine.element))
            let weight = engine.prepare(WeightMatrix(Samples(seed: 3).tensor(out, width)))
            let (w, y0, dX0) = (Matrix(weight), Samples(seed: 4).tensor(rows, out), Samples(seed: 5).tensor(rows, width))
            let (y, dX) = (Matrix(x) * w.transposed, Matrix(dY) * w)
            func expect(_ tensor: Tensor, _ expected: Matrix, _ name: String) {
                #expect(tensor.element == .float32)
                expectClose(
                    tensor.values, expected.values, "\(name), \(engine.testDescription), W [\(out), \(width)]", shape: tensor.shape,
                    .float32Sum)
            }
            let (sumY, sumX) = (y + Matrix(y0), dX + Matrix(dX0))
            expect(engine.forward(x, weight), y, "x·Wᵀ")
            expect(engine.backward(dY, weight), dX, "dY·W")
            expect(engine.forward(x, weight, onto: y0), sumY, "y + x·Wᵀ")
            expect(engine.backward(dY, weight, onto: dX0), sumX, "dX + dY·W")
        }
    }

    /// Where only the next product reads a result it is stored in bfloat16: rounded once, after the sum.
    @Test(arguments: MatrixEngines.own(.bfloat16), [(64, 160), (768, 256), (97, 65)])
    func resultsInBFloat16(engine: MatrixEngine, shape: (out: Int, in: Int)) {
        let (out, width) = (shape.out, shape.in)
        let x = Samples(seed: 1).tensor(37, width, .bfloat16)
        let weight = engine.prepare(WeightMatrix(Samples(seed: 3).tensor(out, width)))
        let y0 = Samples(seed: 4).tensor(37, out, .bfloat16)
        let exact = engine.forward(x, weight)
        expectSameBits(
            engine.forward(x, weight, as: .bfloat16).asFloats, exact.values.map { BFloat16(rounding: $0).float }, "x·Wᵀ rounded",
            shape: exact.shape)
        let sum = engine.forward(x, weight, onto: Tensor(y0.asFloats, rows: 37, columns: out))
        expectSameBits(
            engine.forward(x, weight, onto: y0).asFloats, sum.values.map { BFloat16(rounding: $0).float }, "y + x·Wᵀ rounded",
            shape: exact.shape)
    }

    /// Weights as they come in checkpoints; the bfloat16 engine rounds those of more bits, once.
    @Test(arguments: [(96, 64), (16, 128), (130, 200)])
    func elementTypesOfWeights(out: Int, in width: Int) {
        let exact = Samples(seed: 6).tensor(out, width)
        let halves = exact.values.map { Float16($0) }
        let half = halves.withUnsafeBytes { bytes in
            let copy = Tensor(out, width)
            copy.memory.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
            return WeightMatrix(memory: UnsafeRawPointer(copy.memory), rows: out, columns: width, element: .float16, owner: copy)
        }
        let rounded = WeightMatrix(exact).converted(to: .bfloat16)
        for engine in engines {
            let x = Samples(seed: 7).tensor(50, width, engine.element)
            for weight in [WeightMatrix(exact), half, rounded] {
                let prepared = engine.prepare(weight)
                #expect(engine.kind == .float32 || prepared.element == .bfloat16)
                let expected = Matrix(x) * Matrix(prepared).transposed
                let y = engine.forward(x, prepared)
                expectClose(y.values, expected.values, "\(engine.kind) with \(weight.element)", shape: y.shape, .float32Sum)
            }
        }
    }

    @Test func noRows() {
        for engine in engines {
            let weight = engine.prepare(WeightMatrix(Samples(seed: 8).tensor(70, 80)))
            #expect(engine.forward(Tensor(0, 80, engine.element), weight).count == 0)
        }
    }
}

/// Every product of a model: frozen weights [out, in], and the factors A [rank, in] and B [out, rank] of its adapters.
struct ProductShapes: CustomTestStringConvertible, Sendable {
    let name: String
    let weights: [(out: Int, in: Int)]

    /// Of a vision tower, which is multiplied forward only.
    init(_ name: String, patch: Int, hidden: Int, intermediate: Int, merged: Int, out: Int) {
        self.name = name
        weights = [
            (hidden, patch), (3 * hidden, hidden), (hidden, hidden), (intermediate, hidden), (hidden, intermediate), (merged, merged),
            (out, merged),
        ]
    }

    init(_ name: String, hidden: Int, keyValue: Int, intermediate: Int, projector: Int = 128, ranks: [Int]) {
        self.name = name
        let linears = [(hidden, hidden), (keyValue, hidden), (intermediate, hidden), (hidden, intermediate)]
        let factors = ranks.flatMap { rank in
            Set(linears.map(\.1)).map { (rank, $0) } + Set(linears.map(\.0)).map { ($0, rank) } + [(projector, rank)]
        }
        weights = linears + [(projector, hidden)] + factors
    }

    var testDescription: String { name }

    static let small = [
        ProductShapes("jina-tiny", hidden: 256, keyValue: 128, intermediate: 768, ranks: [16, 32]),
        ProductShapes("golden, hidden 64", hidden: 64, keyValue: 32, intermediate: 160, projector: 16, ranks: [1, 4, 8]),
        ProductShapes("golden, hidden 96", hidden: 96, keyValue: 48, intermediate: 224, projector: 32, ranks: [4, 16, 40]),
    ]
    static let large = ProductShapes("3B", hidden: 2048, keyValue: 256, intermediate: 11008, ranks: [32])
    static let smallTower = ProductShapes("tower of jina-tiny", patch: 1176, hidden: 128, intermediate: 344, merged: 512, out: 256)
    static let largeTower = ProductShapes("tower of 3B", patch: 1176, hidden: 1280, intermediate: 3420, merged: 5120, out: 2048)
}

/// Of our own kernels, which keep the promise by construction, under every instruction set of this processor.
@Suite struct RowIndependenceTests {
    @Test(arguments: ProductShapes.small)
    func everyProductOfASmallModel(shapes: ProductShapes) {
        for (out, width) in shapes.weights { check(out, width, counts: [1, 2, 7, 31, 64, 127, 128, 129], of: 257) }
    }

    @Test func aWholeMicrobatch() {
        for (out, width) in ProductShapes.small[0].weights { check(out, width, counts: [3, 600], of: 1100) }
    }

    @Test func everyProductOfTheLargeModel() {
        for (out, width) in ProductShapes.large.weights { check(out, width, counts: [1, 31, 200], of: 257) }
    }

    @Test func everyProductOfAVisionTower() {
        for (out, width) in ProductShapes.smallTower.weights { check(out, width, counts: [1, 4, 64, 200], of: 257) }
        for (out, width) in ProductShapes.largeTower.weights { check(out, width, counts: [1, 200], of: 257) }
    }

    /// The first and the last `count` rows alone, against all `rows` together; with one thread and with three.
    private func check(_ out: Int, _ width: Int, counts: [Int], of rows: Int) {
        let source = Samples(seed: 1).uniform(out, width)
        for engine in MatrixEngines.own {
            let weight = engine.prepare(WeightMatrix(source))
            let x = Samples(seed: 2).uniform(rows, width, engine.element)
            let dY = Samples(seed: 3).uniform(rows, out, engine.element)
            for element in Set([.float32, engine.element]) {
                check("\(engine.testDescription) x·Wᵀ, W [\(out), \(width)]", x, width: out, counts, element) {
                    engine.forward($0, weight, onto: $1, as: element)
                }
                check("\(engine.testDescription) dY·W, W [\(out), \(width)]", dY, width: width, counts, element) {
                    engine.backward($0, weight, onto: $1, as: element)
                }
            }
        }
    }

    private func check(
        _ name: String, _ x: Tensor, width: Int, _ counts: [Int], _ element: Tensor.Element, product: (Tensor, Tensor?) -> Tensor
    ) {
        let name = element == .float32 ? name : "\(name) in bfloat16"
        let initial = Samples(seed: 4).uniform(x.rows, width, element)
        for accumulate in [false, true] {
            func run(_ range: Range<Int>) -> [Float] { product(x.copy(of: range), accumulate ? initial.copy(of: range) : nil).asFloats }
            let together = withThreads(2) { run(0..<x.rows) }
            expectSameBits(withThreads(1) { run(0..<x.rows) }, together, "\(name), one thread", shape: [x.rows, width])
            for count in counts {
                for range in [0..<count, x.rows - count..<x.rows] {
                    let alone = withThreads(count % 3 + 1) { run(range) }
                    let part = Array(together[range.lowerBound * width..<range.upperBound * width])
                    expectSameBits(
                        alone, part, "\(name)\(accumulate ? ", added" : ""), rows \(range) of \(x.rows)", shape: [count, width])
                }
            }
        }
    }
}
