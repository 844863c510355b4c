// Attention over packed segments: causal with grouped heads, as a decoder needs it, and full, as an image does. Memory is
// linear in the tokens.
//
// Work is cut into (segment, key/value head, span of queries), so a segment's bits do not depend on what else is in the
// microbatch. Scores are held transposed, [keys, 32 queries]: softmax then runs along vectors of queries without a horizontal
// reduction. Softmax over blocks of keys keeps a running maximum and sum (Dao et al. 2022, arXiv:2205.14135).
//
// Legend: L tokens of a segment, D head dimension, q a block of 32 queries, k a block of 128 keys.

import Glibc

/// Shape of an attention: `heads` query heads share `keyValueHeads` key and value heads, in groups of neighbours.
package struct AttentionShape: Sendable {
    /// Number of attention heads.
    package let heads: Int
    /// Number of heads of keys and values, each shared by as many attention heads.
    package let keyValueHeads: Int
    /// Values of a head.
    package let headDimension: Int

    /// Creates the shape of an attention.
    package init(heads: Int, keyValueHeads: Int, headDimension: Int) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
    }

    func check(_ q: Tensor, _ k: Tensor, _ v: Tensor) {
        precondition(heads % keyValueHeads == 0, "attention: \(heads) heads in groups of \(keyValueHeads)")
        precondition(
            q.columns == heads * headDimension && k.columns == keyValueHeads * headDimension && v.columns == k.columns,
            "attention: q, k, v [\(q.rows), \(q.columns)], [\(k.rows), \(k.columns)], [\(v.rows), \(v.columns)] for \(self)")
    }

    var group: Int { heads / keyValueHeads }
    var scale: Float { 1 / Float(headDimension).squareRoot() }
    /// Floats of a head's row in scratch memory, whole vectors.
    var stride: Int { BlockProduct.padded(headDimension) }
}

/// softmax(q·kᵀ / √D, causal)·v for every segment.
///
/// - Parameters:
///   - q: [tokens, heads · D]; k, v: [tokens, keyValueHeads · D], all in the engine's element type
///   - segments: token ranges, disjoint, together all tokens
/// - Returns: output [tokens, heads · D] in the engine's element type; log-sum-exp of the scaled scores [tokens, heads]
package func causalAttention(
    q: Tensor, k: Tensor, v: Tensor, segments: [Range<Int>], _ shape: AttentionShape
) -> (output: Tensor, logSumExp: Tensor) {
    let logSumExp = Tensor(q.rows, shape.heads)
    let output = attention(q, k, v, logSumExp: logSumExp, shape, AttentionTask.causal(segments, shape))
    return (output, logSumExp)
}

/// softmax(q·kᵀ / √D)·v for every segment: each token sees all of its segment.
///
/// Parameters and output are those of `causalAttention`.
package func fullAttention(q: Tensor, k: Tensor, v: Tensor, segments: [Range<Int>], _ shape: AttentionShape) -> Tensor {
    attention(q, k, v, logSumExp: nil, shape, AttentionTask.full(segments, shape))
}

private func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, logSumExp: Tensor?, _ shape: AttentionShape, _ tasks: [AttentionTask]
) -> Tensor {
    shape.check(q, k, v)
    let output = Tensor(q.rows, q.columns, q.element)
    Threads.run(tasks.count) { index in
        if q.element == .float32 {
            attend(tasks[index], q, k, v, shape, output, logSumExp, Float.self)
        } else {
            attend(tasks[index], q, k, v, shape, output, logSumExp, BFloat16.self)
        }
    }
    return output
}

private func attend<S: Scalar>(
    _ task: AttentionTask, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ shape: AttentionShape, _ output: Tensor, _ logSumExp: Tensor?,
    _: S.Type
) {
    let (segment, dimension, stride) = (task.segment, shape.headDimension, shape.stride)
    let keys = HeadRows(k, segment, head: task.keyValueHead, dimension, S.self)
    let values = HeadRows(v, segment, head: task.keyValueHead, dimension, S.self)
    let scratch = Scratch(floats: queryBlock * (dimension + keyBlock + stride))
    defer { withExtendedLifetime((scratch, keys, values)) {} }
    let (qT, scores) = (scratch.start, scratch.start + queryBlock * dimension)
    let sum = scores + queryBlock * keyBlock

    for head in task.keyValueHead * shape.group..<(task.keyValueHead + 1) * shape.group {
        for first in Swift.stride(from: task.queries.lowerBound, to: task.queries.upperBound, by: queryBlock) {
            let queries = first..<min(first + queryBlock, task.queries.upperBound)
            transposeQueries(q, segment, head, queries, dimension, scale: shape.scale, into: qT, S.self)
            var softmax = RunningSoftmax()
            let visible = task.isCausal ? queries.upperBound : segment.count
            for start in Swift.stride(from: 0, to: visible, by: keyBlock) {
                let block = start..<min(start + keyBlock, visible)
                keys.multiply(block, qT, columns: queries.count, into: scores)
                let correction = softmax.add(scores, keys: block, queries: queries, isCausal: task.isCausal)
                if start > 0 {
                    for row in 0..<queries.count {
                        for d in 0..<dimension { sum[row * stride + d] *= correction[row] }
                    }
                }
                BlockProduct.multiply(
                    rows: queries.count, columns: dimension, depth: block.count,
                    Strided(scores, rowStride: 1, columnStride: queryBlock), values.row(block.lowerBound), bStride: stride,
                    into: sum, cStride: stride, accumulate: start > 0)
            }
            write(sum, softmax, task, head, queries, shape, to: output, logSumExp, S.self)
        }
    }
}

/// The sums of a block of queries, divided by their softmax's sum, as rows of the output; and its log-sum-exp.
private func write<S: Scalar>(
    _ sums: UnsafePointer<Float>, _ softmax: RunningSoftmax, _ task: AttentionTask, _ head: Int, _ queries: Range<Int>,
    _ shape: AttentionShape, to output: Tensor, _ logSumExp: Tensor?, _: S.Type
) {
    let dimension = shape.headDimension
    for (row, query) in queries.enumerated() {
        let token = task.segment.lowerBound + query
        let (sum, out) = (sums + row * shape.stride, output.pointer(to: S.self) + token * output.columns + head * dimension)
        let inverse = 1 / softmax.sum[row]
        for d in 0..<dimension { out[d] = S(rounding: sum[d] * inverse) }
        logSumExp?.start[token * shape.heads + head] = softmax.maximum[row] + logf(softmax.sum[row])
    }
}

/// Softmax over blocks of keys for 32 queries: running maximum and sum.
private struct RunningSoftmax {
    var maximum = SIMD32<Float>(repeating: -.infinity)
    var sum = SIMD32<Float>.zero

    /// Turns `scores` [keys, 32] into exponentials relative to the new maximum.
    ///
    /// - Returns: what the sums so far must be multiplied with
    mutating func add(
        _ scores: UnsafeMutablePointer<Float>, keys: Range<Int>, queries: Range<Int>, isCausal: Bool
    ) -> SIMD32<Float> {
        var correction = SIMD32<Float>(repeating: 1)
        (maximum.lowHalf, sum.lowHalf, correction.lowHalf) = Self.add(
            scores, keys, from: isCausal ? queries.lowerBound : nil, maximum.lowHalf, sum.lowHalf)
        if queries.count > 16 {
            (maximum.highHalf, sum.highHalf, correction.highHalf) = Self.add(
                scores + 16, keys, from: isCausal ? queries.lowerBound + 16 : nil, maximum.highHalf, sum.highHalf)
        }
        return correction
    }

    private static func add(
        _ scores: UnsafeMutablePointer<Float>, _ keys: Range<Int>, from query: Int?, _ oldMaximum: SIMD16<Float>,
        _ oldSum: SIMD16<Float>
    ) -> (maximum: SIMD16<Float>, sum: SIMD16<Float>, correction: SIMD16<Float>) {
        // Where nothing is hidden all keys come before the first query.
        let query = query ?? keys.upperBound
        var maximum = oldMaximum
        for key in 0..<keys.count {
            let score = load16(UnsafePointer(scores + key * queryBlock))
            maximum.replace(with: score, where: (score .> maximum) .& .!isHidden(key: keys.lowerBound + key, from: query))
        }
        let correction = exponential(oldMaximum - maximum)
        var sum = oldSum * correction
        for key in 0..<keys.count {
            let row = scores + key * queryBlock
            var p = exponential(load16(UnsafePointer(row)) - maximum)
            p.replace(with: 0, where: isHidden(key: keys.lowerBound + key, from: query))
            sum += p
            store16(p, row)
        }
        return (maximum, sum, correction)
    }
}
