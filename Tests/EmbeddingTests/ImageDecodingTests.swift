// Images made ready ahead: in order, within memory, and not for nobody.

import Files
import Foundation
import Support
import Synchronization
import Testing

@testable import Embedding

@Suite struct ImageDecodingTests {
    /// What happened, from all threads.
    private final class Log: Sendable {
        private let state = Mutex((begun: [Int](), held: 0, most: 0))

        func begin(_ index: Int, bytes: Int) {
            state.withLock {
                $0.begun.append(index)
                $0.held += bytes
                $0.most = max($0.most, $0.held)
            }
        }

        func end(bytes: Int) { state.withLock { $0.held -= bytes } }

        var begun: [Int] { state.withLock { $0.begun } }
        var most: Int { state.withLock { $0.most } }
    }

    @Test(arguments: [1, 2, 5]) func comesInOrderWithinTheLimit(threads: Int) throws {
        let (bytes, log) = ((0..<60).map { 10 + $0 * 7 % 31 }, Log())
        let decoding = ImageDecoding(bytes: bytes, threads: threads, limit: 100) { index throws(UserError) in
            log.begin(index, bytes: bytes[index])
            usleep(UInt32(index * 13 % 7) * 100)
            return index
        }
        for index in bytes.indices {
            #expect(try decoding.next() == index)
            log.end(bytes: bytes[index])
        }
        #expect(log.begun.sorted() == Array(bytes.indices))
        // The taker notes what it has taken later than the threads learn of it.
        #expect(log.most <= 100 + 40)
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

    @Test func stopsWhenNobodyWaits() throws {
        let log = Log()
        var decoding: ImageDecoding<Int>? = ImageDecoding(bytes: Array(repeating: 1, count: 1000), threads: 2, limit: 3) {
            index throws(UserError) in
            log.begin(index, bytes: 1)
            return index
        }
        #expect(try decoding?.next() == 0)
        decoding = nil
        usleep(100_000)
        let begun = log.begun.count
        #expect(begun <= 5)
        usleep(50_000)
        #expect(log.begun.count == begun)
    }
}
