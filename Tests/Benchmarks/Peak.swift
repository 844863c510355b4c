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
        packed.withMutableBytes { packed in
            packed.withUnsafeMutableBytes { packed in
                weights.bytes.withUnsafeBytes { weights in
                    Self.check(onednn_product_pack(&product, self.stream, weights.baseAddress, packed.baseAddress))
                }
            }
        }
    }

    deinit {
        onednn_product_destroy(&product)
        dnnl_stream_destroy(stream)
        dnnl_engine_destroy(engine)
    }

    var implementation: String { String(cString: product.implementation) }

    func multiply(_ x: Tensor, into y: Tensor) {
        let packed = packed
        y.withMutableBytes { y in
            y.withUnsafeMutableBytes { y in
                x.bytes.withUnsafeBytes { x in
                    packed.bytes.withUnsafeBytes { packed in
                        Self.check(onednn_product_execute(&product, stream, x.baseAddress, packed.baseAddress, y.baseAddress))
                    }
                }
            }
        }
    }

    private static func check(_ status: dnnl_status_t) {
        precondition(status == dnnl_success, "oneDNN: status \(status.rawValue)")
    }
}

/// The product of the gate's shape: what the rates of all others are shares of.
struct MatrixPeak {
    /// `bfloat16, brg:avx512_core_bf16`
    let description: String
    let product: () -> Void

    private static let (rows, depth, columns) = (512, 2048, 11008)
    /// Multiplications and additions of one product.
    static let operations = 2 * Double(rows * depth * columns)

    /// By oneDNN with packed weights where it multiplies bfloat16, else by our own float32 kernels.
    init() {
        let (rows, depth, columns) = (Self.rows, Self.depth, Self.columns)
        guard OneDNN.isAvailable else {
            let (x, weights) = (Tensor.sample(rows, depth), WeightMatrix(Tensor.sample(columns, depth)))
            description = "float32, own kernels for \(InstructionSet.current.rawValue)"
            product = { _ = MatrixEngine(.float32).forward(x, weights) }
            return
        }
        let (x, y) = (Tensor.sample(rows, depth, .bfloat16), Tensor(rows, columns))
        let packed = PackedProduct(rows: rows, WeightMatrix(Tensor.sample(columns, depth, .bfloat16)))
        description = "bfloat16, \(packed.implementation)"
        product = { packed.multiply(x, into: y) }
    }

    /// Operations a second of a burst.
    func burst() -> Double { Self.operations / Stopwatch.inTurns([product], rounds: 1)[0].best }

    /// The best burst of two seconds: a processor that was idle needs a while until it is fast.
    func best() -> Double {
        let start = ContinuousClock.now
        var rate = 0.0
        repeat { rate = max(rate, burst()) } while start.duration(to: .now) < .seconds(2)
        return rate
    }

    /// Collective. Operations a second of a burst of all ranks at once, each on its share of its host's cores. What it takes of
    /// memory is given back.
    static func burst(ofAllRanks world: Communicator) throws -> Double {
        let threads = Threads.count
        Threads.count = max(1, world.hosts.cores / world.hosts.localSize)
        defer { Threads.count = threads }
        let peak = MatrixPeak()
        try world.barrier()
        return try world.allGather(peak.burst()).reduce(0, +)
    }
}

/// Bytes between memory and all threads: a = b + s·c over arrays that no cache holds (the triad of STREAM, McCalpin 1995).
struct MemoryTriad {
    private let (a, b, c): (Tensor, Tensor, Tensor)
    /// Read and written by a pass.
    let bytes: Int

    init() {
        let count = 1 << 25
        (a, b, c) = (Tensor(1, count), Tensor.sample(1, count), Tensor.sample(1, count))
        bytes = 12 * count
    }

    func pass() {
        a.withMutableFloats { target in
            target.withUnsafeMutableBufferPointer { target in
                b.floats.withUnsafeBufferPointer { left in
                    c.floats.withUnsafeBufferPointer { right in
                        let (target, left, right) = (target.baseAddress!, left.baseAddress!, right.baseAddress!)
                        Threads.run(a.count, grain: 1 << 16) { range in
                            for i in range { target[i] = left[i] + 3 * right[i] }
                        }
                    }
                }
            }
        }
    }
}
