// The bfloat16 products, by oneDNN. A primitive is made for one exact shape and kept: runtime dimensions, strided
// operands or slices of weights would leave its fast kernels, and with them the promise that a row's bits do not
// depend on the number of rows.

import COneDNN

/// Products of bfloat16 operands with float32 results, on all threads.
enum OneDNN {
    struct Shape: Hashable {
        let rows: Int
        let columns: Int
        let depth: Int
        /// Weights lie as [columns, depth], not as [depth, columns].
        let transposed: Bool
        let accumulate: Bool
    }

    /// How many shapes are kept; beyond it the store starts anew (making one takes 0.1 to 0.35 ms).
    private static let capacity = 1024

    nonisolated(unsafe) private static var products: [Shape: onednn_product] = [:]
    nonisolated(unsafe) private static let context: (engine: dnnl_engine_t, stream: dnnl_stream_t) = {
        var engine: dnnl_engine_t?
        var stream: dnnl_stream_t?
        check(dnnl_engine_create(&engine, dnnl_cpu, 0), "dnnl_engine_create")
        check(dnnl_stream_create(&stream, engine, UInt32(dnnl_stream_default_flags.rawValue)), "dnnl_stream_create")
        return (engine!, stream!)
    }()

    static func multiply(
        _ shape: Shape, _ source: UnsafeRawPointer, _ weights: UnsafeRawPointer, into target: UnsafeMutableRawPointer
    ) {
        var product = product(for: shape)
        check(onednn_product_execute(&product, context.stream, source, weights, target), "dnnl_primitive_execute \(shape)")
    }

    /// oneDNN's name of the kernel that serves `shape`.
    static func implementation(of shape: Shape) -> String { String(cString: product(for: shape).implementation) }

    private static func product(for shape: Shape) -> onednn_product {
        if let kept = products[shape] { return kept }
        if products.count >= capacity {
            for key in products.keys { onednn_product_destroy(&products[key]!) }
            products = [:]
        }
        var product = onednn_product()
        check(
            onednn_product_create(
                &product, context.engine, Int64(shape.rows), Int64(shape.columns), Int64(shape.depth),
                shape.transposed ? 1 : 0, shape.accumulate ? 1 : 0), "dnnl_primitive_create \(shape)")
        products[shape] = product
        return product
    }

    private static func check(_ status: dnnl_status_t, _ call: @autoclosure () -> String) {
        precondition(status == dnnl_success, "oneDNN: \(call()) failed with status \(status.rawValue)")
    }
}
