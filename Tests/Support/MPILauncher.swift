// Starts a product of this package for a test, under mpirun or alone, and waits for it no longer than allowed.
// Ranks of one job share this machine: they are not bound to cores, and yield the processor while they wait.

import Foundation
import Glibc

/// What a job left behind.
package struct JobResult: Sendable {
    /// As a shell reports it: 128 + the signal's number when a signal ended the process.
    package let exitCode: Int32
    package let standardOutput: String
    package let standardError: String
    /// Whether the time limit ended it.
    package let timedOut: Bool
}

/// A job that a test talks to while it runs.
package struct RunningJob {
    /// mpirun's, if there is one.
    package let processID: Int32
    fileprivate let captured: URL

    /// Returns when the job has written `text` to stdout or stderr.
    package func wait(for text: String, limit: Double = 30) throws {
        let deadline = Date().addingTimeInterval(limit)
        while try !["stdout", "stderr"].contains(where: { try captured.text($0).contains(text) }) {
            guard Date() < deadline else { throw JobError(description: "no \"\(text)\" after \(limit) s") }
            usleep(20_000)
        }
    }
}

extension RunningJob {
    /// The processes that it has started: mpirun's ranks, in the order of their start.
    package func children() throws -> [Int32] {
        let threads = "/proc/\(processID)/task"
        let lists = try FileManager.default.contentsOfDirectory(atPath: threads).map { thread in
            try String(contentsOfFile: "\(threads)/\(thread)/children", encoding: .utf8).split(separator: " ").compactMap { Int32($0) }
        }
        return lists.joined().sorted()
    }
}

package struct JobError: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

extension URL {
    fileprivate func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: appendingPathComponent(name)), as: UTF8.self)
    }
}

/// How one rank is started, in a job whose ranks are not all started alike.
package struct RankStart: Sendable {
    package let arguments: [String]
    /// That it works in: relative paths then lead each rank to files of its own, as on hosts that hold different ones.
    package let folder: String

    package init(_ arguments: [String], folder: String) {
        self.arguments = arguments
        self.folder = folder
    }
}

/// Runs products on a number of ranks.
///
///     let result = try MPILauncher.run("RankProgram", ["all"], ranks: 4)
///     #expect(result.exitCode == 0, "\(result.standardError)")
package enum MPILauncher {
    /// An executable of this package. SwiftPM puts it beside the test binary.
    package static func product(_ name: String) -> URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent(name)
    }

    /// - Parameters:
    ///   - ranks: nil runs the product alone, without mpirun
    ///   - environment: added to this process's own, from which another launcher's variables are taken out
    ///   - limit: seconds until the whole job is killed
    ///   - whileRunning: is called once, when the job has been started
    package static func run(
        _ product: String, _ arguments: [String] = [], ranks: Int?, environment: [String: String] = [:], folder: URL? = nil,
        limit: Double = 60, whileRunning: (RunningJob) throws -> Void = { _ in }
    ) throws -> JobResult {
        let launcher = ranks.map { mpirun + ["-n", "\($0)"] } ?? []
        return try run(launcher + [Self.product(product).path] + arguments, environment, folder, limit, whileRunning)
    }

    /// Runs one job under mpirun whose ranks are started differently: each by a script that looks at its rank. mpirun's own
    /// way, parts of a command between colons, ends in a segmentation fault of Open MPI 5.0.7's.
    package static func run(
        _ product: String, each ranks: [RankStart], environment: [String: String] = [:], limit: Double = 60
    ) throws -> JobResult {
        let program = Self.product(product).path
        let starts = ranks.enumerated().map { rank, start in
            "\(rank)) cd \(quoted(start.folder)) && exec \(([program] + start.arguments).map(quoted).joined(separator: " ")) ;;\n"
        }
        let folder = try TemporaryFolder()
        let script = try folder.write("start", "case $OMPI_COMM_WORLD_RANK in\n\(starts.joined())esac\nexit 127\n")
        return try withExtendedLifetime(folder) {
            try run(mpirun + ["-n", "\(ranks.count)", "sh", script], environment, nil, limit) { _ in }
        }
    }

    /// One word of a shell.
    private static func quoted(_ word: String) -> String { "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'" }

    private static func run(
        _ command: [String], _ environment: [String: String], _ folder: URL?, _ limit: Double, _ whileRunning: (RunningJob) throws -> Void
    ) throws -> JobResult {
        let captured = FileManager.default.temporaryDirectory.appendingPathComponent("shoal-job-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: captured, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: captured) }

        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.environment = jobEnvironment(environment)
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try newFile(captured, "stdout")
        process.standardError = try newFile(captured, "stderr")
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }

        try withSignalsUnblocked { try process.run() }
        defer { kill(process, ended) }
        try whileRunning(RunningJob(processID: process.processIdentifier, captured: captured))
        let timedOut = ended.wait(timeout: .now() + limit) == .timedOut
        if timedOut { kill(process, ended) }
        let signalled = process.terminationReason == .uncaughtSignal
        return JobResult(
            exitCode: process.terminationStatus + (signalled ? 128 : 0), standardOutput: try captured.text("stdout"),
            standardError: try captured.text("stderr"), timedOut: timedOut)
    }

    /// The threads that run tests block signals, and a child inherits that.
    private static func withSignalsUnblocked(_ body: () throws -> Void) rethrows {
        var (none, before) = (sigset_t(), sigset_t())
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    private static let mpirun = ["mpirun", "--oversubscribe", "--bind-to", "none"]

    private static func jobEnvironment(_ additions: [String: String]) -> [String: String] {
        let launchers = ["OMPI_COMM_", "OMPI_UNIVERSE_", "PMIX_", "PMI_", "SLURM_"]
        var environment = ProcessInfo.processInfo.environment.filter { name, _ in !launchers.contains { name.hasPrefix($0) } }
        environment["OMPI_MCA_mpi_yield_when_idle"] = "1"
        if geteuid() == 0 {
            environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
            environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        }
        return environment.merging(additions) { $1 }
    }

    /// mpirun takes its ranks along when it is asked to end; whatever of its group is left after that is killed.
    private static func kill(_ process: Process, _ ended: DispatchSemaphore) {
        guard process.isRunning else { return }
        let id = process.processIdentifier
        Glibc.kill(id, SIGTERM)
        guard ended.wait(timeout: .now() + 5) == .timedOut else { return }
        Glibc.kill(getpgid(id) == id ? -id : id, SIGKILL)
        process.waitUntilExit()
    }

    private static func newFile(_ folder: URL, _ name: String) throws -> FileHandle {
        let url = folder.appendingPathComponent(name)
        try Data().write(to: url)
        return try FileHandle(forWritingTo: url)
    }
}
