// Gradients as 64-bit fixed point. Integer addition is associative, so a sum has the same bits in whatever order and on
// however many ranks its parts were added; floating-point sums have not.

import Synchronization

/// Sums of floats that do not depend on the order of adding: integers of 2⁻⁵⁰.
///
/// Resolution 9·10⁻¹⁶; a sum reaches ±2¹³. Each part that is added is held below 2¹² ÷ (number of parts), so that no sum
/// of all parts can overflow; what does not fit, or is not finite, is remembered in `isInRange`.
package final class ExactSum: @unchecked Sendable {
    static let scale: Double = 0x1p50

    /// Number of elements.
    package let count: Int
    package let values: UnsafeMutablePointer<Int64>
    /// Largest magnitude a single part may have.
    package private(set) var limit: Float
    private let failed = Atomic<Bool>(false)

    /// Creates a sum of zeros.
    package init(count: Int) {
        self.count = count
        limit = 0x1p12
        values = .allocate(capacity: count)
        values.initialize(repeating: 0, count: count)
    }

    /// Back to zero.
    ///
    /// - Parameter parts: how many parts all ranks together will add to an element, at most
    package func reset(parts: Int) {
        limit = 0x1p12 / Float(max(parts, 1))
        failed.store(false, ordering: .relaxed)
        Threads.run(count, grain: 1 << 16) { (values + $0.lowerBound).update(repeating: 0, count: $0.count) }
    }

    deinit { values.deallocate() }

    /// False once a part was not finite or too large.
    package var isInRange: Bool { !failed.load(ordering: .relaxed) }

    /// Adds `part` to the elements from `offset` on, each rounded to the nearest multiple of 2⁻⁵⁰.
    ///
    /// Safe from several threads for disjoint elements.
    package func add(_ part: Span<Float>, at offset: Int) {
        part.withUnsafeBufferPointer { add($0, at: offset) }
    }

    func add(_ part: UnsafeBufferPointer<Float>, at offset: Int) {
        precondition(offset >= 0 && offset + part.count <= count, "ExactSum: \(offset) + \(part.count) beyond \(count)")
        guard let source = part.baseAddress else { return }
        let target = values + offset
        // A double holds part · 2⁵⁰ exactly, but not as an integer that a conversion by adding 1.5 · 2⁵² could read:
        // that reaches 2⁵¹ only. So the upper and lower 32 bits are converted one after the other.
        let shift = 0x1.8p52
        let shiftBits = Int64(bitPattern: shift.bitPattern)
        var largest: UInt32 = 0
        for i in 0..<part.count {
            largest = max(largest, source[i].bitPattern & 0x7fff_ffff)
            let scaled = Double(source[i]) * Self.scale
            let high = scaled * 0x1p-32 + shift
            let low = (scaled - (high - shift) * 0x1p32) + shift
            let integer =
                ((Int64(bitPattern: high.bitPattern) &- shiftBits) &<< 32) &+ (Int64(bitPattern: low.bitPattern) &- shiftBits)
            target[i] &+= integer
        }
        if largest >= limit.bitPattern { failed.store(true, ordering: .relaxed) }
    }

    /// Calls `body` with the first `count` sums, to be read and written: integers of 2⁻⁵⁰.
    package func withSums<Result, Failure: Error>(
        _ count: Int, _ body: (inout MutableSpan<Int64>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition((0...self.count).contains(count), "ExactSum: \(count) of \(self.count)")
        defer { withExtendedLifetime(self) {} }
        var sums = MutableSpan(_unsafeStart: values, count: count)
        return try body(&sums)
    }

    /// The first `count` sums times a factor, rounded to Float.
    package func rounded(_ count: Int, times factor: Float = 1) -> [Float] {
        let unit = Double(factor) / Self.scale
        return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            let target = buffer.baseAddress!
            Threads.run(count, grain: 1 << 16) { range in
                for i in range { target[i] = Float(Double(values[i]) * unit) }
            }
            initialized = count
        }
    }
}

/// Adds leftᵀ·right of every chunk of rows to an exact sum: the weight gradient of a product, chunk by chunk.
///
/// The rows of a chunk are summed in Float in their order; chunks are added as integers. So the result depends on the
/// chunks, not on how they are spread over microbatches, threads or ranks.
/// - Parameters:
///   - left: [rows, M]; right: [rows, N], each float32 or bfloat16
///   - chunks: ranges of rows
///   - offset: where the [M, N] block begins in `sum`
package func addOuterProducts(_ left: Tensor, _ right: Tensor, chunks: [Range<Int>], to sum: ExactSum, at offset: Int) {
    precondition(left.rows == right.rows, "outer product: [\(left.rows), \(left.columns)]ᵀ × [\(right.rows), \(right.columns)]")
    let (m, n) = (left.columns, right.columns)
    // Tiles of the result span the narrow side (an adapter's rank), which is widened once for all of them, and are small enough
    // that the integers stay in a near cache over all chunks.
    let (left, right) = m < n ? (widened(left), right) : (left, widened(right))
    let tileRows = min(m, m < n ? 128 : 64)
    let tileColumns = min(n, m < n ? 64 : 128)
    let (down, across) = ((m + tileRows - 1) / tileRows, (n + tileColumns - 1) / tileColumns)
    Threads.run(down * across) { task in
        let rows = task / across * tileRows..<min((task / across + 1) * tileRows, m)
        let columns = task % across * tileColumns..<min((task % across + 1) * tileColumns, n)
        let part = Tensor(rows.count, columns.count)
        for chunk in chunks {
            let (a, b) = (left.tile(chunk, rows), right.tile(chunk, columns))
            BlockProduct.multiply(
                rows: rows.count, columns: columns.count, depth: chunk.count,
                Strided(a.start, rowStride: 1, columnStride: a.stride), b.start, bStride: b.stride, into: part.start,
                cStride: columns.count, accumulate: false)
            withExtendedLifetime((a, b)) {}
            for row in 0..<rows.count {
                sum.add(
                    UnsafeBufferPointer(start: part.start + row * columns.count, count: columns.count),
                    at: offset + (rows.lowerBound + row) * n + columns.lowerBound)
            }
        }
        withExtendedLifetime(part) {}
    }
}

/// x as float32, with rows of whole vectors where a copy is made.
private func widened(_ x: Tensor) -> Tensor {
    x.element == .float32 ? x : x.tile(0..<x.rows, 0..<x.columns).owner
}

/// Part of a tensor as floats, rows `stride` apart and readable up to whole vectors.
private struct Tile {
    let start: UnsafePointer<Float>
    let stride: Int
    let owner: Tensor
}

extension Tensor {
    /// Where it lies when that is float32 in whole vectors, else a copy.
    fileprivate func tile(_ rows: Range<Int>, _ columns: Range<Int>) -> Tile {
        let offset = rows.lowerBound * self.columns + columns.lowerBound
        if element == .float32 && BlockProduct.padded(self.columns) == self.columns {
            return Tile(start: start + offset, stride: self.columns, owner: self)
        }
        let copy = Tensor(rows.count, BlockProduct.padded(columns.count))
        func run<S: Scalar>(_: S.Type) {
            var (source, target) = (pointer(to: S.self) + offset, copy.start)
            for _ in rows {
                for column in 0..<columns.count { target[column] = source[column].float }
                source += self.columns
                target += copy.columns
            }
        }
        element == .float32 ? run(Float.self) : run(BFloat16.self)
        return Tile(start: copy.start, stride: copy.columns, owner: copy)
    }
}
