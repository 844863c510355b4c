// How attention cuts its work, and the blocks that forward and backward pass compute on.

let queryBlock = 32
let keyBlock = 128

/// What one thread computes at a time: some queries of the heads that share a key/value head, against all keys that they see.
struct AttentionTask {
    let segment: Range<Int>
    let keyValueHead: Int
    /// Counted within the segment.
    let queries: Range<Int>
    let isCausal: Bool

    /// Queries of a task of full attention: few enough that one image's heads occupy many threads, and so many that a task's
    /// copies of keys and values do not weigh.
    private static let span = 512

    /// One task for every key/value head of every segment, the longest first, so that all threads finish together.
    static func causal(_ segments: [Range<Int>], _ shape: AttentionShape) -> [AttentionTask] {
        longestFirst(segments).flatMap { segment in
            (0..<shape.keyValueHeads).map {
                AttentionTask(segment: segment, keyValueHead: $0, queries: 0..<segment.count, isCausal: true)
            }
        }
    }

    /// The same with the queries cut into spans.
    static func full(_ segments: [Range<Int>], _ shape: AttentionShape) -> [AttentionTask] {
        longestFirst(segments).flatMap { segment in
            (0..<shape.keyValueHeads).flatMap { head in
                stride(from: 0, to: segment.count, by: span).map {
                    AttentionTask(
                        segment: segment, keyValueHead: head, queries: $0..<min($0 + span, segment.count), isCausal: false)
                }
            }
        }
    }

    private static func longestFirst(_ segments: [Range<Int>]) -> [Range<Int>] {
        segments.sorted { ($1.count, $0.lowerBound) < ($0.count, $1.lowerBound) }
    }
}

private let lanes = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

/// Which of sixteen queries, the first at `query`, come before `key` and must not see it.
@inline(__always)
func isHidden(key: Int, from query: Int) -> SIMDMask<SIMD16<Int32>> {
    SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: key - query)) .> lanes
}

@inline(__always)
func store16(_ value: SIMD16<Float>, _ target: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(target).storeBytes(of: value, as: SIMD16<Float>.self)
}

/// Queries of a head (or their gradients) as columns: target [D, 32] = rowsᵀ · scale.
@inline(__always)
func transposeQueries<S: Scalar>(
    _ source: Tensor, _ segment: Range<Int>, _ head: Int, _ queries: Range<Int>, _ dimension: Int, scale: Float,
    into target: UnsafeMutablePointer<Float>, _: S.Type
) {
    let base = source.pointer(to: S.self) + head * dimension
    for row in 0..<queries.count {
        let from = base + (segment.lowerBound + queries.lowerBound + row) * source.columns
        for d in 0..<dimension { target[d * queryBlock + row] = from[d].float * scale }
    }
}

/// A head's keys or values of one segment as dense float rows [L, D].
struct HeadRows {
    let scratch: Scratch
    let dimension: Int
    let stride: Int

    init<S: Scalar>(_ source: Tensor, _ segment: Range<Int>, head: Int, _ dimension: Int, _: S.Type) {
        self.dimension = dimension
        stride = BlockProduct.padded(dimension)
        scratch = Scratch(floats: segment.count * stride, zeroed: stride > dimension)
        for row in 0..<segment.count {
            let from = source.pointer(to: S.self) + (segment.lowerBound + row) * source.columns + head * dimension
            let to = scratch.start + row * stride
            for d in 0..<dimension { to[d] = from[d].float }
        }
    }

    func row(_ index: Int) -> UnsafePointer<Float> { UnsafePointer(scratch.start + index * stride) }

    /// target [keys, 32] = rows[range] · columns                   columns [D, 32]
    func multiply(_ range: Range<Int>, _ operand: UnsafePointer<Float>, columns: Int, into target: UnsafeMutablePointer<Float>) {
        BlockProduct.multiply(
            rows: range.count, columns: columns, depth: dimension, Strided(row(range.lowerBound), rowStride: stride), operand,
            bStride: queryBlock, into: target, cStride: queryBlock, accumulate: false)
    }
}

/// Float memory for the length of a task.
final class Scratch {
    private let tensor: Tensor
    let start: UnsafeMutablePointer<Float>

    init(floats: Int, zeroed: Bool = false) {
        tensor = zeroed ? .zeros(1, floats) : Tensor(1, floats)
        start = tensor.start
    }
}
