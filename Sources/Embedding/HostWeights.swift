// The backbone's matrices in the type that the engine multiplies, one copy for all ranks of a host. Where the file holds that
// type they are used as they are mapped. Else each rank converts its share into a file in memory that all of them map.
//
// float32 products also take matrices as they are stored and widen each one when it is multiplied: slower by a few percent, and
// without a copy of twice the file. The bits are the same.

import Comm
import Files
import Model
import Tensor

/// How a host holds the weights.
package struct HostWeights: Sendable {
    /// With the matrices that products take.
    package let checkpoint: Checkpoint
    /// Of the copy; nil where there is none.
    package let convertedBytes: Int?
    /// Sentences for the user.
    package let notices: [String]

    /// Collective.
    ///
    /// - Parameter memoryLimit: a copy that could be done without is made when it takes at most half of it
    init(_ checkpoint: Checkpoint, _ engine: MatrixEngine, _ world: Communicator, memoryLimit: Int) throws {
        let matrices = checkpoint.layers.flatMap(\.matrices)
        let stored = matrices[0].element.rawValue
        let bytes = matrices.reduce(0) { $0 + Self.size(of: $1, engine) }
        let isNeeded = !matrices.allSatisfy { engine.multiplies($0.element) }
        let host = try world.split(by: Array("host \(world.hosts.hostOfRank[world.rank])".utf8))
        // What is free may look different to each rank; the first one's view decides for the host.
        let fits = try host.broadcast([2 * bytes <= memoryLimit ? UInt8(1) : 0]) == [1]
        let isStored = matrices.allSatisfy { $0.element == engine.weightElement }
        guard !isStored, isNeeded || fits else {
            (self.checkpoint, convertedBytes, notices) = (checkpoint, nil, [])
            return
        }
        let shared = try Self.share(matrices, engine, host)
        self.checkpoint = shared.map(checkpoint.replacing) ?? checkpoint
        convertedBytes = shared == nil ? nil : bytes
        let what = "the backbone is \(stored) and products are \(engine.kind.rawValue)"
        switch (shared, isNeeded) {
        case (nil, true): notices = ["\(what): this host's ranks cannot share memory, so each holds a rounded copy"]
        case (nil, false): notices = ["\(what): this host's ranks cannot share memory, so matrices are widened as they are multiplied"]
        default: notices = []
        }
    }

    /// Collective over the ranks of a host.
    ///
    /// - Returns: the converted matrices; nil when the ranks cannot open one another's memory
    private static func share(_ matrices: [WeightMatrix], _ engine: MatrixEngine, _ host: Communicator) throws -> [WeightMatrix]? {
        do {
            let created = try host.together { () -> PlacedFile? in
                host.rank == 0 ? try PlacedFile(inMemory: "shoal weights") : nil
            }
            let path = String(decoding: try host.broadcast(Array((created?.path ?? "").utf8)), as: UTF8.self)
            var offsets = [0]
            for matrix in matrices { offsets.append(offsets.last! + size(of: matrix, engine)) }
            try host.together { () -> Void in
                let file = if let created { created } else { try PlacedFile(opening: path) }
                for index in matrices.indices where index % host.worldSize == host.rank {
                    let converted = matrices[index].converted(to: engine.weightElement)
                    try file.write(converted.bytes, at: offsets[index])
                    withExtendedLifetime(converted) {}
                }
            }
            let mapped = try host.together { try MappedFile(path: path) }
            withExtendedLifetime(created) {}
            return zip(matrices, offsets).map { matrix, offset in
                WeightMatrix(
                    memory: mapped.bytes.baseAddress! + offset, rows: matrix.rows, columns: matrix.columns, element: engine.weightElement,
                    owner: mapped)
            }
        } catch let error as UserError where [.output, .missing, .inputOutput].contains(error.code) {
            return nil
        }
    }

    /// Whole cache lines.
    private static func size(of matrix: WeightMatrix, _ engine: MatrixEngine) -> Int {
        (matrix.count * engine.weightElement.byteWidth + 63) / 64 * 64
    }
}
