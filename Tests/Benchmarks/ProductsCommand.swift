// Every product of a layer on both engines: re-packed weights (the ceiling), weights as they are stored, float32.

import ArgumentParser
import Files
import Tensor
import Trainer

struct ProductsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "products", abstract: "Times the matrix products of a layer of jina-embeddings-v4 and of its adapters.")

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Rows of the products.", valueName: "count"))
    var tokens = [512]

    @Option(help: ArgumentHelp("Rank of the adapters.", valueName: "rank"))
    var rank = 32

    func validate() throws {
        if tokens.contains(where: { $0 < 1 }) || rank < 1 { throw ValidationError("--tokens and --rank are 1 at least") }
    }

    func run() throws {
        let peak = MatrixPeak.measure()
        print("\(Machine.summary)\nproducts on \(Figures.count(Threads.count, "thread")); the peak is \(peak.text)")
        for rows in tokens {
            var table = TextTable([.left, .left, .right, .right, .right, .left])
            table.add(["\(rows) tokens", "product", "ms", "GFLOP/s", "of the peak", "kernel"])
            for shape in ProductShape.all(rank: rank) {
                for product in shape.products(rows: rows) { table.add(product.measured(peak)) }
            }
            print("\n" + table.text, terminator: "")
        }
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

    /// The ways in which it is multiplied with `rows` rows.
    func products(rows: Int) -> [Product] {
        func product(_ way: String, _ kernel: String, _ body: @escaping () -> Void) -> Product {
            Product(
                linear: "\(name) [\(inputs) → \(outputs)]", way: way, kernel: kernel, operations: 2 * Double(rows * inputs * outputs), body)
        }
        func both(_ kind: MatrixEngine.Kind, kernel: (_ transposed: Bool) -> String) -> [Product] {
            let engine = MatrixEngine(kind)
            let weights = WeightMatrix(Tensor.sample(outputs, inputs, engine.element))
            let (x, dY) = (Tensor.sample(rows, inputs, engine.element), Tensor.sample(rows, outputs, engine.element))
            return [
                product("\(kind.rawValue) x·Wᵀ", kernel(true)) { _ = engine.forward(x, weights) },
                product("\(kind.rawValue) dY·W", kernel(false)) { _ = engine.backward(dY, weights) },
            ]
        }
        let float32 = both(.float32) { _ in "" }
        guard Processor.hasBFloat16 else { return float32 }
        let packed = PackedProduct(rows: rows, WeightMatrix(Tensor.sample(outputs, inputs, .bfloat16)))
        let (x, y) = (Tensor.sample(rows, inputs, .bfloat16), Tensor(rows, outputs))
        let best = product("bfloat16 re-packed", packed.implementation) { packed.multiply(x, into: y) }
        let stored = both(.bfloat16) { transposed in
            OneDNN.implementation(
                of: OneDNN.Shape(
                    rows: rows, columns: transposed ? outputs : inputs, depth: transposed ? inputs : outputs, transposed: transposed,
                    accumulate: false))
        }
        return [best] + stored + float32
    }
}

private struct Product {
    let linear: String
    let way: String
    let kernel: String
    let operations: Double
    private let body: () -> Void

    init(linear: String, way: String, kernel: String, operations: Double, _ body: @escaping () -> Void) {
        self.linear = linear
        self.way = way
        self.kernel = kernel
        self.operations = operations
        self.body = body
    }

    /// A row of the table.
    func measured(_ peak: MatrixPeak) -> [String] {
        let seconds = Stopwatch.median(body)
        let rate = operations / seconds
        return [
            linear, way, Figures.fixed(seconds * 1e3, 3), Figures.fixed(rate * 1e-9, 1),
            Figures.fixed(100 * rate / peak.operationsPerSecond, 1) + " %", kernel,
        ]
    }
}
