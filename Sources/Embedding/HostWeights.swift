// The backbone's matrices as products take them, one copy for all ranks of a host. Where the file holds the engine's type they are
// used as they are mapped. Else, or where they are packed once for all products, each rank prepares its share into a file in memory
// that all of them map.

import Comm
import Files
import Model
import Tensor

/// How a host holds the weights.
package struct HostWeights: Sendable {
    /// The backbone with the matrices that products take.
    package let checkpoint: Checkpoint
    /// The copy of the matrices that the ranks of this host share; nil where there is none.
    package let copy: Copy?
    /// Sentences for the user where the ranks of this host cannot share a copy.
    package let notices: [String]

    /// A second form of the matrices in memory.
    package struct Copy: Sendable {
        /// What the copy is.
        package let form: Form
        /// Bytes of the copy, once a host.
        package let bytes: Int
    }

    /// The form that matrices are copied into.
    package enum Form: Sendable {
        /// The element type that products take.
        case converted
        /// The order in which the kernels read a matrix, for the forward and for the backward product.
        case packed
    }

    /// Decides how the host holds the matrices, and makes their copy where there is to be one.
    ///
    /// Collective.
    ///
    /// - Parameters:
    ///   - packing: whether matrices are packed once
    ///   - memoryLimit: bytes; a copy that could be done without is made when it takes at most half of them
    init(_ checkpoint: Checkpoint, _ engine: MatrixEngine, _ world: Communicator, packing: PackedWeights, memoryLimit: Int) throws {
        let matrices = checkpoint.layers.flatMap(\.matrices)
        let host = try world.split(by: Array("host \(world.hosts.hostOfRank[world.rank])".utf8))
        // What is free, and how fast, may look different to each rank; the first one's view decides for the host.
        let wanted = host.rank == 0 ? Self.form(matrices, engine, packing, memoryLimit) : nil
        let form: Form? =
            switch try host.broadcast([wanted == nil ? UInt8(0) : wanted == .converted ? 1 : 2]) {
            case [1]: .converted
            case [2]: .packed
            default: nil
            }
        guard let form else {
            (self.checkpoint, copy, notices) = (checkpoint, nil, [])
            return
        }
        let shared = try Self.share(matrices, engine, form, host)
        self.checkpoint = shared.map(checkpoint.replacing) ?? checkpoint
        copy = shared.map { _ in Copy(form: form, bytes: matrices.reduce(0) { $0 + Self.size(of: $1, engine, form) }) }
        let what = "the backbone is \(matrices[0].element.rawValue) and products are \(engine.kind.rawValue)"
        switch (shared, form) {
        case (nil, .converted) where !matrices.allSatisfy({ engine.multiplies($0.element) }):
            notices = ["\(what): this host's ranks cannot share memory, so each holds a rounded copy"]
        case (nil, .converted): notices = ["\(what): this host's ranks cannot share memory, so matrices are widened as they are multiplied"]
        case (nil, .packed): notices = ["this host's ranks cannot share memory, so matrices are packed as they are multiplied"]
        default: notices = []
        }
    }

    /// The form that the matrices are copied into; nil where they are multiplied as they are stored.
    private static func form(_ matrices: [WeightMatrix], _ engine: MatrixEngine, _ packing: PackedWeights, _ memoryLimit: Int) -> Form? {
        func fits(_ form: Form) -> Bool { 2 * matrices.reduce(0) { $0 + size(of: $1, engine, form) } <= memoryLimit }
        let isStored = matrices.allSatisfy { engine.multiplies($0.element) }
        if engine.library == .own {
            if packing == .on || packing == .automatic && fits(.packed) && PackedWeight.repays(matrices, engine) { return .packed }
            return isStored ? nil : .converted
        }
        let isWidened = engine.library == .openBLAS && !matrices.allSatisfy { $0.element == .float32 }
        return !isStored || isWidened && fits(.converted) ? .converted : nil
    }

    /// Makes the copy of the matrices, each rank its share.
    ///
    /// Collective over the ranks of a host.
    ///
    /// - Returns: the prepared matrices; nil when the ranks cannot open one another's memory
    private static func share(_ matrices: [WeightMatrix], _ engine: MatrixEngine, _ form: Form, _ host: Communicator) throws
        -> [WeightMatrix]?
    {
        do {
            let created = try host.together { () -> PlacedFile? in
                host.rank == 0 ? try PlacedFile(inMemory: "shoal weights") : nil
            }
            let path = String(decoding: try host.broadcast(Array((created?.path ?? "").utf8)), as: UTF8.self)
            var offsets = [0]
            for matrix in matrices { offsets.append(offsets.last! + size(of: matrix, engine, form)) }
            try host.together { () -> Void in
                let file = if let created { created } else { try PlacedFile(opening: path) }
                for index in matrices.indices where index % host.worldSize == host.rank {
                    let prepared = prepared(matrices[index], engine, form)
                    try file.write(prepared.bytes, at: offsets[index])
                }
            }
            let mapped = try host.together { try MappedFile(path: path) }
            withExtendedLifetime(created) {}
            return zip(matrices, offsets).map { matrix, offset in
                guard form == .packed else {
                    return WeightMatrix(mapped, at: offset, rows: matrix.rows, columns: matrix.columns, element: engine.weightElement)
                }
                var matrix = matrix
                matrix.packed = PackedWeight(mapped, at: offset, rows: matrix.rows, columns: matrix.columns, engine: engine)
                return matrix
            }
        } catch let error as UserError where [.output, .missing, .inputOutput].contains(error.code) {
            return nil
        }
    }

    /// The bytes of a matrix in another form.
    private static func prepared(_ matrix: WeightMatrix, _ engine: MatrixEngine, _ form: Form) -> WeightMatrix {
        guard form == .packed else { return matrix.converted(to: engine.weightElement) }
        return WeightMatrix(PackedWeight.pack(engine.prepare(matrix), engine: engine))
    }

    /// Bytes of a matrix in another form, in whole cache lines.
    private static func size(of matrix: WeightMatrix, _ engine: MatrixEngine, _ form: Form) -> Int {
        let bytes =
            switch form {
            case .converted: matrix.count * engine.weightElement.byteWidth
            case .packed: PackedWeight.byteCount(rows: matrix.rows, columns: matrix.columns, engine: engine)
            }
        return (bytes + 63) / 64 * 64
    }
}
