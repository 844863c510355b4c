// How waiting threads wait. libgomp's spin unless told otherwise before the library is loaded: on a busy machine a parallel
// region then takes milliseconds instead of microseconds.

import Glibc

extension Threads {
    /// Starts the program itself once more with waiting threads asleep, unless the environment has a policy already.
    ///
    /// The first thing that a program does: whatever it has done by then is done twice. Where it cannot start itself it goes on,
    /// slower and not wrong.
    package static func requirePolicy() {
        guard getenv("OMP_WAIT_POLICY") == nil, getenv("GOMP_SPINCOUNT") == nil else { return }
        setenv("OMP_WAIT_POLICY", "passive", 1)
        setenv("OPENBLAS_NUM_THREADS", "1", 0)
        var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        // By its own path: under /proc/self/exe the process would be called "exe" in every list of processes.
        guard readlink("/proc/self/exe", &path, Int(PATH_MAX)) > 0 else { return }
        execv(path, CommandLine.unsafeArgv)
    }
}
