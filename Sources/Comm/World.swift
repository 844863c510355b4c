// MPI's lifetime: initialised before the body, finalised after it, aborted when one rank fails.
// Never finalised while an error unwinds: the other ranks would wait in a collective, this one in MPI_Finalize.

import COpenMPI
import Glibc

/// The run, as one of its processes sees it.
///
///     exit(World.run { world in
///         print("rank \(world.rank) of \(world.worldSize)")
///         return 0
///     })
package enum World {
    /// Runs `body` in a world of all ranks that the launcher started, or of one rank where there is none.
    ///
    /// Without a launcher (mpirun, or srun with a process manager) MPI is not initialised. An error that `body` throws is the
    /// fault of one rank: it is written to stderr as one `FATAL` line and ends the whole job with the error's `exitCode` (70 when it
    /// names none). What all ranks have found together is not thrown from here but returned as a code.
    ///
    /// - Parameter body: returns an exit code that all ranks have agreed on
    /// - Returns: that code, or in a world without MPI that of the error
    package static func run(_ body: (Communicator) throws -> Int32) -> Int32 {
        var world: Communicator?
        do {
            var started = try start()
            world = started
            try meet(&started)
            world = started
            let code = try body(started)
            try finish(started, code)
            return code
        } catch {
            return die(error, world)
        }
    }

    /// Whether a launcher started this process. Their variables: Open MPI's mpirun; PMIx and PMI, as srun sets them.
    package static var isLaunched: Bool {
        let variables: [String] = ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"]
        return variables.contains { getenv($0) != nil }
    }

    /// The name and version that the MPI library gives itself, up to the first comma; nil where it is not used.
    package static var libraryVersion: String? {
        guard isLaunched else { return nil }
        var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING))
        var length: Int32 = 0
        guard MPI_Get_library_version(&text, &length) == MPI_SUCCESS else { return nil }
        let bytes = text.prefix(Int(length)).map { UInt8(bitPattern: $0) }.prefix { $0 != 0 && $0 != UInt8(ascii: ",") }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func start() throws(CommError) -> Communicator {
        guard isLaunched else {
            guard integer("SLURM_PROCID") ?? 0 == 0 else {
                throw launchError("srun started this process without a process manager: use srun --mpi=pmix, or mpirun")
            }
            return .alone()
        }
        let site = CallSite(file: #fileID, line: #line)
        let alone = Communicator.alone()  // For its gate, until rank and size are known.
        var granted: Int32 = 0
        try alone.check(shoal_init(&granted), "MPI_Init_thread", site)
        try alone.check(shoal_return_errors(), "MPI_Comm_set_errhandler", site)
        guard granted != 0 else { throw launchError("this MPI does not grant MPI_THREAD_FUNNELED") }
        var (rank, size) = (Int32(0), Int32(0))
        try alone.check(MPI_Comm_rank(shoal_comm_world(), &rank), "MPI_Comm_rank", site)
        try alone.check(MPI_Comm_size(shoal_comm_world(), &size), "MPI_Comm_size", site)
        if let promised = integer("OMPI_COMM_WORLD_SIZE") ?? integer("PMI_SIZE"), promised != Int(size) {
            throw launchError(
                "the launcher started \(promised) ranks, but MPI sees \(size): use the mpirun of the MPI that shoal is linked to")
        }
        return Communicator(
            rank: Int(rank), worldSize: Int(size), hosts: .assumed(rank: Int(rank), worldSize: Int(size)),
            state: Communicator.State(shoal_comm_world()))
    }

    private static func meet(_ world: inout Communicator) throws(CommError) {
        guard world.state.handle != nil else { return }
        world.hosts = try Hosts.discover(world)
        world.resetStatistics()
    }

    /// All ranks must come here with the same code, else the launcher picks one of them.
    private static func finish(_ world: Communicator, _ code: Int32) throws(CommError) {
        world.phase = "finish"
        let call = CollectiveCall(.finish, detail: Int(code), site: CallSite(file: #fileID, line: #line))
        try world.perform(call, bytes: 0) { _ throws(CommError) in
            try world.check(MPI_Finalize(), "MPI_Finalize", call.site)
        }
    }

    /// Prints the last words of this rank and ends the job; returns only where there is no MPI.
    private static func die(_ error: any Error, _ world: Communicator?) -> Int32 {
        // MPI_Abort with 0 would make the job succeed, and above 125 lie the shell's and the launcher's own codes.
        let wanted = (error as? any ExitCoded)?.exitCode ?? 70
        let code = (1...125).contains(wanted) ? wanted : 70
        report(error, world, code)
        var (initialised, finalised) = (Int32(0), Int32(0))
        MPI_Initialized(&initialised)
        MPI_Finalized(&finalised)
        if initialised != 0 && finalised == 0 { MPI_Abort(shoal_comm_world(), code) }
        return code
    }

    /// Writes the `FATAL` line, in one write: lines of several ranks through mpirun tear the more, the longer they are.
    private static func report(_ error: any Error, _ world: Communicator?, _ code: Int32) {
        let place = "rank=\(world?.rank ?? 0) host=\(world?.hostName ?? Hosts.assumed().names[0]) pid=\(getpid())"
        let moment = "phase=\(world?.phase ?? "start") seq=\(world?.state.sequence ?? 0)"
        var message = String.UnicodeScalarView()
        for scalar in String(describing: error).unicodeScalars.prefix(800) {
            message.append(scalar.value < 0x20 ? " " : scalar == "\"" ? "'" : scalar)
        }
        let line = Array("FATAL \(place) \(moment) code=\(code) msg=\"\(String(message))\"\n".utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static func integer(_ variable: String) -> Int? {
        getenv(variable).flatMap { Int(String(cString: $0)) }
    }

    private static func launchError(_ message: String) -> CommError {
        CommError(reason: .launch, message: message, exitCode: 78, site: CallSite(file: #fileID, line: #line))
    }
}
