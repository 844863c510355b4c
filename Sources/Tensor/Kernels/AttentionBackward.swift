// The backward pass of causal attention. Probabilities are computed once more from the log-sum-exp that the forward pass kept.
// The legend is that of Attention.swift.

/// The gradients with respect to q, k and v, float32.
///
/// - Parameters:
///   - dOutput: [tokens, heads · D], float32
///   - output, logSumExp: what the forward pass returned
package func causalAttentionBackward(
    _ dOutput: Tensor, q: Tensor, k: Tensor, v: Tensor, output: Tensor, logSumExp: Tensor, segments: [Range<Int>],
    _ shape: AttentionShape
) -> (dQ: Tensor, dK: Tensor, dV: Tensor) {
    shape.check(q, k, v)
    let gradients = (dQ: Tensor(q.rows, q.columns), dK: Tensor(k.rows, k.columns), dV: Tensor(v.rows, v.columns))
    let tasks = AttentionTask.causal(segments, shape)
    Threads.run(tasks.count) { index in
        if q.element == .float32 {
            backward(tasks[index], dOutput, q, k, v, output, logSumExp, shape, gradients, Float.self)
        } else {
            backward(tasks[index], dOutput, q, k, v, output, logSumExp, shape, gradients, BFloat16.self)
        }
    }
    return gradients
}

private func backward<S: Scalar>(
    _ task: AttentionTask, _ dOutput: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ output: Tensor, _ logSumExp: Tensor,
    _ shape: AttentionShape, _ gradients: (dQ: Tensor, dK: Tensor, dV: Tensor), _: S.Type
) {
    let (segment, keyValueHead, length) = (task.segment, task.keyValueHead, task.segment.count)
    let (dimension, stride) = (shape.headDimension, shape.stride)
    let keys = HeadRows(k, segment, head: keyValueHead, dimension, S.self)
    let values = HeadRows(v, segment, head: keyValueHead, dimension, S.self)
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
                let out = gradients.dQ.start + token * gradients.dQ.columns + head * dimension
                for d in 0..<dimension { out[d] = block.dQ[row * stride + d] * shape.scale }
            }
        }
    }
    for row in 0..<length {
        let offset = (segment.lowerBound + row) * gradients.dK.columns + keyValueHead * dimension
        (gradients.dK.start + offset).update(from: dK + row * stride, count: dimension)
        (gradients.dV.start + offset).update(from: dV + row * stride, count: dimension)
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
        transposeQueries(q, segment, head, queries, dimension, scale: shape.scale, into: transposed, S.self)
        transposeQueries(dOutput, segment, head, queries, dimension, scale: 1, into: dTransposed, Float.self)
        dQ.update(repeating: 0, count: queryBlock * stride)
        for row in 0..<queries.count {
            let token = segment.lowerBound + queries.lowerBound + row
            let offset = token * q.columns + head * dimension
            let (source, dSource) = (q.pointer(to: S.self) + offset, dOutput.start + offset)
            for d in 0..<dimension {
                rows[row * stride + d] = source[d].float * shape.scale
                dRows[row * stride + d] = dSource[d]
            }
            delta[row] = dot(UnsafePointer(dSource), UnsafePointer(output.pointer(to: S.self) + offset), dimension)
            logSumExp[row] = statistics.start[token * shape.heads + head]
        }
    }

    /// dV += Pᵀ·dO, dK += dSᵀ·Q, dQ += dS·K with P = exp(S - lse), dS = P·(dO·Vᵀ - delta).
    func accumulate(
        _ range: Range<Int>, _ queries: Range<Int>, _ keys: HeadRows, _ values: HeadRows, dK: UnsafeMutablePointer<Float>,
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
