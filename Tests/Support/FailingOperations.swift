// A disk that fails at a chosen moment: for whatever must stay whole while it is written.

import Files
import Foundation
import Synchronization

/// The system's operations, with call number `failing` (counted over all kinds, from 1) giving `code`. Counts the calls.
package final class FailingOperations: Sendable {
    private let calls = Mutex(0)
    private let failing: Int
    private let code: Int32
    private let longestWrite: Int

    /// - Parameters:
    ///   - failing: 0: none fails
    ///   - longestWrite: bytes that a call of `write` takes at most
    package init(failing: Int, code: Int32, longestWrite: Int = .max) {
        self.failing = failing
        self.code = code
        self.longestWrite = longestWrite
    }

    package var count: Int { calls.withLock { $0 } }

    private func fails() -> Bool {
        let call = calls.withLock {
            $0 += 1
            return $0
        }
        if call == failing { errno = code }
        return call == failing
    }

    package var operations: FileOperations {
        let system = FileOperations.system
        var faulty = system
        faulty.create = { self.fails() ? -1 : system.create($0, $1) }
        faulty.openFolder = { self.fails() ? -1 : system.openFolder($0) }
        faulty.write = { self.fails() ? -1 : system.write($0, $1, min($2, self.longestWrite)) }
        faulty.sync = { self.fails() ? -1 : system.sync($0) }
        faulty.close = { system.close($0) | (self.fails() ? -1 : 0) }
        faulty.makeFolder = { self.fails() ? -1 : system.makeFolder($0, $1) }
        faulty.replace = { self.fails() ? -1 : system.replace($0, $1) }
        faulty.move = { self.fails() ? -1 : system.move($0, $1) }
        return faulty
    }
}
