// The yardsticks: how fast this machine multiplies, and how fast it moves memory.

import COneDNN
import Comm
import Files
import Tensor

/// A bfloat16 product whose weights lie in oneDNN's own layout.
final class PackedProduct {
    private var product = onednn_product()
    private let engine: dnnl_engine_t
    private let stream: dnnl_stream_t
    private let packed: Tensor

    /// - Parameter weights: [columns, depth], bfloat16; copied
    init(rows: Int, _ weights: WeightMatrix) {
        var (engine, stream): (dnnl_engine_t?, dnnl_stream_t?) = (nil, nil)
        Self.check(dnnl_engine_create(&engine, dnnl_cpu, 0))
        Self.check(dnnl_stream_create(&stream, engine, UInt32(dnnl_stream_default_flags.rawValue)))
        (self.engine, self.stream) = (engine!, stream!)
        let shape = onednn_shape(
            rows: Int64(rows), columns: Int64(weights.rows), depth: Int64(weights.columns), transposed: 1, accumulate: 0, bf16_target: 0,
            packed: 1)
        Self.check(onednn_product_create(&product, self.engine, shape))
        packed = Tensor(1, product.packed_bytes / 2, .bfloat16)
        Self.check(onednn_product_pack(&product, self.stream, weights.memory, packed.memory))
    }

    deinit {
        onednn_product_destroy(&product)
        dnnl_stream_destroy(stream)
        dnnl_engine_destroy(engine)
    }

    var implementation: String { String(cString: product.implementation) }

    func multiply(_ x: Tensor, into y: Tensor) {
        Self.check(onednn_product_execute(&product, stream, x.memory, packed.memory, y.memory))
    }

    private static func check(_ status: dnnl_status_t) {
        precondition(status == dnnl_success, "oneDNN: status \(status.rawValue)")
    }
}

/// The best product of the gate's shape, on all cores.
struct MatrixPeak {
    /// Multiplications and additions.
    let operationsPerSecond: Double
    let description: String

    private static let (rows, depth, columns) = (512, 2048, 11008)

    /// In bfloat16 where the processor multiplies it, else float32 by OpenBLAS.
    static func measure() -> MatrixPeak {
        let threads = Threads.count
        Threads.count = Communicator.alone().hosts.cores
        defer { Threads.count = threads }
        guard Processor.hasBFloat16 else {
            let (x, weights) = (Tensor.sample(rows, depth), WeightMatrix(Tensor.sample(columns, depth)))
            return MatrixPeak("float32, OpenBLAS") { _ = MatrixEngine(.float32).forward(x, weights) }
        }
        let (x, y) = (Tensor.sample(rows, depth, .bfloat16), Tensor(rows, columns))
        let product = PackedProduct(rows: rows, WeightMatrix(Tensor.sample(columns, depth, .bfloat16)))
        return MatrixPeak("bfloat16, \(product.implementation)") { product.multiply(x, into: y) }
    }

    /// The best median of two seconds: a processor that was idle needs a while until it is fast.
    private init(_ description: String, _ body: () -> Void) {
        let start = ContinuousClock.now
        var seconds = Double.infinity
        repeat { seconds = min(seconds, Stopwatch.median(body)) } while start.duration(to: .now) < .seconds(2)
        self.description = description
        operationsPerSecond = 2 * Double(Self.rows * Self.depth * Self.columns) / seconds
    }

    /// `412.3 GFLOP/s (bfloat16, brg:avx512_core_bf16)`
    var text: String { "\(Figures.fixed(operationsPerSecond * 1e-9, 1)) GFLOP/s (\(description))" }
}

/// Bytes a second between memory and all threads: a = b + s·c over arrays that no cache holds (the triad of STREAM, McCalpin 1995).
enum MemoryBandwidth {
    static func measure() -> Double {
        let count = 1 << 25
        let (a, b, c) = (Tensor(1, count), Tensor.sample(1, count), Tensor.sample(1, count))
        let (target, left, right) = (a.floats, b.floats, c.floats)
        let seconds = Stopwatch.median {
            Threads.run(count, grain: 1 << 16) { range in
                for i in range { target[i] = left[i] + 3 * right[i] }
            }
        }
        withExtendedLifetime((a, b, c)) {}
        return Double(12 * count) / seconds
    }
}
