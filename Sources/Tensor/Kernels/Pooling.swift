// From token states to one unit vector a segment: mean, then L2 normalisation, forward and backward.

/// Unit vectors and the lengths they had.
package struct PooledRows {
    /// [segments, hidden]
    package let unit: Tensor
    /// L2 norms of the means, at least 1e-12.                     [segments]
    let norms: [Float]
}

/// mean over the tokens of each segment, divided by its L2 norm (floor 1e-12).
///
/// - Parameter states: [tokens, hidden], float32
package func meanPooled(_ states: Tensor, segments: [Range<Int>]) -> PooledRows {
    let (unit, hidden) = (Tensor(segments.count, states.columns), states.columns)
    let norms = Tensor(segments.count, 1)
    Threads.run(segments.count) { index in
        let (segment, target) = (segments[index], unit.start + index * hidden)
        target.update(repeating: 0, count: hidden)
        for token in segment {
            let source = states.start + token * hidden
            for i in 0..<hidden { target[i] += source[i] }
        }
        let inverse = 1 / Float(segment.count)
        for i in 0..<hidden { target[i] *= inverse }
        let norm = max(dot(UnsafePointer(target), UnsafePointer(target), hidden).squareRoot(), 1e-12)
        for i in 0..<hidden { target[i] /= norm }
        norms.start[index] = norm
    }
    return PooledRows(unit: unit, norms: norms.values)
}

/// The gradient with respect to the token states, zero outside of the segments.    [tokens, hidden]
///
///     dMean = (dU - U · (dU · U)) / norm,   dState = dMean / tokens of the segment
///
/// - Parameters:
///   - dUnit: [segments, hidden]
///   - segments: those of the forward pass, disjoint
package func meanPooledBackward(_ dUnit: Tensor, _ kept: PooledRows, segments: [Range<Int>], tokens: Int) -> Tensor {
    let hidden = dUnit.columns
    let coversAll = segments.reduce(0) { $0 + $1.count } == tokens
    let dStates = coversAll ? Tensor(tokens, hidden) : .zeros(tokens, hidden)
    Threads.run(segments.count) { index in
        let (segment, unit, dUnit) = (segments[index], kept.unit.start + index * hidden, dUnit.start + index * hidden)
        let along = dot(UnsafePointer(dUnit), UnsafePointer(unit), hidden)
        let scale = 1 / (kept.norms[index] * Float(segment.count))
        for token in segment {
            let target = dStates.start + token * hidden
            for i in 0..<hidden { target[i] = (dUnit[i] - unit[i] * along) * scale }
        }
    }
    return dStates
}

/// The first `dimension` values of each row, divided by their L2 norm (floor 1e-12): a Matryoshka prefix.
package func normalizedPrefix(of embeddings: Tensor, dimension: Int) -> Tensor {
    precondition(dimension <= embeddings.columns, "prefix: \(dimension) of \(embeddings.columns)")
    let prefix = Tensor(embeddings.rows, dimension)
    Threads.run(embeddings.rows, grain: 64) { block in
        for row in block {
            let (source, target) = (embeddings.start + row * embeddings.columns, prefix.start + row * dimension)
            let norm = max(dot(UnsafePointer(source), UnsafePointer(source), dimension).squareRoot(), 1e-12)
            for i in 0..<dimension { target[i] = source[i] / norm }
        }
    }
    return prefix
}

/// 1 / length of the first `dimension` values of some rows, lengths at least 1e-12.    [rows]
package func inversePrefixLengths(of embeddings: Tensor, dimension: Int, rows: [Int]) -> [Float] {
    rows.map { row in
        let start = UnsafePointer(embeddings.start + row * embeddings.columns)
        return 1 / max(dot(start, start, dimension).squareRoot(), 1e-12)
    }
}
