// A request from outside to stop at the next good moment: a flag, set by signals, read between steps.
// What to do about it is agreed by all ranks elsewhere; a signal may reach only some of them.

import Glibc
import Synchronization

/// Whether someone asked this process to stop.
///
///     StopRequest.listen()                      // before World.run
///     if try world.anyTrue(StopRequest.isRequested) { ... }
package enum StopRequest {
    /// Whether a signal has asked this process to stop.
    package static var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// Takes SIGUSR1 as a request; without a launcher SIGINT (Ctrl-C) and SIGTERM as well.
    ///
    /// Under mpirun those two are left alone: there they mean that the job ends, since mpirun kills its ranks a second later and
    /// sends SIGTERM to the survivors when a rank has died. Ctrl-C works once: a second one ends the process at once.
    package static func listen() {
        _ = isRequested  // The flag exists before a handler can touch it: making it is not safe in a handler.
        handle(SIGUSR1, once: false)
        if !World.isLaunched {
            handle(SIGINT, once: true)
            handle(SIGTERM, once: true)
        }
    }

    /// Takes a signal as a request to stop.
    /// - Parameter once: the signal's default action returns after the first
    private static func handle(_ signal: Int32, once: Bool) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in requested.store(true, ordering: .relaxed) }
        action.sa_flags = SA_RESTART | (once ? Int32(bitPattern: UInt32(SA_RESETHAND)) : 0)
        let status = sigaction(signal, &action, nil)
        precondition(status == 0, "sigaction \(signal): errno \(errno)")
    }
}

/// An atomic store is all that the handlers do.
private let requested = Atomic<Bool>(false)
