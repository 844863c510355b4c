// The promise under all others, put to the test on the machine at hand: a row of a product has the same bits in any company and
// on any number of threads. Our own kernels keep it by construction; a library keeps it or not, by processor and version.

/// A check of an engine on the shapes that a run multiplies.
package enum EngineProof {
    /// A frozen matrix [out, in].
    package struct Shape: Hashable, Sendable {
        /// Rows of the matrix.
        package let out: Int
        /// Columns of the matrix.
        package let `in`: Int

        /// Creates the shape of a matrix [out, in].
        package init(out: Int, in width: Int) {
            self.out = out
            self.in = width
        }
    }

    /// Row counts that are held against all rows at once.
    private static let rowCounts = [1, 2, 7, 31, 64]
    private static let allRows = 200

    /// Multiplies each shape forward and backward with few rows, with many, and on one thread.
    ///
    /// Takes most of a second for the shapes of a model of three billion parameters on two cores.
    /// - Returns: where the bits differ, as part of a sentence; nil when they never do
    package static func firstDifference(_ engine: MatrixEngine, shapes: [Shape]) -> String? {
        for shape in shapes {
            let weight = WeightMatrix(noise(shape.out, shape.in, engine.element, seed: 1))
            let forward = { (x: Tensor) in engine.forward(x, weight) }
            let backward = { (x: Tensor) in engine.backward(x, weight) }
            for (product, depth) in [(forward, shape.in), (backward, shape.out)] {
                let x = noise(allRows, depth, engine.element, seed: 2)
                let all = product(x)
                let what = "[rows, \(depth)] × [\(depth), \(all.columns)]"
                for rows in rowCounts {
                    let first = (allRows - rows) / 2
                    guard same(product(x.rows(first..<first + rows)), all, from: first) else {
                        return "\(what): \(rows == 1 ? "a row alone differs" : "\(rows) rows differ") from the same among \(allRows)"
                    }
                }
                guard Threads.count == 1 || same(Threads.alone { product(x.rows(0..<64)) }, all, from: 0) else {
                    return "\(what): one thread differs from \(Threads.count)"
                }
            }
        }
        return nil
    }

    fileprivate static func same(_ few: Tensor, _ all: Tensor, from first: Int) -> Bool {
        withExtendedLifetime((few, all)) {
            let other = all.start + first * all.columns
            return (0..<few.count).allSatisfy { few.start[$0].bitPattern == other[$0].bitPattern }
        }
    }

    /// Values between -1 and 1 with many significant bits, so that every other order of a sum shows.
    fileprivate static func noise(_ rows: Int, _ columns: Int, _ element: Tensor.Element, seed: UInt64) -> Tensor {
        let wide = Tensor(rows, columns)
        let target = wide.start
        Threads.run(rows, grain: 16) { block in
            for index in block.lowerBound * columns..<block.upperBound * columns {
                var bits = (UInt64(index) &+ seed &<< 40) &* 0x9e37_79b9_7f4a_7c15
                bits ^= bits &>> 32
                bits = bits &* 0xd6e8_feb8_6659_fd93
                target[index] = Float(Int32(truncatingIfNeeded: bits &>> 32)) * 0x1p-31
            }
        }
        guard element == .bfloat16 else { return wide }
        let rounded = Tensor(rows, columns, .bfloat16)
        let values = rounded.pointer(to: BFloat16.self)
        Threads.run(rows, grain: 16) { block in
            for index in block.lowerBound * columns..<block.upperBound * columns { values[index] = BFloat16(rounding: target[index]) }
        }
        withExtendedLifetime(wide) {}
        return rounded
    }
}

extension MatrixEngine {
    /// Whether the instruction for bfloat16 pairs computes what its manuals say, where this engine uses it: then its bits are those
    /// of every processor that computes the same chain by fused multiply-adds.
    package var computesPairsAsDocumented: Bool {
        guard library == .own, PanelKernel(kind: kind, instructions: instructions).arithmetic == .pairs else { return true }
        let (x, weight) = (EngineProof.noise(29, 333, .bfloat16, seed: 3), WeightMatrix(EngineProof.noise(70, 333, .bfloat16, seed: 4)))
        let chain = MatrixEngine(.bfloat16, .own, .avx2).forward(x, weight)
        return EngineProof.same(forward(x, weight), chain, from: 0)
    }
}
