// One pool of threads for everything: loops written here run in libgomp's threads, the ones that oneDNN uses.
// Work is cut into tasks whose size does not depend on the number of threads, so results do not either.

import COpenMP
import Foundation
import Synchronization

/// The threads of this process.
package enum Threads {
    nonisolated(unsafe) private static var current = 1
    /// Not nil in a thread that works beside the pool.
    private static let besideThePool: pthread_key_t = {
        var key = pthread_key_t()
        guard pthread_key_create(&key, nil) == 0 else { preconditionFailure("Threads: no key for a thread's own value") }
        return key
    }()

    /// How many threads work at a time, in our loops and in oneDNN's.
    package static var count: Int {
        get { pthread_getspecific(besideThePool) == nil ? current : 1 }
        set {
            precondition(newValue > 0, "Threads: count \(newValue)")
            // oneDNN plans a product for a number of threads and needs them all: no fewer may be given to it later.
            omp_set_dynamic(0)
            current = min(newValue, Int(omp_get_thread_limit()))
            omp_set_num_threads(Int32(current))
        }
    }

    /// Runs `body(0) ... body(tasks - 1)`, each once, on all threads. Returns when all are done.
    ///
    /// Inside a task, and in a thread beside the pool, a further `run` works in its own thread alone.
    package static func run(_ tasks: Int, _ body: (Int) -> Void) {
        guard tasks > 1, current > 1, omp_in_parallel() == 0, pthread_getspecific(besideThePool) == nil else {
            for task in 0..<tasks { body(task) }
            return
        }
        withoutActuallyEscaping(body) { body in
            let loop = Loop(tasks: tasks, body: body)
            withExtendedLifetime(loop) {
                GOMP_parallel(
                    { Unmanaged<Loop>.fromOpaque($0!).takeUnretainedValue().work() },
                    Unmanaged.passUnretained(loop).toOpaque(), UInt32(min(tasks, current)), 0)
            }
            loop.body = nil
        }
    }

    /// Starts a thread beside the pool, for work that waits for files or must not hold up the pool.
    package static func startBeside(_ body: @escaping @Sendable () -> Void) {
        Thread {
            pthread_setspecific(besideThePool, UnsafeRawPointer(bitPattern: 1))
            body()
        }.start()
    }

    /// Runs `body` with the calling thread alone at work, whatever it calls.
    package static func alone<T>(_ body: () -> T) -> T {
        let before = pthread_getspecific(besideThePool)
        pthread_setspecific(besideThePool, UnsafeRawPointer(bitPattern: 1))
        omp_set_num_threads(1)
        defer {
            pthread_setspecific(besideThePool, before)
            omp_set_num_threads(Int32(count))
        }
        return body()
    }

    /// Runs `body` over `0..<count` cut into ranges of `grain`.
    package static func run(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
        run((count + grain - 1) / grain) { task in
            body(task * grain..<min((task + 1) * grain, count))
        }
    }

    /// The results of `body(0) ... body(count - 1)` in this order, made on all threads in tasks of `grain`.    [count]
    package static func map<Element>(_ count: Int, grain: Int, _ body: (Int) -> Element) -> [Element] {
        [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            let start = buffer.baseAddress
            run(count, grain: grain) { range in
                for index in range { (start! + index).initialize(to: body(index)) }
            }
            initialized = count
        }
    }

    /// The tasks of one loop; threads take the next one until none is left.
    private final class Loop: @unchecked Sendable {
        let tasks: Int
        var body: ((Int) -> Void)?
        private let next = Atomic<Int>(0)

        init(tasks: Int, body: @escaping (Int) -> Void) {
            self.tasks = tasks
            self.body = body
        }

        func work() {
            guard let body else { return }
            while true {
                let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard task < tasks else { return }
                body(task)
            }
        }
    }
}
