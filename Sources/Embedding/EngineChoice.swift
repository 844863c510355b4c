// From the settings of `system` to the matrix engine of a run, proven on the machine before it is trusted.

import Comm
import Files
import Foundation
import Model
import Tensor

/// The settings that choose what multiplies.
package struct EngineSettings: Sendable {
    /// Element type of products: `system.compute_dtype`.
    package var computeType: ComputeType
    /// The library that multiplies: `system.matrix_library`; nil: what serves best.
    package var library: MatrixEngine.Library?
    /// Whether the engine must keep the bits of a row apart from the other rows: `system.exact`.
    package var isExact: Bool
    /// Folder in which the result of the check is kept: `data.cache_dir`; nil: the user's own.
    package var cacheSetting: String?

    /// Creates settings; those left out are the configuration's defaults.
    package init(
        _ computeType: ComputeType = .automatic, library: MatrixEngine.Library? = nil, isExact: Bool = true,
        cacheSetting: String? = nil
    ) {
        self.computeType = computeType
        self.library = library
        self.isExact = isExact
        self.cacheSetting = cacheSetting
    }

    /// The element type of products: as configured, else what the processor multiplies fastest.
    ///
    /// - Throws: `UserError` `.configuration` where the library does not multiply that type
    package func kind() throws(UserError) -> MatrixEngine.Kind {
        let kind: MatrixEngine.Kind =
            switch computeType {
            case .float32: .float32
            case .bfloat16: .bfloat16
            case .automatic where library == .openBLAS: .float32
            case .automatic where library == .oneDNN: .bfloat16
            case .automatic: InstructionSet.current.multipliesBFloat16 ? .bfloat16 : .float32
            }
        switch (library, kind) {
        case (.openBLAS, .bfloat16):
            throw UserError(
                .configuration, "OpenBLAS multiplies float32 alone; set system.compute_dtype to float32, or system.matrix_library to auto")
        case (.oneDNN, .float32):
            throw UserError(
                .configuration,
                "oneDNN serves bfloat16 products alone; set system.compute_dtype to bfloat16, or system.matrix_library to auto"
            )
        case (.oneDNN, .bfloat16) where !OneDNN.isAvailable:
            throw UserError(
                .configuration,
                "oneDNN has no bfloat16 products on this processor\(getenv("ONEDNN_MAX_CPU_ISA") == nil ? "" : " (ONEDNN_MAX_CPU_ISA is set)")"
                    + "; set system.matrix_library to auto")
        default: return kind
        }
    }
}

/// The engine of a run and what is known of it.
package struct EngineChoice: Sendable {
    /// What multiplies.
    package let engine: MatrixEngine
    /// How it was checked that the bits of a row do not depend on other rows and on threads; nil: not asked for.
    package let proof: Proof?

    /// Creates a choice that was made elsewhere.
    package init(engine: MatrixEngine, proof: Proof?) {
        self.engine = engine
        self.proof = proof
    }

    /// How the check ended.
    package enum Proof: String, Sendable {
        /// It was made at this start.
        case made
        /// It was made earlier, on this machine with this build.
        case kept
    }

    /// Chooses and checks the engine.
    ///
    /// Collective. The first rank of a host checks for all of them.
    /// - Parameter shapes: of the matrices that will be multiplied
    /// - Throws: `UserError` `.configuration` for settings that contradict one another; `.broken` when a library that was asked for
    ///   does not keep the bits of a row
    static func make(_ settings: EngineSettings, shapes: [EngineProof.Shape], _ world: Communicator) throws -> EngineChoice {
        let kind = try world.together { () throws(UserError) in
            try InstructionSet.requireRequested()
            return try settings.kind()
        }
        let host = try world.split(by: Array("host \(world.hosts.hostOfRank[world.rank])".utf8))
        guard settings.isExact else {
            let fastest = host.rank == 0 ? settings.library ?? fastestLibrary(kind, shapes) : .own
            let name = try host.broadcast(Array(fastest.rawValue.utf8))
            let engine = MatrixEngine(kind, MatrixEngine.Library(rawValue: String(decoding: name, as: UTF8.self))!)
            try world.requireSameArithmetic(engine)
            return EngineChoice(engine: engine, proof: nil)
        }
        let engine = MatrixEngine(kind, settings.library ?? .own)
        try world.requireSameArithmetic(engine)
        let record = EngineProofRecord(engine, shapes, folder: CacheFolder.path(setting: settings.cacheSetting))
        let isKnown = try host.broadcast([host.rank == 0 && record.exists ? UInt8(1) : 0]) == [1]
        try world.together { () -> Void in
            guard host.rank == 0, !isKnown else { return }
            if let difference = EngineProof.firstDifference(engine, shapes: shapes) {
                let remedy =
                    engine.library == .own
                    ? "this processor computes the same product in two ways, which is a fault of the machine; compare another host, or set "
                        + "\(InstructionSet.variable) to a lesser instruction set"
                    : "set system.matrix_library to auto, or system.exact to false to run without that promise"
                throw UserError(
                    .broken,
                    "\(engine.libraryVersion) does not keep the bits of a row apart from the other rows here (\(difference)); \(remedy)")
            }
            guard engine.computesPairsAsDocumented else {
                throw UserError(
                    .broken,
                    "the instruction vdpbf16ps of this processor (\(Processor.model)) has other bits than its manual says, so they would differ "
                        + "from other hosts; set \(InstructionSet.variable)=\(InstructionSet.avx512.rawValue), which computes the same without it, "
                        + "or system.exact to false")
            }
            record.write()
        }
        return EngineChoice(engine: engine, proof: isKnown ? .kept : .made)
    }

    /// Our own kernels or the library for `kind`, whichever multiplies the largest of the shapes faster.
    private static func fastestLibrary(_ kind: MatrixEngine.Kind, _ shapes: [EngineProof.Shape]) -> MatrixEngine.Library {
        let other: MatrixEngine.Library = kind == .float32 ? .openBLAS : .oneDNN
        guard other == .openBLAS || OneDNN.isAvailable, let shape = shapes.max(by: { $0.out * $0.in < $1.out * $1.in }) else { return .own }
        let element: Tensor.Element = kind == .float32 ? .float32 : .bfloat16
        let (x, weight) = (Tensor.zeros(256, shape.in, element), WeightMatrix(Tensor.zeros(shape.out, shape.in, element)))
        let candidates: [MatrixEngine.Library] = [.own, other]
        var best = [Duration](repeating: .seconds(3600), count: 2)
        for _ in 0..<5 {
            for (index, library) in candidates.enumerated() {
                let engine = MatrixEngine(kind, library)
                best[index] = min(best[index], ContinuousClock().measure { _ = engine.forward(x, weight) })
            }
        }
        return best[1] < best[0] ? other : .own
    }
}

extension Communicator {
    /// Throws on every rank when processors would round products differently: their embeddings would not be of one kind.
    ///
    /// Collective.
    fileprivate func requireSameArithmetic(_ engine: MatrixEngine) throws {
        try requireSame(Array(engine.arithmetic.utf8)) { differing, reference in
            UserError(
                .configuration,
                "products have other bits on some processors: \(differing) differ from \(reference); "
                    + "set system.compute_dtype (--compute-dtype) to float32, which is the same everywhere, "
                    + "or \(InstructionSet.variable)=\(InstructionSet.avx512BFloat16.rawValue) where some hosts have AMX and some have not")
        }
    }
}

/// That an engine passed its check on this machine, kept as an empty file whose name is a hash of all that could change it.
private struct EngineProofRecord {
    private let path: String?

    init(_ engine: MatrixEngine, _ shapes: [EngineProof.Shape], folder: String?) {
        let build = (try? FileIdentity(path: "/proc/self/exe")).map { "\($0)" } ?? "unknown build"
        let what = [
            Processor.model, engine.kind.rawValue, engine.library.rawValue, engine.instructions.rawValue, engine.libraryVersion,
            build,
            "\(Threads.count)", shapes.map { "\($0.out)x\($0.in)" }.joined(separator: " "),
        ].joined(separator: "\n")
        path = folder.map { "\($0)/engine-\(SHA256.hex(SHA256.hash(of: Array(what.utf8)).prefix(12)))" }
    }

    var exists: Bool { path.map { access($0, F_OK) == 0 } ?? false }

    /// Writes the record where there is a folder for it. A failure costs the next start a second, so it is not one of this start.
    func write() {
        guard let path else { return }
        try? FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
        _ = try? AtomicWrite.write([], to: path)
    }
}
