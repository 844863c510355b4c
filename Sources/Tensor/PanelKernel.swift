// The kernels of products and the shapes that they work in. Each adds the depth of an element in one chain in a fixed order,
// so an element's bits depend on its row, its column and the depth alone: not on rows, threads, blocks or alignment.

import CMatrixKernels

/// One of the kernels: instructions, and the element type of the operands.
struct PanelKernel: Hashable, Sendable {
    let kind: MatrixEngine.Kind
    let instructions: InstructionSet

    /// The arithmetic that decides an element's bits.
    enum Arithmetic: Sendable {
        /// A chain of float32 fused multiply-adds.
        case float32
        /// The same for widened bfloat16 values, the odd one of a pair first, denormals as zeros: what `vdpbf16ps` computes.
        case widenedPairs
        /// `vdpbf16ps` itself.
        case pairs
        /// `tdpbf16ps`.
        case tiles
    }

    var arithmetic: Arithmetic {
        switch (kind, instructions) {
        case (.float32, _): .float32
        case (.bfloat16, .amx): .tiles
        case (.bfloat16, .avx512BFloat16): .pairs
        case (.bfloat16, _): .widenedPairs
        }
    }

    /// Rows that lie side by side in a panel of activations.
    var tileRows: Int {
        if arithmetic == .tiles { return Int(amx_tile_rows) }
        return instructions == .avx2 ? Int(float32_tile_rows_avx2) : Int(float32_tile_rows_avx512)
    }

    /// Columns that lie side by side in a panel of weights.
    var tileColumns: Int { instructions == .avx2 ? Int(float32_tile_columns_avx2) : Int(float32_tile_columns_avx512) }

    /// Elements of the depth that are multiplied before the next block is packed: what the caches hold.
    var depthBlock: Int {
        switch arithmetic {
        case .float32, .widenedPairs: 256
        case .pairs: 512
        case .tiles: 2048
        }
    }

    /// Rows of a block that stays in the second cache while a panel of weights passes over it.
    var rowBlock: Int {
        switch arithmetic {
        case .tiles: 256
        default: instructions == .avx2 ? 96 : 14 * 12
        }
    }

    /// Columns of a task at most.
    var columnBlock: Int { arithmetic == .tiles ? 128 : 256 }

    /// What an element of activations becomes in a panel.
    var rowKind: panel_kind { weightKind(kind == .float32 ? .float32 : .bfloat16) }

    /// What an element of a weight becomes in a panel.
    func weightKind(_ element: WeightMatrix.Element) -> panel_kind {
        switch (arithmetic, element) {
        case (.float32, .float32): panel_float
        case (.float32, .bfloat16): panel_widened
        case (.float32, .float16): panel_widened_half
        case (.widenedPairs, _): panel_widened_swapped
        case (.pairs, _), (.tiles, _): panel_pairs
        }
    }

    /// Elements of the depth that a block of `depth` elements takes in a panel: whole pairs, whole tiles.
    func paddedDepth(_ depth: Int) -> Int {
        switch arithmetic {
        case .float32: depth
        case .widenedPairs, .pairs: (depth + 1) & ~1
        case .tiles: (depth + 31) & ~31
        }
    }

    /// Words of 32 bits that a row or column takes in a panel for `depth` elements.
    func words(_ depth: Int) -> Int {
        switch arithmetic {
        case .float32, .widenedPairs: paddedDepth(depth)
        case .pairs, .tiles: paddedDepth(depth) / 2
        }
    }

    /// `rows` rounded up to whole panels.
    func paddedRows(_ rows: Int) -> Int { (rows + tileRows - 1) / tileRows * tileRows }

    /// `columns` rounded up to whole panels.
    func paddedColumns(_ columns: Int) -> Int { (columns + tileColumns - 1) / tileColumns * tileColumns }

    /// Copies rows of activations into panels.
    ///
    /// - Parameters:
    ///   - source: the block's first element; matrix rows lie `stride` bytes apart
    ///   - panels: `paddedRows(rows) × words(depth)` words
    func pack(_ source: UnsafeRawPointer, stride: Int, rows: Int, depth: Int, into panels: UnsafeMutablePointer<UInt32>) {
        if arithmetic == .tiles {
            amx_pack_rows(source, stride, rows, depth, panels)
        } else {
            pack_rows(rowKind, source, stride, rows, depth, words(depth), tileRows, panels)
        }
    }

    /// Copies a block of a weight into panels.
    ///
    /// - Parameters:
    ///   - source: the block's first element; matrix rows lie `stride` bytes apart
    ///   - alongDepth: matrix rows are the columns of the product, as weights [out, in] lie in the forward product
    ///   - panels: as many words as `columns`, rounded up to whole panels, have for `depth`
    func pack(
        weight source: UnsafeRawPointer, _ element: WeightMatrix.Element, stride: Int, alongDepth: Bool, columns: Int, depth: Int,
        into panels: UnsafeMutablePointer<UInt32>
    ) {
        let pack = alongDepth ? pack_rows : pack_columns
        pack(weightKind(element), source, stride, columns, depth, words(depth), tileColumns, panels)
    }

    /// C (+)= A·B for a block: `a` and `b` as `pack` left them.
    ///
    /// - Parameter ahead: what is packed next, fetched meanwhile; tiles of AMX leave it to the processor
    func multiply(
        rows: Int, columns: Int, depth: Int, _ a: UnsafePointer<UInt32>, _ b: UnsafePointer<UInt32>,
        into c: UnsafeMutablePointer<Float>, stride: Int, accumulate: Bool, ahead: panel_ahead
    ) {
        let (words, sum) = (words(depth), Int32(accumulate ? 1 : 0))
        switch arithmetic {
        case .tiles: bfloat16_panels_amx(rows, columns, paddedDepth(depth), a, b, c, stride, sum)
        case .pairs: bfloat16_panels_avx512(rows, columns, words, a, b, c, stride, sum, ahead)
        case .widenedPairs:
            let state = floating_point_flush_denormals()
            float32(rows, columns, words, a, b, c, stride, sum, ahead)
            floating_point_restore(state)
        case .float32: float32(rows, columns, words, a, b, c, stride, sum, ahead)
        }
    }

    private func float32(
        _ rows: Int, _ columns: Int, _ depth: Int, _ a: UnsafePointer<UInt32>, _ b: UnsafePointer<UInt32>,
        _ c: UnsafeMutablePointer<Float>, _ stride: Int, _ accumulate: Int32, _ ahead: panel_ahead
    ) {
        let a = UnsafeRawPointer(a).assumingMemoryBound(to: Float.self)
        let b = UnsafeRawPointer(b).assumingMemoryBound(to: Float.self)
        if instructions == .avx2 {
            float32_panels_avx2(rows, columns, depth, a, b, c, stride, accumulate, ahead)
        } else {
            float32_panels_avx512(rows, columns, depth, a, b, c, stride, accumulate, ahead)
        }
    }
}
