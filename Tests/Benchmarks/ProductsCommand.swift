// Every product of a layer on every engine, in turns: re-packed weights (the ceiling), weights as they are stored, float32.

import ArgumentParser
import Files
import Tensor
import Trainer

struct ProductsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "products", abstract: "Times the matrix products of a layer of jina-embeddings-v4 and of its adapters.",
        discussion: """
            All engines multiply one shape in turns, the peak among them. GFLOP/s and shares are those of the best repetitions.
            """)

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Rows of the products.", valueName: "count"))
    var tokens = [512]

    @Option(help: ArgumentHelp("Rank of the adapters.", valueName: "rank"))
    var rank = 32

    @Option(help: ArgumentHelp("Repetitions of each product on each engine.", valueName: "count"))
    var rounds = 20

    func validate() throws {
        if tokens.contains(where: { $0 < 1 }) || rank < 1 || rounds < 1 {
            throw ValidationError("--tokens, --rank and --rounds are 1 at least")
        }
    }

    func run() throws {
        let peak = MatrixPeak()
        let measured = tokens.map { rows in
            (rows: rows, shapes: ProductShape.all(rank: rank).map { MeasuredShape($0, rows: rows, peak, rounds: rounds) })
        }
        let modes = MachineModes(measured.flatMap { $0.shapes.map(\.peaks) })
        print("\(Machine.summary)\nproducts on \(Figures.count(Threads.count, "thread")), ", terminator: "")
        print("\(Figures.count(rounds, "repetition")) of each; the peak is \(modes.rates) (\(peak.description))")
        for (rows, shapes) in measured {
            var table = TextTable([.left, .left, .right, .right, .right, .right, .left])
            table.add(["\(rows) tokens", "product", "ms, best", "median", "GFLOP/s", "of the peak", "kernel"])
            for shape in shapes {
                for line in shape.lines(peak: modes.best) { table.add(line) }
            }
            print("\n" + table.text, terminator: "")
        }
        print("\n\(modes.text)")
    }
}

/// A linear, [outputs, inputs].
private struct ProductShape {
    let name: String
    let outputs: Int
    let inputs: Int

    static func all(rank: Int) -> [ProductShape] {
        let (hidden, keyValue, intermediate) = (2048, 256, 11008)
        return [
            ProductShape(name: "q, o", outputs: hidden, inputs: hidden), ProductShape(name: "k, v", outputs: keyValue, inputs: hidden),
            ProductShape(name: "gate, up", outputs: intermediate, inputs: hidden),
            ProductShape(name: "down", outputs: hidden, inputs: intermediate),
            ProductShape(name: "A of q to up", outputs: rank, inputs: hidden),
            ProductShape(name: "A of down", outputs: rank, inputs: intermediate),
            ProductShape(name: "B of q, o, down", outputs: hidden, inputs: rank),
            ProductShape(name: "B of k, v", outputs: keyValue, inputs: rank),
            ProductShape(name: "B of gate, up", outputs: intermediate, inputs: rank),
        ]
    }

    var title: String { "\(name) [\(inputs) → \(outputs)]" }

    /// The engines that this processor has, each with its products of `rows` rows: forward, and the gradient of the input.
    func products(rows: Int) -> [Product] {
        var products = products(rows: rows, MatrixEngine(.float32), weights: .float32)
        products += self.products(rows: rows, MatrixEngine(.float32, .openBLAS), weights: .float32)
        // As a checkpoint of bfloat16 is mapped: our own kernels widen it as they pack it.
        products += self.products(rows: rows, MatrixEngine(.float32), weights: .bfloat16)
        if InstructionSet.current.multipliesBFloat16 { products += self.products(rows: rows, MatrixEngine(.bfloat16), weights: .bfloat16) }
        guard OneDNN.isAvailable else { return products }
        return products + self.products(rows: rows, MatrixEngine(.bfloat16, .oneDNN), weights: .bfloat16) + [repacked(rows: rows)]
    }

    private func products(rows: Int, _ engine: MatrixEngine, weights element: Tensor.Element) -> [Product] {
        let weights = WeightMatrix(Tensor.sample(outputs, inputs, element))
        let (x, dY) = (Tensor.sample(rows, inputs, engine.element), Tensor.sample(rows, outputs, engine.element))
        let name = "\(engine.kind.rawValue) \(engine.library.rawValue)" + (element == engine.element ? "" : ", bfloat16 weights")
        return [
            Product(name: "\(name) x·Wᵀ", kernel: kernel(of: engine, rows: rows, transposed: true)) { _ = engine.forward(x, weights) },
            Product(name: "\(name) dY·W", kernel: kernel(of: engine, rows: rows, transposed: false)) { _ = engine.backward(dY, weights) },
        ]
    }

    /// What multiplies: our own instruction set, or the library's name of its kernel.
    private func kernel(of engine: MatrixEngine, rows: Int, transposed: Bool) -> String {
        switch engine.library {
        case .own: engine.instructions.rawValue
        case .openBLAS: OpenBLAS.kernels
        case .oneDNN:
            OneDNN.implementation(
                of: OneDNN.Shape(
                    rows: rows, columns: transposed ? outputs : inputs, depth: transposed ? inputs : outputs, transposed: transposed,
                    accumulate: false))
        }
    }

    private func repacked(rows: Int) -> Product {
        let packed = PackedProduct(rows: rows, WeightMatrix(Tensor.sample(outputs, inputs, .bfloat16)))
        let (x, y) = (Tensor.sample(rows, inputs, .bfloat16), Tensor(rows, outputs))
        return Product(name: "bfloat16 re-packed", kernel: packed.implementation) { packed.multiply(x, into: y) }
    }
}

/// What an engine does with a shape.
private struct Product {
    /// Engine and direction.
    let name: String
    /// The library's own name of what multiplies; empty: it has none.
    let kernel: String
    let run: () -> Void
}

/// What the products of a shape took, without what they multiplied.
private struct MeasuredShape {
    /// Operations a second, one before each turn.
    let peaks: [Double]
    private let title: String
    private let operations: Double
    private let products: [(name: String, kernel: String, timed: Repetitions)]

    init(_ shape: ProductShape, rows: Int, _ peak: MatrixPeak, rounds: Int) {
        let products = shape.products(rows: rows)
        let timed = Stopwatch.inTurns([peak.product] + products.map(\.run), rounds: rounds)
        peaks = timed[0].seconds.map { MatrixPeak.operations / $0 }
        title = shape.title
        operations = 2 * Double(rows * shape.inputs * shape.outputs)
        self.products = zip(products, timed.dropFirst()).map { ($0.name, $0.kernel, $1) }
    }

    /// Of the table.
    func lines(peak: Double) -> [[String]] {
        products.map { name, kernel, timed in
            let rate = operations / timed.best
            return [
                title, name, Figures.fixed(timed.best * 1e3, 3), Figures.fixed(timed.median * 1e3, 3), Figures.fixed(rate * 1e-9, 1),
                Figures.fixed(100 * rate / peak, 1) + " %", kernel,
            ]
        }
    }
}
