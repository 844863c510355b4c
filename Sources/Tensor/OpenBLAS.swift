// float32 products by OpenBLAS, one thread a call, rows cut into blocks of one size over our own pool.
//
// What a row's bits depend on is the library's affair: some of its kernels keep them apart from the other rows, some do not,
// and which one serves depends on the processor and on the version. `EngineProof` asks before a run trusts it.

import COpenBLAS
import CProcessor

/// Products with float32 operands and results.
package enum OpenBLAS {
    /// Rows of every call; the last block is filled up with zeros, so that all calls take the same path.
    private static let blockRows = 128

    private static let singleThreaded: Void = openblas_set_num_threads(1)

    /// The library's name of the kernels that it chose for this processor, such as `Haswell`.
    package static var kernels: String { String(cString: openblas_get_corename()) }

    /// Name, version and kernels.
    package static var description: String {
        let version = String(cString: openblas_get_config()).split(separator: " ").dropFirst().first ?? "of an unknown version"
        return "OpenBLAS \(version) (\(kernels))"
    }

    /// The kernels that the library should have chosen, where it does not know the processor and took some for a lesser one;
    /// nil where its choice fits.
    ///
    /// Old versions fall back to kernels of 2004 on every processor that is newer than they are.
    package static var fittingKernels: String? {
        let features = Int(processor_present())
        let (hasAVX2, hasAVX512) = (features & processor_avx2 != 0, features & processor_avx512 != 0)
        return switch kernels.uppercased() {
        case "PRESCOTT", "CORE2", "PENRYN", "DUNNINGTON", "NEHALEM", "SANDYBRIDGE", "ATOM", "NORTHWOOD", "KATMAI", "COPPERMINE", "BANIAS",
            "GENERIC", "CORE", "OPTERON", "OPTERON_SSE3", "BARCELONA", "BOBCAT", "ATHLON":
            hasAVX512 ? "SkylakeX" : hasAVX2 ? "Haswell" : nil
        case "HASWELL", "ZEN":
            hasAVX512 ? "SkylakeX" : nil
        default: nil
        }
    }

    /// target[rows, columns] (+)= source[rows, depth] · weights
    ///
    /// - Parameter transposed: weights lie as [columns, depth], not as [depth, columns]
    static func multiply(
        rows: Int, columns: Int, depth: Int, transposed: Bool, accumulate: Bool,
        _ source: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>
    ) {
        _ = singleThreaded
        Threads.run(rows, grain: blockRows) { block in
            let (from, to) = (source + block.lowerBound * depth, target + block.lowerBound * columns)
            func product(_ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>) {
                cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, blasint(blockRows), blasint(columns),
                    blasint(depth), 1, source, blasint(depth), weights, blasint(transposed ? depth : columns),
                    accumulate ? 1 : 0, target, blasint(columns))
            }
            guard block.count < blockRows else { return product(from, to) }
            let filled = Tensor.zeros(blockRows, depth)
            let result = Tensor.zeros(blockRows, columns)
            filled.start.update(from: from, count: block.count * depth)
            if accumulate { result.start.update(from: to, count: block.count * columns) }
            product(filled.start, result.start)
            to.update(from: result.start, count: block.count * columns)
            withExtendedLifetime((filled, result)) {}
        }
    }
}
