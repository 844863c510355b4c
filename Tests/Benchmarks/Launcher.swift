// A command that measures several ranks starts itself again under mpirun.

import Files
import Foundation

/// Becomes mpirun, which starts this program with the same arguments once for each rank.
func restartUnderLauncher(ranks: Int, adding arguments: [String] = []) throws -> Never {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    let launcher = ["mpirun", "-n", "\(ranks)", "--bind-to", "none", "--oversubscribe", program]
    let all = launcher + CommandLine.arguments.dropFirst() + arguments
    fflush(nil)
    execvp("mpirun", all.map { strdup($0) } + [nil])
    throw UserError(.missing, "mpirun", "cannot be started; install Open MPI (openmpi-bin) or leave out --ranks")
}
