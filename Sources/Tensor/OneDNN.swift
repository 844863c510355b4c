// The bfloat16 products, by oneDNN. A primitive is made for one exact shape and kept: runtime dimensions, strided
// operands or slices of weights would leave its fast kernels, and with them the promise that a row's bits do not
// depend on the number of rows.

import COneDNN
import Synchronization

/// Products of bfloat16 operands with float32 or bfloat16 results, on all threads. Calls from several threads wait for one another.
package enum OneDNN {
    /// What a primitive is made for: [rows, depth] · [depth, columns].
    package struct Shape: Hashable, Sendable {
        let rows: Int
        let columns: Int
        let depth: Int
        /// Weights lie as [columns, depth], not as [depth, columns].
        let transposed: Bool
        let accumulate: Bool
        /// What the result is stored as.
        let element: Tensor.Element

        /// Creates the shape of a product.
        package init(rows: Int, columns: Int, depth: Int, transposed: Bool, accumulate: Bool, element: Tensor.Element = .float32) {
            self.rows = rows
            self.columns = columns
            self.depth = depth
            self.transposed = transposed
            self.accumulate = accumulate
            self.element = element
        }

        /// Whether the weights are first copied into the order in which the kernel reads them. The product then runs at the
        /// processor's peak; where they lie, up to a quarter slower. The copy reads and writes the weights once, which enough
        /// rows repay; weights [columns, depth] of short rows are copied too slowly, and read well enough where they are.
        /// The bits are the same either way.
        package var packsWeights: Bool {
            rows >= 192 && min(columns, depth) >= 512 && (!transposed || depth >= 2 * columns)
        }
    }

    /// A primitive is also made for a number of threads, which it divides its work among.
    private struct Key: Hashable {
        let shape: Shape
        let threads: Int
    }

    /// How many shapes are kept; beyond it the store starts anew (making one takes 0.1 to 0.35 ms).
    private static let capacity = 1024

    private static let lock = Mutex(())
    nonisolated(unsafe) private static var products: [Key: onednn_product] = [:]
    /// Packed weights of the product in progress.
    nonisolated(unsafe) private static var workspace = Tensor(0, 0, .bfloat16)
    nonisolated(unsafe) private static let context: (engine: dnnl_engine_t, stream: dnnl_stream_t) = {
        var engine: dnnl_engine_t?
        var stream: dnnl_stream_t?
        check(dnnl_engine_create(&engine, dnnl_cpu, 0), "dnnl_engine_create")
        check(dnnl_stream_create(&stream, engine, UInt32(dnnl_stream_default_flags.rawValue)), "dnnl_stream_create")
        return (engine!, stream!)
    }()

    /// Name and version.
    package static var description: String {
        let version = dnnl_version().pointee
        return "oneDNN \(version.major).\(version.minor).\(version.patch)"
    }

    /// Whether the library multiplies bfloat16 values on this processor; `ONEDNN_MAX_CPU_ISA` may forbid it what the processor has.
    package static let isAvailable: Bool = {
        var product = onednn_product()
        let shape = onednn_shape(rows: 16, columns: 16, depth: 16, transposed: 1, accumulate: 0, bf16_target: 0, packed: 0)
        guard onednn_product_create(&product, context.engine, shape) == dnnl_success else { return false }
        onednn_product_destroy(&product)
        return true
    }()

    static func multiply(
        _ shape: Shape, _ source: UnsafeRawPointer, _ weights: UnsafeRawPointer, into target: UnsafeMutableRawPointer
    ) {
        lock.withLock { _ in
            var product = product(for: shape)
            var weights = weights
            if shape.packsWeights {
                if workspace.count * 2 < product.packed_bytes { workspace = Tensor(1, product.packed_bytes / 2, .bfloat16) }
                check(onednn_product_pack(&product, context.stream, weights, workspace.memory), "packing for \(shape)")
                weights = UnsafeRawPointer(workspace.memory)
            }
            check(onednn_product_execute(&product, context.stream, source, weights, target), "dnnl_primitive_execute \(shape)")
        }
    }

    /// oneDNN's name of the kernel that serves `shape`.
    package static func implementation(of shape: Shape) -> String {
        lock.withLock { _ in String(cString: product(for: shape).implementation) }
    }

    private static func product(for shape: Shape) -> onednn_product {
        let key = Key(shape: shape, threads: Threads.count)
        if let kept = products[key] { return kept }
        if products.count >= capacity {
            for key in products.keys { onednn_product_destroy(&products[key]!) }
            products = [:]
        }
        var product = onednn_product()
        let description = onednn_shape(
            rows: Int64(shape.rows), columns: Int64(shape.columns), depth: Int64(shape.depth), transposed: shape.transposed ? 1 : 0,
            accumulate: shape.accumulate ? 1 : 0, bf16_target: shape.element == .bfloat16 ? 1 : 0, packed: shape.packsWeights ? 1 : 0)
        check(onednn_product_create(&product, context.engine, description), "dnnl_primitive_create \(shape)")
        products[key] = product
        return product
    }

    private static func check(_ status: dnnl_status_t, _ call: @autoclosure () -> String) {
        precondition(status == dnnl_success, "oneDNN: \(call()) failed with status \(status.rawValue)")
    }
}
