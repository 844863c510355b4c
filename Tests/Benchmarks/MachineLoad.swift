// Whether the machine had other work while something was measured: figures are then too low, and nobody would know.

import Files
import Foundation
import Trainer

/// Processor time of the whole machine and of this program since a moment.
///
///     let load = MachineLoad()
///     ...
///     load.warn(console, ownSeconds: load.ownSeconds)
struct MachineLoad {
    private let machine = Self.machineSeconds
    private let own = Self.processSeconds
    private let start = ContinuousClock.now

    /// Seconds of processors that this process and the children that it has waited for have used.
    var ownSeconds: Double { Self.processSeconds - own }

    /// Says so when others used more than a twentieth of the cores.
    ///
    /// - Parameter ownSeconds: of all ranks on this host
    func warn(_ console: Console, ownSeconds: Double) {
        let others = (Self.machineSeconds - machine - ownSeconds) / (start.duration(to: .now) / .seconds(1))
        guard others > 0.05 * Double(Machine.cores) else { return }
        let cores = Figures.count(Machine.cores, "core")
        console.warning("other processes used \(Figures.fixed(others, 2)) of \(cores) meanwhile; measure again when the machine is idle")
    }

    private static var processSeconds: Double {
        [RUSAGE_SELF, RUSAGE_CHILDREN].reduce(0) { sum, who in
            var usage = rusage()
            getrusage(__rusage_who_t(who.rawValue), &usage)
            return sum + [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) * 1e-6 }
        }
    }

    /// Of all cores: user, nice and system time, interrupts, and what another virtual machine had.
    private static var machineSeconds: Double {
        guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8), let line = text.split(separator: "\n").first else {
            return 0
        }
        let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
        guard ticks.count == 8 else { return 0 }
        let busy = ticks.reduce(0, +) - ticks[3] - ticks[4]  // without idling and waiting for a disk
        return busy / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
