// Bicubic resize with antialiasing, byte for byte that of the reference's backends: along rows first, rounded to 8 bits, then along
// columns. Vectors run over pixels that share their weights: along a row for the second pass, and for the first pass over 32
// rows at a time, laid so that a column's values lie side by side.

import Tensor

extension RGBImage {
    /// The picture in another size.
    ///
    /// Runs on all threads, except inside a task of theirs; the bytes do not depend on it.
    package func resized(height: Int, width: Int, backend: ImageProcessorConfig.Backend) -> RGBImage {
        resizedRows(to: width, backend).resizedColumns(to: height, backend)
    }

    /// Along each row.                                              [height, width, 3]
    private func resizedRows(to width: Int, _ backend: ImageProcessorConfig.Backend) -> RGBImage {
        guard width != self.width else { return self }
        let axis = ResizeAxis(input: self.width, output: width, backend: backend)
        let result = RGBImage(width: width, height: height)
        Threads.run(height, grain: RowBlock.rows) { rows in
            let source = RowBlock(columns: rowBytes)
            let target = RowBlock(columns: result.rowBytes)
            source.load(self, rows)
            for place in 0..<width {
                for colour in 0..<3 {
                    let first = source.column(3 * axis.starts[place] + colour)
                    axis.mix(first, stride: 3 * RowBlock.rows, place, into: target.column(3 * place + colour), count: RowBlock.rows)
                }
            }
            target.store(to: result, rows)
        }
        return result
    }

    /// Along each column.                                           [height, width, 3]
    private func resizedColumns(to height: Int, _ backend: ImageProcessorConfig.Backend) -> RGBImage {
        guard height != self.height else { return self }
        let axis = ResizeAxis(input: self.height, output: height, backend: backend)
        let result = RGBImage(width: width, height: height)
        Threads.run(height, grain: 16) { rows in
            for place in rows {
                axis.mix(row(axis.starts[place]), stride: rowBytes, place, into: result.row(place), count: rowBytes)
            }
        }
        return result
    }
}

extension ResizeAxis {
    /// One output for `count` values that share its weights.
    ///
    ///     target[i] = clip((Σ_k weight[k] · source[k · stride + i] + ½) / 2^precision)
    ///
    /// Sums in Int32: weights of 22 places times 8 bits, and what cubic weights overshoot, stay below 2³¹.
    @inline(__always)
    fileprivate func mix(
        _ source: UnsafePointer<UInt8>, stride: Int, _ place: Int, into target: UnsafeMutablePointer<UInt8>, count: Int
    ) {
        weights.withUnsafeBufferPointer { weights in
            let weights = UnsafeBufferPointer(rebasing: weights[place * taps..<place * taps + counts[place]])
            let half = Int32(1) << Int32(precision - 1)
            var i = 0
            while i + 32 <= count {
                mixVectors(source + i, stride, weights, half, target + i)
                i += 32
            }
            while i < count {
                var sum = half
                for tap in 0..<weights.count { sum &+= weights[tap] &* Int32(source[tap * stride + i]) }
                target[i] = UInt8(truncatingIfNeeded: min(max(sum >> Int32(precision), 0), 255))
                i += 1
            }
        }
    }

    /// 32 values in two vectors.
    @inline(__always)
    private func mixVectors(
        _ source: UnsafePointer<UInt8>, _ stride: Int, _ weights: UnsafeBufferPointer<Int32>, _ half: Int32,
        _ target: UnsafeMutablePointer<UInt8>
    ) {
        var (low, high) = (SIMD16(repeating: half), SIMD16(repeating: half))
        var bytes = UnsafeRawPointer(source)
        for weight in weights {
            low &+= SIMD16(truncatingIfNeeded: bytes.loadUnaligned(as: SIMD16<UInt8>.self)) &* weight
            high &+= SIMD16(truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: 16, as: SIMD16<UInt8>.self)) &* weight
            bytes += stride
        }
        let (shift, zeros, ones) = (SIMD16(repeating: Int32(precision)), SIMD16<Int32>(repeating: 0), SIMD16<Int32>(repeating: 255))
        let raw = UnsafeMutableRawPointer(target)
        raw.storeBytes(
            of: SIMD16<UInt8>(truncatingIfNeeded: (low &>> shift).clamped(lowerBound: zeros, upperBound: ones)), as: SIMD16<UInt8>.self)
        raw.storeBytes(
            of: SIMD16<UInt8>(truncatingIfNeeded: (high &>> shift).clamped(lowerBound: zeros, upperBound: ones)), toByteOffset: 16,
            as: SIMD16<UInt8>.self)
    }
}
