// Causal grouped-query attention over packed segments, forward and backward, with memory linear in the tokens.
//
// Work is cut into (segment, key/value head), so a segment's bits do not depend on what else is in the microbatch. Scores
// are held transposed, [keys, 32 queries]: softmax then runs along vectors of queries without a horizontal reduction.
// Softmax over blocks of keys keeps a running maximum and sum (Dao et al. 2022, arXiv:2205.14135).
//
// Legend: L tokens of a segment, D head dimension, q a block of 32 queries, k a block of 128 keys.

import Glibc

private let queryBlock = 32
private let keyBlock = 128

/// Shape of an attention: `heads` query heads share `keyValueHeads` key and value heads, in groups of neighbours.
package struct AttentionShape: Sendable {
    package let heads: Int
    package let keyValueHeads: Int
    package let headDimension: Int

    package init(heads: Int, keyValueHeads: Int, headDimension: Int) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
    }

    fileprivate func check(_ q: Tensor, _ k: Tensor, _ v: Tensor) {
        precondition(heads % keyValueHeads == 0, "attention: \(heads) heads in groups of \(keyValueHeads)")
        precondition(
            q.columns == heads * headDimension && k.columns == keyValueHeads * headDimension && v.columns == k.columns,
            "attention: q, k, v [\(q.rows), \(q.columns)], [\(k.rows), \(k.columns)], [\(v.rows), \(v.columns)] for \(self)")
    }

    fileprivate var group: Int { heads / keyValueHeads }
    fileprivate var scale: Float { 1 / Float(headDimension).squareRoot() }
    /// Floats of a head's row in scratch memory, whole vectors.
    fileprivate var stride: Int { BlockProduct.padded(headDimension) }
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
    shape.check(q, k, v)
    let output = Tensor(q.rows, q.columns, q.element)
    let logSumExp = Tensor(q.rows, shape.heads)
    forEachHead(segments, shape) { segment, head in
        if q.element == .float32 {
            forward(segment, head, q, k, v, shape, output, logSumExp, Float.self)
        } else {
            forward(segment, head, q, k, v, shape, output, logSumExp, BFloat16.self)
        }
    }
    return (output, logSumExp)
}

/// The gradients with respect to q, k and v, float32.
///
/// - Parameters:
///   - dOutput: [tokens, heads · D], float32
///   - output, logSumExp: what the forward pass returned
package func causalAttentionBackward(
    _ dOutput: Tensor, q: Tensor, k: Tensor, v: Tensor, output: Tensor, logSumExp: Tensor, segments: [Range<Int>],
    _ shape: AttentionShape
) -> (dQ: Tensor, dK: Tensor, dV: Tensor) {
    let gradients = (dQ: Tensor(q.rows, q.columns), dK: Tensor(k.rows, k.columns), dV: Tensor(v.rows, v.columns))
    forEachHead(segments, shape) { segment, head in
        if q.element == .float32 {
            backward(segment, head, dOutput, q, k, v, output, logSumExp, shape, gradients, Float.self)
        } else {
            backward(segment, head, dOutput, q, k, v, output, logSumExp, shape, gradients, BFloat16.self)
        }
    }
    return gradients
}

/// Runs `body` for every key/value head of every segment on all threads, the longest first, so that all threads finish together.
private func forEachHead(_ segments: [Range<Int>], _ shape: AttentionShape, _ body: (_ segment: Range<Int>, _ head: Int) -> Void) {
    let longestFirst = segments.sorted { ($1.count, $0.lowerBound) < ($0.count, $1.lowerBound) }
    Threads.run(segments.count * shape.keyValueHeads) { task in
        body(longestFirst[task / shape.keyValueHeads], task % shape.keyValueHeads)
    }
}

private func forward<S: Scalar>(
    _ segment: Range<Int>, _ keyValueHead: Int, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ shape: AttentionShape,
    _ output: Tensor, _ logSumExp: Tensor, _: S.Type
) {
    let (length, dimension, stride) = (segment.count, shape.headDimension, shape.stride)
    let keys = Rows(k, segment, head: keyValueHead, dimension, S.self)
    let values = Rows(v, segment, head: keyValueHead, dimension, S.self)
    let scratch = Scratch(floats: queryBlock * (dimension + keyBlock + stride))
    defer { withExtendedLifetime((scratch, keys, values)) {} }
    let (qT, scores) = (scratch.start, scratch.start + queryBlock * dimension)
    let sum = scores + queryBlock * keyBlock

    for head in keyValueHead * shape.group..<(keyValueHead + 1) * shape.group {
        for first in Swift.stride(from: 0, to: length, by: queryBlock) {
            let queries = first..<min(first + queryBlock, length)
            transpose(q, segment, head, queries, dimension, scale: shape.scale, into: qT, S.self)
            var softmax = RunningSoftmax()
            for start in Swift.stride(from: 0, to: queries.upperBound, by: keyBlock) {
                let block = start..<min(start + keyBlock, queries.upperBound)
                keys.multiply(block, qT, columns: queries.count, into: scores)
                let correction = softmax.add(scores, keys: block, queries: queries)
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
            let target = output.pointer(to: S.self)
            for row in 0..<queries.count {
                let token = segment.lowerBound + first + row
                let (inverse, out) = (1 / softmax.sum[row], target + token * output.columns + head * dimension)
                for d in 0..<dimension { out[d] = S(rounding: sum[row * stride + d] * inverse) }
                logSumExp.floats[token * shape.heads + head] = softmax.maximum[row] + logf(softmax.sum[row])
            }
        }
    }
}

private func backward<S: Scalar>(
    _ segment: Range<Int>, _ keyValueHead: Int, _ dOutput: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ output: Tensor,
    _ logSumExp: Tensor, _ shape: AttentionShape, _ gradients: (dQ: Tensor, dK: Tensor, dV: Tensor), _: S.Type
) {
    let (length, dimension, stride) = (segment.count, shape.headDimension, shape.stride)
    let keys = Rows(k, segment, head: keyValueHead, dimension, S.self)
    let values = Rows(v, segment, head: keyValueHead, dimension, S.self)
    let sums = Scratch(floats: 2 * length * stride, zeroed: true)
    let (dK, dV) = (sums.start, sums.start + length * stride)
    let block = BackwardBlock(dimension: dimension, stride: stride)
    defer { withExtendedLifetime((sums, keys, values, block)) {} }

    for head in keyValueHead * shape.group..<(keyValueHead + 1) * shape.group {
        for first in Swift.stride(from: 0, to: length, by: queryBlock) {
            let queries = first..<min(first + queryBlock, length)
            block.load(segment, head, queries, q, dOutput, output, logSumExp, shape, S.self)
            for start in Swift.stride(from: 0, to: queries.upperBound, by: keyBlock) {
                let range = start..<min(start + keyBlock, queries.upperBound)
                block.accumulate(range, queries, keys, values, dK: dK + start * stride, dV: dV + start * stride)
            }
            for row in 0..<queries.count {
                let token = segment.lowerBound + first + row
                let out = gradients.dQ.floats + token * gradients.dQ.columns + head * dimension
                for d in 0..<dimension { out[d] = block.dQ[row * stride + d] * shape.scale }
            }
        }
    }
    for row in 0..<length {
        let offset = (segment.lowerBound + row) * gradients.dK.columns + keyValueHead * dimension
        (gradients.dK.floats + offset).update(from: dK + row * stride, count: dimension)
        (gradients.dV.floats + offset).update(from: dV + row * stride, count: dimension)
    }
}

/// One block of queries on its way through the backward pass.
private struct BackwardBlock {
    let dimension: Int
    let stride: Int
    let scratch: Scratch
    /// Queries (scaled) and dOutput as rows [32, D] and transposed [D, 32]; scores and their gradient [128 keys, 32].
    let rows, transposed, dRows, dTransposed, dQ, scores, dScores, logSumExp, delta: UnsafeMutablePointer<Float>

    init(dimension: Int, stride: Int) {
        self.dimension = dimension
        self.stride = stride
        let (byRow, byColumn, square) = (queryBlock * stride, queryBlock * dimension, queryBlock * keyBlock)
        scratch = Scratch(floats: 3 * byRow + 2 * byColumn + 2 * square + 2 * queryBlock, zeroed: true)
        rows = scratch.start
        dRows = rows + byRow
        dQ = dRows + byRow
        transposed = dQ + byRow
        dTransposed = transposed + byColumn
        scores = dTransposed + byColumn
        dScores = scores + square
        logSumExp = dScores + square
        delta = logSumExp + queryBlock
    }

    func load<S: Scalar>(
        _ segment: Range<Int>, _ head: Int, _ queries: Range<Int>, _ q: Tensor, _ dOutput: Tensor, _ output: Tensor,
        _ statistics: Tensor, _ shape: AttentionShape, _: S.Type
    ) {
        transpose(q, segment, head, queries, dimension, scale: shape.scale, into: transposed, S.self)
        transpose(dOutput, segment, head, queries, dimension, scale: 1, into: dTransposed, Float.self)
        dQ.update(repeating: 0, count: queryBlock * stride)
        for row in 0..<queries.count {
            let token = segment.lowerBound + queries.lowerBound + row
            let offset = token * q.columns + head * dimension
            let (source, dSource) = (q.pointer(to: S.self) + offset, dOutput.floats + offset)
            for d in 0..<dimension {
                rows[row * stride + d] = source[d].float * shape.scale
                dRows[row * stride + d] = dSource[d]
            }
            delta[row] = dot(UnsafePointer(dSource), UnsafePointer(output.pointer(to: S.self) + offset), dimension)
            logSumExp[row] = statistics.floats[token * shape.heads + head]
        }
    }

    /// dV += Pᵀ·dO, dK += dSᵀ·Q, dQ += dS·K with P = exp(S - lse), dS = P·(dO·Vᵀ - delta).
    func accumulate(
        _ range: Range<Int>, _ queries: Range<Int>, _ keys: Rows, _ values: Rows, dK: UnsafeMutablePointer<Float>,
        dV: UnsafeMutablePointer<Float>
    ) {
        keys.multiply(range, transposed, columns: queries.count, into: scores)
        values.multiply(range, dTransposed, columns: queries.count, into: dScores)
        for vector in 0..<(queries.count + 15) / 16 {
            let (normalizer, delta) = (load16(UnsafePointer(logSumExp + vector * 16)), load16(UnsafePointer(delta + vector * 16)))
            for key in 0..<range.count {
                let offset = key * queryBlock + vector * 16
                var p = exponential(load16(UnsafePointer(scores + offset)) - normalizer)
                p.replace(with: 0, where: isHidden(key: range.lowerBound + key, from: queries.lowerBound + vector * 16))
                store16(p, scores + offset)
                store16(p * (load16(UnsafePointer(dScores + offset)) - delta), dScores + offset)
            }
        }
        func product(_ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>) {
            BlockProduct.multiply(
                rows: range.count, columns: dimension, depth: queries.count, Strided(left, rowStride: queryBlock), right,
                bStride: stride, into: target, cStride: stride, accumulate: true)
        }
        product(scores, dRows, dV)
        product(dScores, rows, dK)
        BlockProduct.multiply(
            rows: queries.count, columns: dimension, depth: range.count,
            Strided(dScores, rowStride: 1, columnStride: queryBlock), keys.row(range.lowerBound), bStride: stride, into: dQ,
            cStride: stride, accumulate: true)
    }
}

/// Softmax over blocks of keys for 32 queries: running maximum and sum.
private struct RunningSoftmax {
    var maximum = SIMD32<Float>(repeating: -.infinity)
    var sum = SIMD32<Float>.zero

    /// Turns `scores` [keys, 32] into exponentials relative to the new maximum.
    ///
    /// - Returns: what the sums so far must be multiplied with
    mutating func add(_ scores: UnsafeMutablePointer<Float>, keys: Range<Int>, queries: Range<Int>) -> SIMD32<Float> {
        var correction = SIMD32<Float>(repeating: 1)
        (maximum.lowHalf, sum.lowHalf, correction.lowHalf) = Self.add(
            scores, keys, from: queries.lowerBound, maximum.lowHalf, sum.lowHalf)
        if queries.count > 16 {
            (maximum.highHalf, sum.highHalf, correction.highHalf) = Self.add(
                scores + 16, keys, from: queries.lowerBound + 16, maximum.highHalf, sum.highHalf)
        }
        return correction
    }

    private static func add(
        _ scores: UnsafeMutablePointer<Float>, _ keys: Range<Int>, from query: Int, _ oldMaximum: SIMD16<Float>,
        _ oldSum: SIMD16<Float>
    ) -> (maximum: SIMD16<Float>, sum: SIMD16<Float>, correction: SIMD16<Float>) {
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

private let lanes = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

/// Which of sixteen queries, the first at `query`, come before `key` and must not see it.
@inline(__always)
private func isHidden(key: Int, from query: Int) -> SIMDMask<SIMD16<Int32>> {
    SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: key - query)) .> lanes
}

@inline(__always)
private func store16(_ value: SIMD16<Float>, _ target: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(target).storeBytes(of: value, as: SIMD16<Float>.self)
}

/// Queries of a head as columns: target [D, 32] = rowsᵀ · scale.
@inline(__always)
private func transpose<S: Scalar>(
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
private struct Rows {
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
private final class Scratch {
    private let tensor: Tensor
    let start: UnsafeMutablePointer<Float>

    init(floats: Int, zeroed: Bool = false) {
        tensor = zeroed ? .zeros(1, floats) : Tensor(1, floats)
        start = tensor.floats
    }
}
