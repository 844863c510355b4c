// A weight copied once into the order in which a kernel reads it, for the forward and for the backward product. It saves the
// packing of every product and costs the weight's size twice; the bits are the same either way.

import CMatrixKernels
import Files

/// A weight [out, in] in panels, owned by something else, usually memory that the ranks of a host share.
package struct PackedWeight: @unchecked Sendable {
    let kernel: PanelKernel
    private let rows: Int
    private let columns: Int
    private let memory: UnsafeRawPointer
    private let owner: AnyObject

    /// Creates a view of panels that `pack` made of a weight [rows, columns] and that lie in a mapped file from byte `offset` on.
    package init(_ file: MappedFile, at offset: Int, rows: Int, columns: Int, engine: MatrixEngine) {
        let bytes = Self.byteCount(rows: rows, columns: columns, engine: engine)
        precondition(
            offset >= 0 && offset % 64 == 0 && offset + bytes <= file.bytes.count,
            "PackedWeight: \(bytes) bytes at \(offset) of \(file.bytes.count)")
        self.init(memory: file.bytes.baseAddress! + offset, rows: rows, columns: columns, engine: engine, owner: file)
    }

    private init(memory: UnsafeRawPointer, rows: Int, columns: Int, engine: MatrixEngine, owner: AnyObject) {
        kernel = PanelKernel(kind: engine.kind, instructions: engine.instructions)
        (self.rows, self.columns, self.memory, self.owner) = (rows, columns, memory, owner)
    }

    /// Bytes of a weight [rows, columns] in panels for both products.
    package static func byteCount(rows: Int, columns: Int, engine: MatrixEngine) -> Int {
        let kernel = PanelKernel(kind: engine.kind, instructions: engine.instructions)
        return 4 * (words(lanes: rows, depth: columns, kernel) + words(lanes: columns, depth: rows, kernel))
    }

    /// The panels of `weight`, made on all threads: `byteCount` bytes that mean nothing as floats.    [1, byteCount / 4]
    ///
    /// - Parameter weight: in an element type that the engine multiplies
    package static func pack(_ weight: WeightMatrix, engine: MatrixEngine) -> Tensor {
        let kernel = PanelKernel(kind: engine.kind, instructions: engine.instructions)
        let panels = Tensor(1, byteCount(rows: weight.rows, columns: weight.columns, engine: engine) / 4)
        let start = panels.memory.assumingMemoryBound(to: UInt32.self)
        pack(weight, kernel, transposed: true, into: start)
        pack(weight, kernel, transposed: false, into: start + words(lanes: weight.rows, depth: weight.columns, kernel))
        return panels
    }

    private static func pack(_ weight: WeightMatrix, _ kernel: PanelKernel, transposed: Bool, into target: UnsafeMutablePointer<UInt32>) {
        let (lanes, depth) = transposed ? (weight.rows, weight.columns) : (weight.columns, weight.rows)
        let width = weight.element.byteWidth
        Threads.run(lanes, grain: 4 * kernel.tileColumns) { part in
            var start = target
            for block in PanelProduct.blocks(of: depth, kernel) {
                let words = kernel.words(block.count)
                let first =
                    transposed ? part.lowerBound * weight.columns + block.lowerBound : block.lowerBound * weight.columns + part.lowerBound
                kernel.pack(
                    weight: weight.memory + first * width, weight.element, stride: weight.columns * width, alongDepth: transposed,
                    columns: part.count, depth: block.count, into: start + part.lowerBound * words)
                start += kernel.paddedColumns(lanes) * words
            }
        }
    }

    private static func words(lanes: Int, depth: Int, _ kernel: PanelKernel) -> Int {
        kernel.paddedColumns(lanes) * PanelProduct.blocks(of: depth, kernel).reduce(0) { $0 + kernel.words($1.count) }
    }

    /// Whether products with packed weights are at least a tenth faster here, measured on the largest of `matrices`.
    package static func repays(_ matrices: [WeightMatrix], _ engine: MatrixEngine) -> Bool {
        guard let largest = matrices.max(by: { $0.count < $1.count }) else { return false }
        let stored = engine.prepare(largest)
        let panels = pack(stored, engine: engine)
        var packed = stored
        packed.packed = PackedWeight(memory: panels.memory, rows: stored.rows, columns: stored.columns, engine: engine, owner: panels)
        let x = engine.rows(.zeros(512, stored.columns, engine.element))
        let clock = ContinuousClock()
        var best = (stored: Duration.seconds(3600), packed: Duration.seconds(3600))
        // In turns: a processor that is slowed down for a while then slows both.
        for _ in 0..<5 {
            best.stored = min(best.stored, clock.measure { _ = engine.forward(x, stored) })
            best.packed = min(best.packed, clock.measure { _ = engine.forward(x, packed) })
        }
        return best.packed * 10 < best.stored * 9
    }

    /// The panels of one block of the depth, from `column` on, which begins a panel.
    ///
    /// - Parameters:
    ///   - words: of a column in all blocks before it
    ///   - width: words of a column in this block
    func panels(transposed: Bool, after words: Int, width: Int, fromColumn column: Int) -> UnsafePointer<UInt32> {
        let start = memory.assumingMemoryBound(to: UInt32.self)
        let direction = transposed ? start : start + Self.words(lanes: rows, depth: columns, kernel)
        return direction + kernel.paddedColumns(transposed ? rows : columns) * words + column * width
    }
}

/// `system.packed_weights`: whether matrices are copied once into the order in which the kernels read them.
package enum PackedWeights: String, Sendable {
    /// Where a memory limit is set and allows it, and a measurement says that it pays.
    case automatic = "auto"
    case on
    case off
}
