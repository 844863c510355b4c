// Every task runs once, whatever the number of threads.

import Foundation
import Support
import Synchronization
import Tensor
import Testing

@Suite struct ThreadsTests {
    @Test(arguments: [1, 2, 3, 16])
    func everyTaskRunsOnce(threads: Int) {
        for tasks in [0, 1, 2, 3, 1000] {
            let runs = Mutex([Int](repeating: 0, count: tasks))
            withThreads(threads) { Threads.run(tasks) { task in runs.withLock { $0[task] += 1 } } }
            #expect(runs.withLock { $0 } == [Int](repeating: 1, count: tasks), "\(tasks) tasks")
        }
    }

    /// The cuts depend on the grain alone: what is summed within one never depends on the number of threads.
    @Test(arguments: [1, 2, 3])
    func rangesAreFixed(threads: Int) {
        let ranges = Mutex<[Range<Int>]>([])
        withThreads(threads) { Threads.run(100, grain: 32) { range in ranges.withLock { $0.append(range) } } }
        #expect(ranges.withLock { $0 }.sorted { $0.lowerBound < $1.lowerBound } == [0..<32, 32..<64, 64..<96, 96..<100])
    }

    @Test func tasksWithinTasks() {
        let total = Atomic<Int>(0)
        withThreads(3) {
            Threads.run(10) { outer in
                Threads.run(10) { inner in total.wrappingAdd(outer * 10 + inner, ordering: .relaxed) }
            }
        }
        #expect(total.load(ordering: .relaxed) == (0..<100).reduce(0, +))
    }

    /// Its loops stay in its own thread.
    @Test func aThreadBesideThePoolWorksAlone() {
        let names = Mutex<Set<UInt>>([])
        let done = DispatchSemaphore(value: 0)
        withThreads(4) {
            Threads.startBeside {
                Threads.run(200) { _ in
                    usleep(100)
                    names.withLock { _ = $0.insert(UInt(pthread_self())) }
                }
                done.signal()
            }
            done.wait()
        }
        #expect(names.withLock { $0.count } == 1)
    }

    /// In a process of its own, whose number of threads nothing else sets: two tasks that wait for one another.
    @Test func severalThreadsWorkAtATime() throws {
        let result = try MPILauncher.run("RankProgram", ["tasks-meet"], ranks: nil)
        #expect(result.exitCode == 0 && !result.timedOut, "\(result.standardError)")
    }
}
