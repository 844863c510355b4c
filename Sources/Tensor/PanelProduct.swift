// Products of activations and weights by our own kernels. Activations are packed once, whole, and serve any number of weights;
// a weight is read from where it is mapped and packed block by block into the cache, so there is no second copy of it.

import CMatrixKernels

/// Rows of activations in the order in which a kernel reads them.
///
/// Block after block of the depth; in a block, panel after panel of rows.
struct PackedRows {
    let kernel: PanelKernel
    let rows: Int
    let depth: Int
    private let words: Tensor

    /// - Parameter x: [rows, depth], the kernel's element type
    init(_ x: Tensor, for kernel: PanelKernel) {
        (self.kernel, rows, depth) = (kernel, x.rows, x.columns)
        let stride = x.columns * x.element.byteWidth
        let blocks = PanelProduct.blocks(of: depth, kernel)
        let padded = kernel.paddedRows(rows)
        words = Tensor(padded, blocks.reduce(0) { $0 + kernel.words($1.count) })
        let target = UnsafeMutableRawPointer(words.memory).assumingMemoryBound(to: UInt32.self)
        let source = UnsafeRawPointer(x.memory)
        Threads.run(rows, grain: kernel.tileRows * 8) { part in
            var start = target
            for block in blocks {
                let width = kernel.words(block.count)
                kernel.pack(
                    source + part.lowerBound * stride + block.lowerBound * x.element.byteWidth, stride: stride, rows: part.count,
                    depth: block.count, into: start + part.lowerBound * width)
                start += padded * width
            }
        }
        withExtendedLifetime(x) {}
    }

    /// The panels of one block of the depth, from `row` on, which begins a panel.
    ///
    /// - Parameter words: of a row in all blocks before it
    func withPanels(after words: Int, width: Int, fromRow row: Int, _ body: (UnsafePointer<UInt32>) -> Void) {
        withExtendedLifetime(self.words) {
            let start = UnsafeRawPointer(self.words.memory).assumingMemoryBound(to: UInt32.self)
            body(start + kernel.paddedRows(rows) * words + row * width)
        }
    }
}

/// The product of packed activations and a weight, on all threads.
enum PanelProduct {
    /// The depth, cut into what is multiplied at a time.
    static func blocks(of depth: Int, _ kernel: PanelKernel) -> [Range<Int>] {
        stride(from: 0, to: depth, by: kernel.depthBlock).map { $0..<min($0 + kernel.depthBlock, depth) }
    }

    /// target (+)= x·weightᵀ, or x·weight.
    ///
    /// - Parameters:
    ///   - transposed: the weight lies as [columns, depth], not as [depth, columns]
    ///   - target: [rows, columns], float32 or bfloat16; a bfloat16 result is rounded once, at the end
    static func multiply(_ x: PackedRows, _ weight: WeightMatrix, transposed: Bool, into target: Tensor, accumulate: Bool) {
        let task = Task(x: x, weight: weight, transposed: transposed, target: target, accumulate: accumulate)
        let grid = Grid(rows: x.rows, columns: target.columns, x.kernel)
        Threads.run(grid.count) { index in
            let (rows, columns) = grid[index]
            // Threads take tasks in turn, so this is probably the one that this thread takes next.
            let next = index + Threads.count
            task.run(rows, columns, next: next < grid.count ? grid[next].columns : nil)
        }
    }

    /// How a product is cut into tasks: by columns as far as that occupies all threads, so that a weight is packed once; then by
    /// rows, too. The bits do not depend on it.
    private struct Grid {
        let rows: Int
        let columns: Int
        let rowGrain: Int
        let columnGrain: Int

        init(rows: Int, columns: Int, _ kernel: PanelKernel) {
            (self.rows, self.columns) = (rows, columns)
            let panels = (columns + kernel.tileColumns - 1) / kernel.tileColumns
            let wanted = Threads.count == 1 ? 1 : 4 * Threads.count
            columnGrain = min(max(panels / wanted, 1) * kernel.tileColumns, kernel.columnBlock)
            let across = (columns + columnGrain - 1) / columnGrain
            let down = across >= Threads.count ? 1 : (2 * Threads.count + across - 1) / across
            let share = (rows + down - 1) / down
            // Two tiles of rows share a tile of columns in AMX.
            let grain = 2 * kernel.tileRows
            rowGrain = (share + grain - 1) / grain * grain
        }

        var count: Int { ((rows + rowGrain - 1) / rowGrain) * ((columns + columnGrain - 1) / columnGrain) }

        subscript(index: Int) -> (rows: Range<Int>, columns: Range<Int>) {
            let across = (columns + columnGrain - 1) / columnGrain
            let (row, column) = (index / across * rowGrain, index % across * columnGrain)
            return (row..<min(row + rowGrain, rows), column..<min(column + columnGrain, columns))
        }
    }

    private struct Task {
        let x: PackedRows
        let weight: WeightMatrix
        let transposed: Bool
        let target: Tensor
        let accumulate: Bool

        /// - Parameter next: columns that will probably be multiplied after these
        func run(_ rows: Range<Int>, _ columns: Range<Int>, next: Range<Int>?) {
            guard target.element == .bfloat16 else {
                let start = target.start + rows.lowerBound * target.columns + columns.lowerBound
                return multiply(rows, columns, into: start, target.columns, next: next)
            }
            let sums = Tensor(rows.count, columns.count)
            let rounded = target.pointer(to: BFloat16.self) + columns.lowerBound
            let wide = sums.start
            if accumulate {
                for row in rows {
                    let (from, to) = (rounded + row * target.columns, wide + (row - rows.lowerBound) * columns.count)
                    for i in 0..<columns.count { to[i] = from[i].float }
                }
            }
            multiply(rows, columns, into: wide, columns.count, next: next)
            for row in rows {
                let (from, to) = (wide + (row - rows.lowerBound) * columns.count, rounded + row * target.columns)
                for i in 0..<columns.count { to[i] = BFloat16(rounding: from[i]) }
            }
            withExtendedLifetime(sums) {}
        }

        private func multiply(
            _ rows: Range<Int>, _ columns: Range<Int>, into c: UnsafeMutablePointer<Float>, _ stride: Int, next: Range<Int>?
        ) {
            let kernel = x.kernel
            let packed = weight.packed.flatMap { $0.kernel == kernel ? $0 : nil }
            let workspace = packed == nil ? Tensor(kernel.paddedColumns(columns.count), kernel.words(min(kernel.depthBlock, x.depth))) : nil
            var wordsBefore = 0
            let blocks = PanelProduct.blocks(of: x.depth, kernel)
            for (number, block) in blocks.enumerated() {
                let b =
                    packed?.panels(
                        transposed: transposed, after: wordsBefore, width: kernel.words(block.count), fromColumn: columns.lowerBound)
                    ?? pack(columns, block, into: workspace!)
                let words = kernel.words(block.count)
                var ahead = panel_ahead()
                if packed == nil {
                    if number + 1 < blocks.count {
                        ahead = lines(columns, blocks[number + 1])
                    } else if let next {
                        ahead = lines(next, blocks[0])
                    }
                }
                for row in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: kernel.rowBlock) {
                    x.withPanels(after: wordsBefore, width: words, fromRow: row) { a in
                        kernel.multiply(
                            rows: min(kernel.rowBlock, rows.upperBound - row), columns: columns.count, depth: block.count, a, b,
                            into: c + (row - rows.lowerBound) * stride, stride: stride, accumulate: accumulate || block.lowerBound > 0,
                            ahead: ahead)
                    }
                    ahead = panel_ahead()
                }
                wordsBefore += words
            }
            withExtendedLifetime((workspace, weight)) {}
        }

        /// Copies a block of the weight as it is stored into panels.
        private func pack(_ columns: Range<Int>, _ block: Range<Int>, into workspace: Tensor) -> UnsafePointer<UInt32> {
            let panels = UnsafeMutableRawPointer(workspace.memory).assumingMemoryBound(to: UInt32.self)
            x.kernel.pack(
                weight: start(columns, block), weight.element, stride: weight.columns * weight.element.byteWidth, alongDepth: transposed,
                columns: columns.count, depth: block.count, into: panels)
            return UnsafePointer(panels)
        }

        /// The cache lines of a block of the weight.
        private func lines(_ columns: Range<Int>, _ block: Range<Int>) -> panel_ahead {
            let (rows, width) = transposed ? (columns.count, block.count) : (block.count, columns.count)
            let bytes = weight.element.byteWidth
            return panel_ahead_of(start(columns, block), weight.columns * bytes, rows, width * bytes)
        }

        /// The first element of a block of the weight as it is stored.
        private func start(_ columns: Range<Int>, _ block: Range<Int>) -> UnsafeRawPointer {
            let (row, column) = transposed ? (columns.lowerBound, block.lowerBound) : (block.lowerBound, columns.lowerBound)
            return weight.memory + (row * weight.columns + column) * weight.element.byteWidth
        }
    }
}
