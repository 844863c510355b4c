// Runs part of a test with a given number of threads.

import Synchronization
import Tensor

private let lock = Mutex(())

/// One at a time, because the number is the process's; so calls are not nested. Tests that do not ask for a number see this
/// one meanwhile, and by the very promise under test their results do not depend on it.
package func withThreads<Result>(_ count: Int, _ body: () -> Result) -> Result {
    lock.withLock { _ in
        let before = Threads.count
        Threads.count = count
        defer { Threads.count = before }
        return body()
    }
}
