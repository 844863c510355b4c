// What libraries read from the environment when they are loaded, so that the program can only set it by starting itself again.

import Glibc

/// The environment that the libraries under the program need.
package enum ProcessEnvironment {
    /// Starts the program itself once more where the environment lacks something that libraries read at loading, unless the user
    /// has set it: waiting threads of libgomp must sleep (spinning, a parallel region on a busy machine takes milliseconds instead
    /// of microseconds), OpenBLAS must leave the threads to the program's own pool, and take kernels that fit a processor which
    /// it does not know.
    ///
    /// The first thing that a program does: whatever it has done by then is done twice. Where it cannot start itself it goes on,
    /// slower and not wrong.
    package static func prepare() {
        var isComplete = true
        func set(_ name: String, _ value: String) {
            guard getenv(name) == nil else { return }
            setenv(name, value, 1)
            isComplete = false
        }
        if getenv("GOMP_SPINCOUNT") == nil { set("OMP_WAIT_POLICY", "passive") }
        if let kernels = OpenBLAS.fittingKernels { set("OPENBLAS_CORETYPE", kernels) }
        guard !isComplete else { return }
        setenv("OPENBLAS_NUM_THREADS", "1", 0)
        var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        // By its own path: under /proc/self/exe the process would be called "exe" in every list of processes.
        guard readlink("/proc/self/exe", &path, Int(PATH_MAX)) > 0 else { return }
        execv(path, CommandLine.unsafeArgv)
    }
}
