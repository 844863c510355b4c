// Images made ready ahead: in order, within memory, and not for nobody.

import Files
import Foundation
import Support
import Synchronization
import Testing

@testable import Embedding

@Suite struct ImageDecodingTests {
    /// What happened, from all threads. `condition` guards everything below it.
    private final class Log: @unchecked Sendable {
        private let condition = NSCondition()
        private var begun: [Int] = []
        private var taken = 0

        func begin(_ index: Int) {
            condition.withLock {
                begun.append(index)
                condition.broadcast()
            }
        }

        /// Noted before an image is taken, so that it is never less than what the threads have learnt of.
        func take() { condition.withLock { taken += 1 } }

        var state: (begun: [Int], taken: Int) { condition.withLock { (begun, taken) } }

        /// Returns when so many have been begun.
        func wait(forBegun count: Int) { condition.withLock { while begun.count < count { condition.wait() } } }
    }

    /// As far ahead as the limit allows, and no farther.
    @Test(arguments: [1, 2, 5]) func comesInOrderWithinTheLimit(threads: Int) throws {
        let (bytes, log) = ((0..<60).map { 10 + $0 * 7 % 31 }, Log())
        /// How many may have been begun once so many have been taken.
        @Sendable func allowed(_ taken: Int) -> Int {
            var (begun, held) = (taken, 0)
            while begun < bytes.count, held == 0 || held + bytes[begun] <= 100 {
                held += bytes[begun]
                begun += 1
            }
            return begun
        }
        let decoding = ImageDecoding(bytes: bytes, threads: threads, limit: 100) { index throws(UserError) in
            log.begin(index)
            #expect(index < allowed(log.state.taken))
            return index
        }
        for index in bytes.indices {
            log.wait(forBegun: allowed(index))
            #expect(log.state.begun.count == allowed(index))
            log.take()
            #expect(try decoding.next() == index)
        }
        #expect(log.state.begun.sorted() == Array(bytes.indices))
    }

    /// The first is ready only when those behind it have been.
    @Test func aSlowOneHoldsUpNoOther() throws {
        let (log, others) = (Log(), 1..<8)
        let decoding = ImageDecoding(bytes: Array(repeating: 1, count: 8), threads: 2, limit: 8) { index throws(UserError) in
            if index == 0 { log.wait(forBegun: others.count) } else { log.begin(index) }
            return index
        }
        for index in 0..<8 { #expect(try decoding.next() == index) }
    }

    @Test func oneThatIsLargerThanTheLimitComesAlone() throws {
        let decoding = ImageDecoding(bytes: [500, 10, 500], threads: 3, limit: 100) { index throws(UserError) in index }
        #expect(try (0..<3).map { _ in try decoding.next() } == [0, 1, 2])
    }

    @Test func anErrorComesAtItsPlace() throws {
        let decoding = ImageDecoding(bytes: [1, 1, 1], threads: 2, limit: 10) { index throws(UserError) -> Int in
            if index == 1 { throw UserError(.content, "b.png", "is damaged") }
            return index
        }
        #expect(try decoding.next() == 0)
        expectUserError(.content, "b.png", "is damaged") { _ = try decoding.next() }
        #expect(try decoding.next() == 2)
    }

    /// Threads hold what they make images with, and let go of it at their end.
    @Test func stopsWhenNobodyWaits() throws {
        final class Held: Sendable {
            let log = Log()
            let ended: DispatchSemaphore
            init(_ ended: DispatchSemaphore) { self.ended = ended }
            deinit { ended.signal() }
        }
        let ended = DispatchSemaphore(value: 0)
        let log: Log
        do {
            let held = Held(ended)
            log = held.log
            let decoding = ImageDecoding(bytes: Array(repeating: 1, count: 1000), threads: 2, limit: 3) { index throws(UserError) in
                held.log.begin(index)
                return index
            }
            #expect(try decoding.next() == 0)
        }
        #expect(ended.wait(timeout: .now() + 60) == .success, "the threads go on")
        #expect(log.state.begun.count <= 4)
    }
}
